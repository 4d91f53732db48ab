"""Whatever happens to a debtor, the limits hold: random days of several collectors, watched by somebody who counts for himself."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.collections import (
    PRIORITY_MAX,
    CaseClosed,
    CaseRanked,
    ContactLogged,
    ContactStarted,
    DebtorClaimed,
    DebtorReleased,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseReleased,
    PromiseReopened,
    QueueEntry,
)
from libs.events.deciding import Context, Wake
from services.collections.commands import (
    CloseCase,
    CorrectCasePayment,
    JudgeAgain,
    LogContact,
    MakePromise,
    Party,
    RecordCasePayment,
    ReleaseDebtor,
    Retaken,
)
from services.collections.domain.debtor import debtor_aggregate
from services.collections.domain.profile import profile_named
from tests.unit.collections.stories import CALL, CLAIM, MISS, moved
from tests.unit.given import Outcome, step

CHINA = debtor_aggregate(profile_named("cn-p2p-2016"))
COLLECTORS = ("stf_lee", "stf_kim", "stf_may")
LOANS = ("7", "7", "7", "8")
FIRST = date(2024, 3, 15)


@dataclass
class Watcher:
    """Keeps the limits and the queue from events alone."""

    holder: tuple[str, datetime] | None = None
    effective: dict[date, int] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    agreed: bool = False
    promises: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    queue: dict[str, QueueEntry] = field(default_factory=dict)

    def watch(self, outcome: Outcome, given_context: Context) -> None:
        """Check one decision."""
        for event in outcome.events:
            match event:
                case DebtorClaimed():
                    assert (
                        self.holder is None
                        or self.holder[1] <= given_context.at
                        or (self.holder[0] == event.collector)
                    )
                    self.holder = (event.collector, event.claimed_until)
                case DebtorReleased():
                    self.holder = None
                case ContactStarted():
                    self._began(event, given_context)
                case ContactLogged():
                    self._logged(event)
                case CaseRanked():
                    assert self.queue.get(event.case_id) == event.before != event.entry
                    assert 0 <= event.entry.priority <= PRIORITY_MAX
                    self.queue[event.case_id] = event.entry
                case CaseClosed():
                    assert self.queue.pop(event.case_id) == event.entry
                case PromiseMade():
                    self.promises[event.promise_id] = event.amount_fen
                case PromiseKept():
                    assert event.paid_fen >= self.promises.pop(event.promise_id)
                    self.kept[event.promise_id] = event.amount_fen
                case PromiseReopened():
                    assert event.paid_fen < event.amount_fen == self.kept.pop(event.promise_id)
                    self.promises[event.promise_id] = event.amount_fen
                case PromiseBroken() | PromiseReleased():
                    assert event.paid_fen < self.promises.pop(event.promise_id)
                case _:
                    pass
        assert [case.entry for case in getattr(outcome.state, "cases", ()) if case.kind == "open"] == [
            self.queue[case.case_id] for case in getattr(outcome.state, "cases", ()) if case.kind == "open"
        ]

    def _began(self, event: ContactStarted, given_context: Context) -> None:
        assert self.holder is not None
        assert self.holder[0] == event.collector
        assert self.holder[1] > given_context.at
        if event.direction == "inbound":
            return
        local = event.started_at + timedelta(hours=8)
        assert event.local_day == local.date()
        assert 8 <= local.hour < 22
        assert event.party_id not in self.stopped

    def _logged(self, event: ContactLogged) -> None:
        if event.outcome in ("refuses", "wrong_number") and event.party_id is not None:
            self.stopped.add(event.party_id)
        if event.channel == "call" and event.direction == "outbound" and event.effective:
            calls = self.effective.get(event.local_day, 0) + 1
            assert calls <= 3, "a fourth effective call on one local day"
            self.effective[event.local_day] = calls


def random_command(
    order: Random, number: int, now: datetime, open_contacts: list[tuple[str, str]], watcher: Watcher
) -> Any:
    """Anything that people, repayment or the day may ask next, sensible or not."""
    loan, collector = order.choice(LOANS), order.choices(COLLECTORS, (8, 1, 1))[0]
    loan_id, case_id = f"loan_{loan}", f"case_{loan}"
    contact_id, caller = open_contacts[-1] if order.random() < 0.9 else order.choice(open_contacts)
    if watcher.holder is not None and order.random() < 0.8:
        collector = watcher.holder[0]
    day = now.date()
    match order.choices(range(9), (3, 1, 3, 6, 12, 12, 8, 1, 2))[0]:
        case 0:
            return replace(MISS, loan_id=loan_id, number=number, due_on=day, dpd=order.randrange(1, 160))
        case 1:
            bucket = order.choice(("M1", "M1", "M2", "M4", "current"))
            return replace(moved(bucket, order.randrange(200), order.randrange(10**7), day), loan_id=loan_id)
        case 2:
            return RecordCasePayment(
                loan_id=loan_id,
                payment_id=f"pay_{number}",
                amount_fen=order.randrange(1, 300_00),
                value_date=day + timedelta(days=order.randrange(-1, 2)),
                as_of=day,
                overdue_fen=order.randrange(500_00),
            )
        case 3:
            return replace(CLAIM, case_id=case_id, collector=collector)
        case 4:
            party: Party = order.choice(("debtor", "debtor", "other"))
            return replace(
                CALL,
                contact_id=f"con_{number}",
                case_id=case_id,
                collector=collector,
                channel=order.choice(("call", "call", "sms", "visit")),
                direction=order.choice(("outbound", "outbound", "inbound")),
                party=party,
                party_id=None if party == "debtor" else order.choice(("pty_1", "pty_2")),
            )
        case 5:
            return LogContact(
                contact_id=contact_id,
                collector=caller,
                outcome=order.choice(("reached", "promise", "no_answer", "no_answer", "refuses")),
                delay_reason=None,
                script=None,
                evidence=None,
                next_on=order.choice((None, day + timedelta(days=3))),
                call_back_minute=None,
                agreed_hours=None,
            )
        case 6:
            return MakePromise(
                promise_id=f"prm_{number}",
                case_id=case_id,
                contact_id=contact_id,
                collector=collector,
                amount_fen=order.randrange(1, 200_00),
                promised_on=day + timedelta(days=order.randrange(3)),
            )
        case 8:
            payment_id = f"pay_{order.randrange(number)}"
            if order.random() < 0.5:
                return JudgeAgain(loan_id=loan_id, retaken=(Retaken(payment_id=payment_id, amount_fen=1),))
            redated = day + timedelta(days=order.randrange(-2, 3))
            amount_fen = order.choice((0, None))
            return CorrectCasePayment(
                loan_id=loan_id, payment_id=payment_id, amount_fen=amount_fen, value_date=redated
            )
        case _:
            if order.random() < 0.8:
                return ReleaseDebtor(released_by=collector, supervisor=False)
            return CloseCase(loan_id=loan_id, repaid_on=day)


@settings(max_examples=15)
@given(st.integers(0, 10**9))
def test_the_limits_hold_and_the_queue_is_what_the_events_say(seed: int) -> None:
    """Three effective calls a local day over all collectors, the hours, refused parties, one holder, every promise ended once."""
    order, watcher = Random(seed), Watcher()
    state, now = CHINA.initial, datetime(2024, 3, 15, 1, tzinfo=UTC)
    day, open_contacts = FIRST, [("con_0", "stf_lee")]
    opened = step(CHINA, state, MISS, Context(at=now, business_date=day, principal=""))
    watcher.watch(opened, Context(at=now, business_date=day, principal=""))
    state = opened.state
    for number in range(1, 160):
        now += timedelta(minutes=order.choices((1, 2, 5, 20, 500), (12, 12, 12, 3, 1))[0])
        while day < now.date():
            outcome = _woken(state, day, now)
            watcher.watch(outcome, Context(at=now, business_date=day, principal=""))
            state, day = outcome.state, day + timedelta(days=1)
        command = random_command(order, number, now, open_contacts, watcher)
        given_context = Context(at=now, business_date=day, principal="")
        outcome = step(CHINA, state, command, given_context)
        watcher.watch(outcome, given_context)
        open_contacts += [
            (event.contact_id, event.collector)
            for event in outcome.events
            if isinstance(event, ContactStarted)
        ]
        state = outcome.state


def _woken(state: Any, day: date, now: datetime) -> Outcome:
    """The close of a day, if the debtor has asked for it."""
    due = CHINA.wake_on(state)
    if due is None or due > (day, 5):
        return Outcome((), None, state)
    return step(
        CHINA, state, Wake(business_date=day, phase=5), Context(at=now, business_date=day, principal="")
    )
