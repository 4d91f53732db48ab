"""The bench's book is what it says it is, NumPy and the loans' own rules count the same days, and the figures say what they are of."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from libs.events.codec import decode, decode_object
from libs.events.deciding import Context, Wake
from libs.events.money import money_context
from libs.events.records import CommandEnvelope, decode_event, parse_decision
from libs.events.repayment import DebitRequested, InstallmentDue, OverdueBucketChanged, PenaltyCharged
from services.bidding.app import build as build_bidding
from services.repayment.app import build as build_repayment
from services.repayment.commands import OpenLoan, RecordDebit, RecordDebitFailure
from tools.bench.bare_close import Arrays
from tools.bench.book import DAYS, Book
from tools.bench.close import Closed, Day, bytes_of, growth_of, ratio_of, seconds_for
from tools.bench.day_log import DayStored

REPAYMENT, BIDDING = build_repayment("demo"), build_bidding("demo")
LOAN = REPAYMENT.aggregates[0]
NAMES = {
    "InstallmentDue": "dues",
    "DebitRequested": "retries",
    "PaymentMissed": "misses",
    "OverdueBucketChanged": "moves",
    "LoanClassified": "classes",
    "PenaltyCharged": "charges",
}


def book(loans: int = 1_000) -> Book:
    """A book under the demo's rules."""
    return Book(loans, REPAYMENT, BIDDING)


def closed_by_the_rules(state: Any, money: bool, day: Any) -> tuple[Any, list[Any]]:
    """A loan's day as the platform has it: asked, answered, judged."""
    said: list[Any] = []

    def say(command: Any) -> list[Any]:
        nonlocal state
        events = list(LOAN.decide(command, state, Context(DAY_AT, day, "")))
        for event in events:
            state = LOAN.evolve(state, event)
        said.extend(events)
        return events

    for phase in (2, 4):
        at = LOAN.wake_on(state)
        if at is None or at > (day, phase):
            continue
        for debit in say(Wake(business_date=day, phase=phase)):
            if isinstance(debit, InstallmentDue | DebitRequested):
                say(_answer(debit, money))
    return state, said


DAY_AT = decode(CommandEnvelope, next(book().of_repayment()).command).at


def _answer(debit: InstallmentDue | DebitRequested, money: bool) -> RecordDebit | RecordDebitFailure:
    if money:
        return RecordDebit(
            debit_id=debit.debit_id,
            account_id="acc_x",
            debited_fen=debit.debit_fen,
            value_date=debit.value_date,
        )
    return RecordDebitFailure(
        debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
    )


def test_numpy_counts_what_the_rules_say() -> None:
    """Over every kind of loan and all four days: dues, retries, misses, moves, classes, charges, and the penalty to the fen."""
    arrays, kinds = Arrays(book()), [kind for kind, _ in book().states]
    states: list[Any] = [state for _, state in book().states]
    with money_context():
        for day in DAYS:
            told: Counter[str] = Counter(dict.fromkeys((*NAMES.values(), "penalty_fen"), 0))
            for number, kind in enumerate(kinds):
                states[number], said = closed_by_the_rules(states[number], bool(kind.money_fen), day)
                for event in said:
                    if type(event).__name__ in NAMES:
                        told[NAMES[type(event).__name__]] += kind.per_mille
                    if isinstance(event, PenaltyCharged):
                        told["penalty_fen"] += kind.per_mille * event.penalty_fen
            assert arrays.close(day) == told, day


def test_the_days_of_the_book_meet_every_bucket_and_class() -> None:
    """What is measured is more than dues: on some day a loan goes into every bucket and every class."""
    buckets, classes = set(), set()
    with money_context():
        for kind, start in book().states:
            state: Any = start
            for day in DAYS:
                state, said = closed_by_the_rules(state, bool(kind.money_fen), day)
                buckets |= {each.to_bucket for each in said if isinstance(each, OverdueBucketChanged)}
                classes |= {each.to_class for each in said if type(each).__name__ == "LoanClassified"}
    assert buckets == {"M1", "M2", "M3", "M4", "M5", "M6", "M6+"}
    assert classes == {"special_mention", "substandard", "doubtful", "loss"}


def test_a_loan_of_the_book_is_read_as_any_other() -> None:
    """Its command is strict, its record folds to the state of its kind under its own names, and a second book is the same bytes."""
    entries = list(book().of_repayment())
    assert entries == list(book().of_repayment())
    assert len({entry.stream for entry in entries}) == len(entries) == 1_000
    for entry in entries[::37]:
        envelope = decode(CommandEnvelope, entry.command)
        command = decode_object(OpenLoan, envelope.data)
        assert command.loan_id == entry.stream == envelope.stream_id
        state: Any = LOAN.initial
        for number, stored in enumerate(parse_decision(entry.decision).events, 1):
            assert (stored.stream, stored.sequence) == (entry.stream, number)
            state = LOAN.evolve(state, decode_event(stored))
        assert state.loan_id == entry.stream
        assert (LOAN.wake_on(state) or (DAYS[0], 0))[0] >= DAYS[0] - timedelta(days=1)
    late = sum(
        parse_decision(entry.decision).events[-1].type != "repayment.LoanOpened.v1" for entry in entries
    )
    assert late == 50, "five in a hundred are overdue"


def test_a_book_has_whole_thousands() -> None:
    """Else its shares would not be those that are told."""
    with pytest.raises(ValueError, match="whole thousands"):
        book(1_500)


def closed(loans: int, seconds: float, cpu_s: float, *, differs: bool = False) -> Closed:
    """A measured book."""
    stored = DayStored(seconds, {"phase_4": seconds}, 1_000, 500_000, loans // 10, {"dues": 1})
    days = [Day(stored, cpu_s, 0.5, 0.5)] * 2
    return Closed(
        loans, empty_bytes=10**8, full_bytes=10**8 + 400 * loans, days=days, differences=["x"] * differs
    )


def test_a_close_that_numpy_counts_otherwise_does_not_hold() -> None:
    """However fast it was; and a book that is smaller than a million is called so."""
    good = ratio_of(closed(1_000_000, 4.0, 8.0))
    assert (good.median, good.holds, good.notes) == (4.0, True, ())
    small = ratio_of(closed(10_000, 4.0, 8.0, differs=True))
    assert not small.holds
    assert any("DIFFERS" in note for note in small.notes)
    assert any("of 10,000" in note for note in small.notes)
    assert not ratio_of(closed(1_000_000, 6.0, 8.0)).holds


def test_growth_is_the_worst_step_and_memory_that_of_the_largest_book() -> None:
    """Costs of 1, 1.1 and 1.32 ms a changed loan: the last step is the figure."""
    sizes = [closed(10_000, 1.0, 1.0), closed(100_000, 1.0, 11.0), closed(1_000_000, 1.0, 132.0)]
    grown = growth_of(sizes)
    assert grown.median == pytest.approx(1.2)
    assert not grown.holds
    alone = growth_of(sizes[:1])
    assert not alone.holds, "one size says nothing of growth"
    assert alone.as_json()["median"] is None
    held = bytes_of(sizes)
    assert (held.median, held.holds) == (400.0, True)


def test_what_a_larger_book_takes_is_told_by_the_step_between_two_smaller_ones() -> None:
    """Starting the stack, 40 s of each, is not taken ten times for a book of ten times the loans; a fifth is for what goes slower."""
    smaller, last = Closed(10_000, took_s=45.0), Closed(100_000, took_s=90.0)
    assert seconds_for(1_000_000, [smaller, last]) == pytest.approx(90 + 1.2 * 450)
    slow = Closed(10_000, took_s=95.0)
    assert seconds_for(1_000_000, [slow, last]) == pytest.approx(90 + 1.2 * 405), "never for nothing"
