"""The auditor's books of classes: a loan that was observed, and paid as it fell due, is no worse than it must be on the day after."""

from datetime import date
from fractions import Fraction

import pytest

from tools.simulator.floor_books import Floors
from tools.simulator.loan_books import LoanBook, WrongBooks
from tools.simulator.loan_rows import Row

UNTIL, OVER = date(2025, 3, 5), date(2025, 3, 6)


def _loan(due_on: date, loan_class: str = "special_mention") -> LoanBook:
    row = Row(due_on=due_on, principal_fen=1, interest_fen=0, charged_to=due_on)
    return LoanBook(
        "loan_7", "usr_bo", Fraction(0), {1: row}, {"clm_7_1": 1}, {"clm_7_1": "acc_1"}, loan_class=loan_class
    )


def _floors() -> Floors:
    return Floors(observed={"loan_7": ("special_mention", UNTIL)})


def test_what_is_observed_no_longer_is_told_so() -> None:
    """On the day after, where nothing is open."""
    later = date(2025, 3, 31)
    _floors().judged("here", _loan(later), UNTIL)
    with pytest.raises(WrongBooks, match="was observed until 2025-03-05 and is special_mention still"):
        _floors().judged("here", _loan(later), OVER)
    _floors().judged("here", _loan(later, "normal"), OVER)
    _floors().judged("here", _loan(UNTIL), OVER)


def test_what_two_people_said_holds_on() -> None:
    """Without an end."""
    floors = Floors(given={"loan_7": "special_mention"}, observed={"loan_7": ("special_mention", UNTIL)})
    floors.judged("here", _loan(date(2025, 3, 31)), OVER)
    told = {"from_class": "special_mention", "to_class": "normal", "measure_id": ""}
    with pytest.raises(WrongBooks, match="is normal, at best special_mention"):
        floors.classified("here", _loan(date(2025, 3, 31)), told, OVER)
