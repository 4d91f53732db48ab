"""The debtor Bo, his loan 7 and the collector Lee: commands and histories that the specs of collections share."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from libs.events.collections import CaseOpened, CaseRanked, QueueEntry
from libs.events.deciding import Context
from services.collections.commands import (
    AssignCase,
    ClaimCase,
    Desk,
    LogContact,
    MakePromise,
    RecordBucket,
    RecordCasePayment,
    RecordMiss,
    ReleaseDebtor,
    StartContact,
)
from services.collections.domain.debtor import debtor_aggregate
from services.collections.domain.profile import profile_named
from tests.unit.given import AT, TODAY, Given, fold, step

BORROWER, DEBTOR, LOAN, CASE = "usr_bo", "dbt_bo", "loan_7", "case_7"
LEE, KIM, CHIEF = "stf_lee", "stf_kim", "stf_chief"
DUE = date(2024, 3, 14)
OWED = 340_02

AGGREGATE = debtor_aggregate(profile_named("demo"))
RULES = profile_named("demo").on(TODAY)
DESK = Desk(stages=("early", "mid", "late"), regions=(), skills=("phone", "negotiation", "legal"))

MISS = RecordMiss(
    loan_id=LOAN,
    borrower=BORROWER,
    number=1,
    due_on=DUE,
    open_fen=OWED,
    dpd=1,
    region="CN-31",
    product="micro",
)
CLAIM = ClaimCase(case_id=CASE, collector=LEE, desk=DESK)
CALL = StartContact(
    contact_id="con_1",
    case_id=CASE,
    collector=LEE,
    channel="call",
    direction="outbound",
    party="debtor",
    party_id=None,
)
REACHED = LogContact(
    contact_id="con_1",
    collector=LEE,
    outcome="reached",
    delay_reason="forgot",
    script="early-2",
    evidence="rec_1",
    next_on=None,
    call_back_minute=None,
    agreed_hours=None,
)
PROMISED = replace(REACHED, outcome="promise")
PROMISE = MakePromise(
    promise_id="prm_1",
    case_id=CASE,
    contact_id="con_1",
    collector=LEE,
    amount_fen=300_00,
    promised_on=date(2024, 3, 20),
)
RELEASE = ReleaseDebtor(released_by=LEE, supervisor=False)
ASSIGN = AssignCase(case_id=CASE, collector=KIM, assigned_by=CHIEF)


def at(minutes: int, day: date = TODAY) -> Context:
    """The command's time, so many minutes after 10:30 UTC of the story's day, on a business date."""
    return Context(at=AT + timedelta(minutes=minutes), business_date=day, principal="")


def clock(day: int, hour: int, minute: int = 0) -> Context:
    """A time of March 2024 (UTC), its day being the business date too."""
    return Context(
        at=datetime(2024, 3, day, hour, minute, tzinfo=UTC), business_date=date(2024, 3, day), principal=""
    )


def pays(
    payment_id: str, amount_fen: int, value_date: date, overdue_fen: int, as_of: date | None = None
) -> RecordCasePayment:
    """A payment on loan 7."""
    return RecordCasePayment(
        loan_id=LOAN,
        payment_id=payment_id,
        amount_fen=amount_fen,
        value_date=value_date,
        as_of=as_of or value_date,
        overdue_fen=overdue_fen,
    )


def moved(bucket: str, dpd: int, overdue_fen: int, on: date = TODAY) -> RecordBucket:
    """Loan 7 in another bucket."""
    return RecordBucket(loan_id=LOAN, bucket=bucket, dpd=dpd, overdue_fen=overdue_fen, changed_on=on)


def history(*steps: Any) -> tuple[Any, ...]:
    """The debtor's events after these commands, each on its own or with its context; each must be accepted."""
    state, events = AGGREGATE.initial, ()
    for one in steps:
        command, given_context = one if isinstance(one, tuple) else (one, at(0))
        outcome = step(AGGREGATE, state, command, given_context)
        assert outcome.refused is None, f"{command} was refused: {outcome.refused}"
        state, events = outcome.state, (*events, *outcome.events)
    return events


def debtor(*steps: Any) -> Given:
    """The debtor after these commands."""
    return Given(AGGREGATE, fold(AGGREGATE, history(*steps)))


def entry(**changes: Any) -> QueueEntry:
    """Case 7 in the queue on the evening it opened, with changes.

    10,000 points of the early stage, 3 of 340.02 yuan, 100 of one day, and a million because it is due.
    """
    first = QueueEntry(
        loan_id=LOAN,
        stage="early",
        bucket="M1",
        region="CN-31",
        product="micro",
        overdue_fen=OWED,
        dpd=1,
        broken_promises=0,
        priority=1_010_103,
        due=True,
        next_on=None,
        call_back_minute=None,
        assigned_to=None,
        claimed_by=None,
        claimed_until=None,
    )
    return replace(first, **changes)


OPENED = CaseOpened(
    debtor_id=DEBTOR,
    borrower=BORROWER,
    case_id=CASE,
    loan_id=LOAN,
    opening=1,
    opened_on=TODAY,
    number=1,
    due_on=DUE,
    overdue_fen=OWED,
    dpd=1,
    bucket="M1",
    stage="early",
    region="CN-31",
    product="micro",
)


def ranked(before: QueueEntry | None, after: QueueEntry) -> CaseRanked:
    """Case 7 has another place in the queue."""
    return CaseRanked(debtor_id=DEBTOR, case_id=CASE, before=before, entry=after)
