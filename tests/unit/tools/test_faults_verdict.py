"""The judge of the faults is judged: a lost, doubled, changed, unasked or missing answer is found, and nothing else is."""

from collections.abc import Callable

import pytest

from tests.unit.tools.faults_log import (  # fmt: skip
    START,
    Written,
    asked_out,
    declined,
    deposited,
    opened,
    refused,
    released,
    repeated,
)
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
    assert (found.ok, found.refused, found.was_unknown, found.asked_again) == (2, 1, 1, 1)
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


def _asked_for_another_amount(written: Written) -> None:
    wish = written.deposits(30)
    wish.amount_fen = 31


def _opened_somebody_elses_account(written: Written) -> None:
    written.opens("c").account = "acc_d"


def _bid_on_another_listing(written: Written) -> None:
    written.bids(10, 90).body = b'{"listing_id":"lst_2","amount_fen":10}'


def _confirmed_another_top_up(written: Written) -> None:
    written.deposits(30).path = "/bidding/bank/top-ups/acc_a/top_2"


def _a_key_was_used_for_two_bodies(written: Written) -> None:
    at, _ = written.record("misuse", [opened("m")])
    wish = written.asked(withdrawal(), at, 201, {"id": "acc_m"})
    wish.misuses = written.history.wishes[0]


def _ok_from_nowhere(written: Written) -> None:
    wish = written.history.wishes[0]
    wish.attempts.append(Attempt(0.0, 1.0, 201, wish.attempts[0].body))


def _turned_away_at_the_door(written: Written) -> None:
    written.asked(withdrawal(), None, 403, {"type": "urn:loanstream:problem:forbidden"})


def _repeats_another_first_answer(written: Written) -> None:
    other = {"type": "bidding.AccountOpened.v1", "stream": "acc_a", "sequence": 1, "data": {}}
    written.record("open-a", [repeated([other])])


def _two_wishes_are_one_command(written: Written) -> None:
    first = written.history.wishes[0]
    second = Wish(first.kind, first.who, first.path, first.body, first.account, key="k2")
    written.asked(second, first.attempts[0].at, 201, {"id": "acc_a"})


def _one_wish_is_two_commands(written: Written) -> None:
    at, _ = written.record("open-again", [refused("account_exists")])
    first = written.history.wishes[0]
    first.attempts.append(Attempt(0.0, 1.0, 201, first.attempts[0].body, at))


def _answered_in_other_bytes(written: Written) -> None:
    first = written.history.wishes[0]
    first.attempts.append(Attempt(0.0, 1.0, 201, b'{ "id":"acc_a"}', first.attempts[0].at))


def _bid_was_given_back_by_nobody(written: Written) -> None:
    written.bids(10, 90)
    written.record("release", [released("a", 10)])


def _declined_bid_was_not_given_back(written: Written) -> None:
    written.bids(10, 90)
    written.record("decline", [declined("a", 10)])


def _declined_bid_was_given_back_in_part(written: Written) -> None:
    written.bids(10, 90)
    written.record("decline", [declined("a", 10)])
    written.record("release", [released("a", 10, booked_fen=9)])


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
        (_asked_for_another_amount, "changed"),
        (_opened_somebody_elses_account, "changed"),
        (_bid_on_another_listing, "changed"),
        (_confirmed_another_top_up, "changed"),
        (_a_key_was_used_for_two_bodies, "changed"),
        (_ok_from_nowhere, "changed"),
        (_turned_away_at_the_door, "turned_away"),
        (_repeats_another_first_answer, "changed"),
        (_two_wishes_are_one_command, "changed"),
        (_one_wish_is_two_commands, "changed"),
        (_answered_in_other_bytes, "changed"),
        (_bid_was_given_back_by_nobody, "misjudged"),
        (_declined_bid_was_not_given_back, "misjudged"),
        (_declined_bid_was_given_back_in_part, "misjudged"),
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


def test_bids_withdrawals_and_what_is_given_back_belong_to_ones_own_arithmetic() -> None:
    """100 paid in, 10 bid and 50 asked out leave 40; the listing declines the bid, and with its release it is 50."""
    written = Written()
    written.opens()
    written.deposits(100)
    written.bids(10, 90)
    at, _ = written.record("withdraw", [asked_out("a", 50)])
    written.asked(withdrawal(), at, 201, {"id": "wdr_1", "account_id": "acc_a", "amount_fen": 50})
    assert written.log.balances["available:acc_a"] == 40
    assert judged(written).misjudged == 0
    written.record("decline", [declined("a", 10)])
    written.record("release", [released("a", 10)])
    assert written.log.balances["available:acc_a"] == 50
    assert judged(written).misjudged == 0


def test_what_the_auditor_finds_and_what_he_stumbles_over_is_a_violation() -> None:
    """A decision that does not balance; one that lacks what every such event has; and money held for nothing at rest."""
    written = Written()
    written.opens()
    assert written.log.violations == []
    unbalanced = deposited("a", 5)
    unbalanced["data"]["postings"].pop()
    written.record("unbalanced", [unbalanced])
    assert len(written.log.violations) == 1
    lacking = deposited("a", 6)
    del lacking["data"]["top_up_id"]
    written.record("lacking", [lacking])
    assert "KeyError" in written.log.violations[-1]
    held_out = Written()
    held_out.opens()
    held_out.deposits(100)
    assert held_out.log.at_rest() == []
    held_out.record("withdraw", [asked_out("a", 50)])
    assert "held for nothing" in held_out.log.at_rest()[0]


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
