"""The judge of the faults is judged: a lost, doubled, changed, unasked or missing answer is found, and nothing else is."""

from collections.abc import Callable

import pytest

from tests.unit.tools.faults_log import START, Written, deposited, opened, refused, repeated
from tools.faults.history import Attempt, Kind, Wish
from tools.faults.log_copy import At
from tools.faults.verdict import Findings, compare, compare_view


def judged(written: Written) -> Findings:
    """The verdict on all of it."""
    return compare(written.history, written.log, START)


def withdrawal() -> Wish:
    """Somebody wants his money."""
    return Wish(Kind.WITHDRAW, "usr_a", "/bidding/accounts/acc_a/withdrawals", b"{}", "acc_a", 50, key="w")


def test_a_history_that_agrees_with_the_log_is_good() -> None:
    """Answers, a refusal, a retry that the log repeats, and an answer that came late: nothing is blamed."""
    written = Written()
    opening = written.opens()
    written.deposits(100)
    written.refuses("withdraw", "insufficient_available", withdrawal())
    first = [
        {"type": "bidding.AccountOpened.v1", "stream": "acc_a", "sequence": 1, "data": opened("a")["data"]}
    ]
    at, _ = written.record("open-a", [repeated(first)])
    opening.attempts.insert(0, Attempt(0.0, 0.5, None, trouble="ReadTimeout"))
    written.asked(opening, at, 201, {"id": "acc_a"})
    found = judged(written)
    assert found.sentences == []
    assert (found.ok, found.fail, found.was_unknown, found.asked_again) == (2, 1, 1, 1)
    assert written.log.violations == []


def _told_of_what_is_not_there(written: Written) -> None:
    written.asked(
        withdrawal(), At("bidding", 0, 99), 201, {"id": "wdr_1", "account_id": "acc_a", "amount_fen": 50}
    )


def _told_ok_of_a_refusal(written: Written) -> None:
    at, _ = written.record("withdraw", [refused("insufficient_available")])
    written.asked(withdrawal(), at, 201, {"id": "wdr_1", "account_id": "acc_a", "amount_fen": 50})


def _told_another_refusal(written: Written) -> None:
    at, _ = written.record("withdraw", [refused("insufficient_available")])
    written.asked(withdrawal(), at, 409, {"type": "urn:loanstream:problem:unknown_account"})


def _took_effect_twice(written: Written) -> None:
    written.record("deposit-a-100", [deposited("a", 100)])


def _refused_and_took_effect(written: Written) -> None:
    wish = Wish(Kind.DEPOSIT, "", "/bidding/bank/top-ups/x", b"{}", "acc_a", 7)
    written.refuses("late", "unknown_top_up", wish)
    written.record("late", [deposited("a", 7)])


def _answered_differently_again(written: Written) -> None:
    opening = written.history.wishes[0]
    opening.attempts.append(Attempt(0.0, 1.0, 201, b'{"id":"acc_b"}', opening.attempts[0].at))


def _told_another_amount(written: Written) -> None:
    written.deposits(30, told_fen=31)


def _nobody_asked(written: Written) -> None:
    written.record("nobody", [opened("z")])


def _never_answered(written: Written) -> None:
    wish = written.history.add(withdrawal())
    wish.attempts.append(Attempt(0.0, 6.0, 202))


@pytest.mark.parametrize(
    ("spoil", "sort"),
    [
        (_told_of_what_is_not_there, "lost"),
        (_told_ok_of_a_refusal, "lost"),
        (_told_another_refusal, "lost"),
        (_took_effect_twice, "doubled"),
        (_refused_and_took_effect, "doubled"),
        (_answered_differently_again, "changed"),
        (_told_another_amount, "changed"),
        (_nobody_asked, "unasked"),
        (_never_answered, "unanswered"),
    ],
)
def test_what_is_wrong_is_found_and_named(spoil: Callable[[Written], None], sort: str) -> None:
    """One thing is spoilt in a history that was good, and the verdict names its sort."""
    written = Written()
    written.opens()
    written.deposits(100)
    assert judged(written).good
    spoil(written)
    found = judged(written)
    assert not found.good
    assert getattr(found, sort) >= 1
    assert any(sentence.startswith(f"{sort}: ") for sentence in found.sentences)


def test_money_that_its_owner_was_not_told_of_is_found() -> None:
    """The log holds a deposit of which the caller's arithmetic knows nothing."""
    written = Written()
    written.opens()
    written.record("open-b", [deposited("a", 5)])
    found = judged(written)
    assert (found.misjudged, found.unasked) == (1, 1)


def test_a_view_that_differs_from_the_log_is_found() -> None:
    """A balance that is shown differently, and one that is not shown at all."""
    written = Written()
    written.opens()
    written.deposits(100)
    right = {"id": "acc_a", "available_fen": 100, "held_fen": 0}
    assert compare_view(written.history, written.log, [right]) == []
    assert len(compare_view(written.history, written.log, [right | {"available_fen": 99}])) == 1
    assert len(compare_view(written.history, written.log, [])) == 2


def test_what_is_written_in_vain_is_counted_and_changes_nothing() -> None:
    """A record that a zombie writes again is a repeat, one that does not fit is foreign; the verdict stays good."""
    written = Written()
    written.opens()
    _, raw = written.record("x", [refused("unknown_account")])
    written.written_again(raw)
    fork = type(raw)(raw.offset, raw.key, raw.value, {**raw.headers, "position": b"2"}, 10**6)
    written.position += 1
    written.log.take("bidding", 0, "commands", type(raw)(2, b"k", b"{}", {}, 10**6))
    written.written_again(fork)
    assert (len(written.log.repeats), len(written.log.foreign)) == (1, 1)
    assert judged(written).good
