"""Pages of a loan that was corrected: their lines sum to their totals, and holders' months to the loan's, to the fen."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.money import money_context
from services.repayment.api.page_shapes import HistoryLineOut
from services.repayment.domain.cash_history import Instalment, Piece, pieces_of, spread
from tests.unit.documents import history
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.test_cash_history import of, sums
from tests.unit.repayment.test_cash_history import told as held
from tests.unit.repayment.test_correcting import Corrected
from tests.unit.repayment.test_loan_page import require_explained, shown, told

_SHARED = ("principal", "interest", "penalty")


@dataclass
class Said(Corrected):
    """A loan that is corrected now and then, with the length of its history after each decision."""

    ends: list[tuple[int, date]] = field(default_factory=list)

    def say(self, command: Any) -> Any:
        """Decide, and remember where the record ends."""
        answer = super().say(command)
        self.ends.append((len(self.events), self.today))
        return answer


def corrected_life(seed: int, *, sells: bool) -> Said:
    """Some months of a loan's life with corrections."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Said(chance, terms.funded_on, sells=sells)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 120)):
            if chance.random() < 0.08:
                lived.correct()
            for _ in lived.day():
                pass
    return lived


@given(seed=st.integers(0, 2**32), sells=st.booleans())
@settings(max_examples=25, deadline=None)
def test_lines_sum_to_totals_and_months_of_holders_to_those_of_the_loan(seed: int, sells: bool) -> None:
    """At any moment of a random life with corrections and sales: each total of the page is the sum of its lines and of its explanation's
    shares, and what the lines of a month paid is what all holders received in it, component by component."""
    lived = corrected_life(seed, sells=sells)
    for end, today in lived.chance.sample(lived.ends, min(3, len(lived.ends))):
        events = lived.events[:end]
        loan, lines, _ = told(*events)
        require_explained(loan, lines, today, {event.address for event in history("loan_7", *events)})
        parts: Counter[str] = Counter()
        months: Counter[str] = Counter()
        for _, line in HistoryLineOut.all_of(lines, names_payment=True):
            fields = line.model_dump()
            moved = {name: fields[name] for name in fields if name.startswith(("paid_", "charged_"))}
            parts.update(moved)
            months.update({f"{str(line.on)[:7]} {each}": moved[f"paid_{each}_fen"] for each in _SHARED})
        totals = shown(loan, today).totals
        for each in ("principal", "interest", "fee", "penalty"):
            assert parts[f"paid_{each}_fen"] == getattr(totals, f"paid_{each}_fen")
        assert parts["charged_penalty_fen"] == totals.penalty_fen
        claims, loan = held(*events)
        received: Counter[str] = Counter()
        for claim in claims:
            for month in of(claim, loan=loan).months:
                received.update(
                    {f"{month.month} {each}": getattr(month, f"received_{each}_fen") for each in _SHARED}
                )
        assert {name: fen for name, fen in received.items() if fen} == {
            name: fen for name, fen in months.items() if fen
        }


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_what_holders_expect_of_a_month_is_what_its_instalments_ask_for(seed: int) -> None:
    """Also after corrections: of each claim what came is what its document says, what was expected is that and what is open, and all
    claims together expect of a month what the loan's rows ask for in it, within a fen a claim and payment."""
    lived = corrected_life(seed, sells=False)
    for end, _ in lived.chance.sample(lived.ends, min(3, len(lived.ends))):
        claims, loan = held(*lived.events[:end])
        for claim in claims:
            total = sums(of(claim, loan=loan))
            assert total["received_principal_fen"] == claim["principal_back_fen"]
            assert total["received_interest_fen"] == claim["interest_fen"]
            assert min([0, *total.values()]) == 0
        if loan["state"] != "running":
            continue
        asked: Counter[str] = Counter()
        for row in loan["rows"].values():
            asked[row["due_on"][:7]] += row["principal_fen"]
        slack = len(claims) * (
            len(loan.get("payments", {})) + len(loan["rows"]) + len(loan.get("restated", {}))
        )
        for month in of(*claims, loan=loan).months:
            if not loan.get("early", {}).get("principal_fen") and month.month in asked:
                assert abs(month.expected_principal_fen - asked[month.month]) <= slack


def test_what_was_taken_back_is_to_be_paid_again() -> None:
    """Two instalments were paid, the payment of the first is reversed: the second's money counts for the first, and the second is open."""
    first, second = date(2024, 2, 29), date(2024, 3, 31)
    on = date(2024, 4, 5)
    rows = [Instalment(first, 100, 100), Instalment(second, 100, 0)]
    pieces = pieces_of({first: 100, second: 100, on: -100}, rows, is_owed=True)
    assert pieces == {
        first: [Piece(first, first, 100)],
        second: [Piece(second, second, 100)],
        on: [Piece(on, second, -100)],
    }
    assert list(spread({first: 30, second: 30, on: -40}, pieces)) == [
        Piece(first, first, 30),
        Piece(second, second, 30),
        Piece(on, second, -30),
        Piece(on, first, -10),
    ]
    again = date(2024, 4, 9)
    paid = [Instalment(first, 100, 100), Instalment(second, 100, 60)]
    anew = pieces_of({first: 100, second: 100, on: -100, again: 60}, paid, is_owed=True)
    assert anew[again] == [Piece(again, second, 60)]
    assert anew[again][0].timing == "late"
