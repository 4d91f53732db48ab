"""Contacts through the gate, their record, and promises kept or broken by payments."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.collections import (
    AgreedHours,
    ContactLogged,
    ContactStarted,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseReleased,
)
from libs.events.deciding import Wake
from services.collections.commands import LogContact, MakePromise, StartContact
from tests.unit.collections.stories import (
    AGGREGATE,
    CALL,
    CASE,
    CLAIM,
    DEBTOR,
    DESK,
    KIM,
    LEE,
    LOAN,
    MISS,
    OWED,
    PROMISE,
    PROMISED,
    REACHED,
    at,
    clock,
    debtor,
    entry,
    moved,
    pays,
    ranked,
)
from tests.unit.given import AT, TODAY

CLAIMED = entry(claimed_by=LEE, claimed_until=at(30).at)
STARTED = ContactStarted(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    contact_id="con_1",
    number=1,
    collector=LEE,
    channel="call",
    direction="outbound",
    party="debtor",
    party_id=None,
    started_at=AT,
    local_day=TODAY,
)
LOGGED = ContactLogged(
    debtor_id=DEBTOR,
    case_id=CASE,
    loan_id=LOAN,
    contact_id="con_1",
    number=1,
    collector=LEE,
    channel="call",
    direction="outbound",
    party="debtor",
    party_id=None,
    started_at=AT,
    ended_at=at(4).at,
    local_day=TODAY,
    outcome="reached",
    effective=True,
    stop_party=None,
    delay_reason="forgot",
    script="early-2",
    evidence="rec_1",
    next_on=date(2024, 3, 17),
    call_back_minute=None,
    agreed_hours=None,
)
RESTING = replace(CLAIMED, due=False, next_on=date(2024, 3, 17), priority=10_103)
OF_PROMISE: dict[str, Any] = {
    "debtor_id": DEBTOR,
    "case_id": CASE,
    "loan_id": LOAN,
    "promise_id": "prm_1",
    "collector": LEE,
    "amount_fen": 300_00,
}
PROMISE_DAY = date(2024, 3, 20)
TALKED = (MISS, CLAIM, CALL, PROMISED)


def call(number: int) -> StartContact:
    """The debtor's n-th call."""
    return replace(CALL, contact_id=f"con_{number}")


def log(number: int, **changes: Any) -> LogContact:
    """What came of it."""
    return replace(REACHED, contact_id=f"con_{number}", **changes)


def missed(number: int) -> LogContact:
    """Nobody answered."""
    return log(number, outcome="no_answer")


def test_a_contact_begins_under_a_lease() -> None:
    """The gate has let it pass; the local day is the debtor's."""
    debtor(MISS, CLAIM).when(CALL).then(STARTED)


def test_nobody_contacts_a_debtor_whom_he_has_not_claimed() -> None:
    """Neither without a lease, nor after it, nor under another's."""
    debtor(MISS).when(CALL).then_refused("not_claimed")
    debtor(MISS, CLAIM).when(CALL, at(30)).then_refused("not_claimed")
    debtor(MISS, CLAIM).when(replace(CALL, collector=KIM)).then_refused("not_claimed")


@pytest.mark.parametrize("command", [CALL, PROMISE], ids=["contact", "promise"])
def test_a_case_beyond_the_desk_exists_for_its_holder_only(command: StartContact | MakePromise) -> None:
    """Who has not claimed learns that he must where his desk covers the case, and nothing where it does not."""
    near, far = replace(command, desk=DESK), replace(command, desk=replace(DESK, regions=("CN-11",)))
    debtor(MISS).when(near).then_refused("not_claimed")
    debtor(MISS).when(far).then_refused("unknown_case")
    debtor(MISS, CLAIM).when(replace(far, collector=KIM)).then_refused("unknown_case")
    held = (MISS, CLAIM) if command is CALL else TALKED
    assert debtor(*held).when(far).events


def test_a_logged_contact_sets_the_next_step_by_the_stages_rhythm() -> None:
    """Two days in the early stage; until then the case rests below everything that is due."""
    debtor(MISS, CLAIM, CALL).when(REACHED, at(4)).then(LOGGED, ranked(CLAIMED, RESTING))


def test_a_contact_is_logged_once_by_who_began_it_even_after_his_lease() -> None:
    """The record must be complete; another's or an unknown contact is none."""
    begun = debtor(MISS, CLAIM, CALL)
    assert begun.when(REACHED, at(90)).events
    begun.when(replace(REACHED, collector=KIM)).then_refused("unknown_contact")
    begun.when(log(2)).then_refused("unknown_contact")
    debtor(MISS, CLAIM, CALL, REACHED).when(REACHED, at(5)).then_nothing()
    begun.when(call(2)).then_refused("contact_open")


def test_three_effective_calls_a_day_over_all_collectors() -> None:
    """Unanswered ones do not count, the debtor's own calls do not either; the next local day begins anew."""
    day = (MISS, CLAIM, call(1), log(1), call(2), missed(2), call(3), log(3))
    after_two = (*day, replace(call(4), direction="inbound"), log(4))
    other = (replace(CLAIM, collector=KIM), at(40))
    third = ((replace(call(5), collector=KIM), at(41)), (replace(log(5), collector=KIM), at(42)))
    debtor(*after_two, other, *third).when(replace(call(6), collector=KIM), at(43)).then_refused("call_limit")
    tomorrow = (replace(CLAIM, collector=KIM), clock(16, 9))
    following = debtor(*after_two, other, *third, tomorrow)
    assert following.when(replace(call(6), collector=KIM), clock(16, 9)).events


def test_a_call_that_is_not_logged_counts_as_effective() -> None:
    """Else a collector who is slow to write would let the next one call a fourth time."""
    two = (MISS, CLAIM, call(1), log(1), call(2), log(2), call(3))
    debtor(*two, (replace(CLAIM, collector=KIM), at(40))).when(
        replace(call(4), collector=KIM), at(41)
    ).then_refused("call_limit")


@pytest.mark.parametrize(
    ("hour", "minute", "code"),
    [(7, 59, "contact_hours"), (8, 0, None), (21, 59, None), (22, 0, "contact_hours")],
)
def test_no_contact_from_ten_in_the_evening_to_eight(hour: int, minute: int, code: str | None) -> None:
    """By the debtor's clock."""
    night = clock(16, hour, minute)
    outcome = debtor(MISS, (CLAIM, night)).when(CALL, night)
    assert outcome.refused == code


def test_the_debtor_can_agree_to_other_hours_for_himself() -> None:
    """Once he has said so in a call, six in the morning is allowed; nobody agrees for him."""
    hours = AgreedHours(from_minute=360, to_minute=420)
    agreed = (MISS, CLAIM, CALL, log(1, agreed_hours=hours), (CLAIM, clock(16, 6)))
    assert debtor(*agreed).when(call(2), clock(16, 6)).events
    at_seven = (CLAIM, clock(16, 7))
    debtor(*agreed, at_seven).when(call(2), clock(16, 7)).then_refused("contact_hours")
    begun = debtor(MISS, CLAIM, CALL)
    begun.when(log(1, outcome="no_answer", agreed_hours=hours)).then_refused("invalid_hours")
    begun.when(log(1, agreed_hours=AgreedHours(from_minute=420, to_minute=360))).then_refused("invalid_hours")


def test_a_third_party_is_asked_only_while_the_debtor_cannot_be_reached_and_never_after_refusing() -> None:
    """Three attempts in vain first, and that he rings up is none; a refusal or a wrong number closes that person for ever, not the
    others."""
    third = replace(call(4), party="other", party_id="pty_1")
    debtor(MISS, CLAIM).when(third).then_refused("debtor_reachable")
    twice = (MISS, CLAIM, call(1), missed(1), call(2), missed(2))
    debtor(*twice).when(third).then_refused("debtor_reachable")
    rang_up = (replace(call(3), direction="inbound"), missed(3))
    debtor(*twice, *rang_up).when(third).then_refused("debtor_reachable")
    in_vain = (*twice, call(3), missed(3))
    for outcome in ("refuses", "wrong_number"):
        ended = debtor(*in_vain, third).when(log(4, outcome=outcome))
        assert ended.events[0].stop_party == "pty_1"
        stopped = debtor(*in_vain, third, log(4, outcome=outcome))
        stopped.when(replace(third, contact_id="con_5")).then_refused("party_refused")
        assert stopped.when(replace(third, contact_id="con_5", party_id="pty_2")).events
    reached = debtor(*in_vain, call(4), log(4))
    reached.when(replace(third, contact_id="con_5")).then_refused("debtor_reachable")


def test_only_a_third_party_has_an_id_and_only_the_debtor_promises() -> None:
    """The debtor is the stream's."""
    begun = debtor(MISS, CLAIM)
    begun.when(replace(CALL, party_id="pty_1")).then_refused("invalid_party")
    begun.when(replace(CALL, party="other")).then_refused("invalid_party")
    calls = replace(CALL, party="other", party_id="pty_1", direction="inbound")
    debtor(MISS, CLAIM, calls).when(PROMISED).then_refused("invalid_outcome")


def test_a_call_back_goes_before_everything_on_its_day() -> None:
    """On the eve's close it rises to the top; among call-backs the earlier minute is higher."""
    later = log(1, next_on=date(2024, 3, 18), call_back_minute=900)
    waiting = debtor(MISS, CLAIM, CALL, later)
    assert AGGREGATE.wake_on(waiting.state) == (date(2024, 3, 17), 5)
    shown: dict[str, Any] = {"next_on": date(2024, 3, 18), "call_back_minute": 900}
    waiting.when(Wake(business_date=date(2024, 3, 17), phase=5)).then(
        ranked(
            replace(CLAIMED, due=False, priority=10_103, **shown),
            replace(CLAIMED, priority=2_000_540, **shown),
        )
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"next_on": date(2024, 3, 14)},
        {"call_back_minute": 900},
        {"next_on": date(2024, 3, 18), "call_back_minute": 420},
        {"next_on": date(2024, 3, 18), "call_back_minute": 1440},
    ],
)
def test_a_next_step_lies_ahead_and_in_the_hours(changes: dict[str, Any]) -> None:
    """Nobody is promised a call at night, or yesterday."""
    debtor(MISS, CLAIM, CALL).when(log(1, **changes)).then_refused("invalid_next_step")


def test_what_rests_becomes_due_on_the_eve_of_its_next_step() -> None:
    """No event brings it: the debtor asked to be woken, once."""
    resting = debtor(MISS, CLAIM, CALL, REACHED)
    assert AGGREGATE.wake_on(resting.state) == (date(2024, 3, 16), 5)
    woken = resting.when(Wake(business_date=date(2024, 3, 16), phase=5))
    woken.then(ranked(RESTING, replace(RESTING, due=True, priority=1_010_103)))
    assert AGGREGATE.wake_on(woken.state) is None


# --- promises ------------------------------------------------------------------------------------------------------


def test_a_promise_rests_the_case_until_its_day_is_over() -> None:
    """There is nothing to ask for meanwhile."""
    made = PromiseMade(**OF_PROMISE, contact_id="con_1", promised_on=PROMISE_DAY, made_on=TODAY)
    debtor(*TALKED).when(PROMISE).then(made, ranked(RESTING, replace(RESTING, next_on=date(2024, 3, 21))))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"contact_id": "con_9"}, "unknown_contact"),
        ({"amount_fen": OWED + 1}, "invalid_amount"),
        ({"promised_on": date(2024, 3, 14)}, "invalid_date"),
        ({"promised_on": date(2024, 3, 30)}, "invalid_date"),
        ({"case_id": "case_8"}, "unknown_case"),
        ({"collector": KIM}, "not_claimed"),
    ],
)
def test_a_promise_is_what_the_debtor_said(changes: dict[str, Any], code: str) -> None:
    """In the last contact, of no more than is overdue, for one of the next fourteen days."""
    debtor(*TALKED).when(replace(PROMISE, **changes)).then_refused(code)
    for day in (TODAY, date(2024, 3, 29)):
        assert debtor(*TALKED).when(replace(PROMISE, promised_on=day)).refused is None


def test_a_contact_without_a_promise_proves_none_and_a_case_has_one_at_a_time() -> None:
    """Two promises would be judged by the same payments."""
    debtor(MISS, CLAIM, CALL, REACHED).when(PROMISE).then_refused("unknown_contact")
    debtor(*TALKED, PROMISE).when(replace(PROMISE, promise_id="prm_2")).then_refused("promise_open")


def test_payments_up_to_its_date_keep_a_promise() -> None:
    """Judged at each payment: the second one reaches the amount. The one of before the promise was no answer to it."""
    first = pays("pay_0", 10_02, TODAY, 330_00)
    promised = (*TALKED, first, PROMISE, pays("pay_1", 100_00, date(2024, 3, 18), 230_00))
    kept = debtor(*promised).when(pays("pay_2", 200_00, PROMISE_DAY, 30_00), at(0, PROMISE_DAY))
    assert kept.events[1] == PromiseKept(**OF_PROMISE, paid_fen=300_00, kept_on=PROMISE_DAY)
    assert kept.events[2].entry.due is True


def test_a_payment_after_its_date_does_not_keep_a_promise() -> None:
    """Its value date counts, not when it is recorded."""
    late = pays("pay_1", 300_00, date(2024, 3, 21), 40_02)
    outcome = debtor(*TALKED, PROMISE).when(late)
    assert [type(event).__name__ for event in outcome.events] == ["CasePaymentRecorded", "CaseRanked"]
    assert outcome.state.cases[0].promise.paid_fen == 0


def test_an_unkept_promise_is_broken_in_the_last_phase_of_its_date() -> None:
    """It weighs 5,000 points, and the case is due again."""
    promised = debtor(*TALKED, PROMISE, pays("pay_1", 299_99, PROMISE_DAY, 40_03))
    assert AGGREGATE.wake_on(promised.state) == (PROMISE_DAY, 5)
    outcome = promised.when(Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY))
    assert outcome.events[0] == PromiseBroken(
        **OF_PROMISE, paid_fen=299_99, promised_on=PROMISE_DAY, broken_promises=1
    )
    assert outcome.events[1].entry == replace(
        CLAIMED, overdue_fen=40_03, broken_promises=1, priority=1_015_100
    )


def test_a_case_that_closes_releases_its_promise() -> None:
    """Neither kept nor broken: there is nothing left to promise."""
    outcome = debtor(*TALKED, PROMISE).when(moved("current", 0, 0))
    assert outcome.events[0] == PromiseReleased(**OF_PROMISE, paid_fen=0)
    assert [type(event).__name__ for event in outcome.events[1:]] == ["CaseClosed"]


def test_a_broken_promise_is_remembered_when_the_case_opens_again() -> None:
    """The queue goes on counting it."""
    broken = (*TALKED, PROMISE, (Wake(business_date=PROMISE_DAY, phase=5), at(0, PROMISE_DAY)))
    again = replace(MISS, number=2, due_on=date(2024, 4, 14))
    opened = debtor(*broken, moved("current", 0, 0)).when(again)
    assert opened.events[-1].entry.broken_promises == 1
