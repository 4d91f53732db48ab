"""Commands of `collections` and the streams they go to. People's come from the API, the others from its policies."""

import re
from datetime import date
from typing import Literal

from libs.events.codec import command, record
from libs.events.collections import AgreedHours
from libs.events.flags import FlagKind
from libs.events.measures import Months
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference
from libs.events.plans import PlanKind

Channel = Literal["call", "sms", "visit", "letter"]
Direction = Literal["outbound", "inbound"]
Party = Literal["debtor", "guarantor", "other"]
Outcome = Literal["reached", "no_answer", "wrong_number", "refuses", "disputes", "hardship", "promise"]
DelayReason = Literal[
    "income_lost",
    "business_down",
    "dispute",
    "illness",
    "forgot",
    "unwilling",
    "unreachable",
    "fraud_suspected",
]

#: The bucket of a loan that is not overdue, as repayment names it.
CURRENT = "current"
#: Where repayment counts a loan that was written off: it has a case only if it was late before.
WRITTEN_OFF = "written_off"

#: A prefix, an underscore, and at most 64 characters that neither a document's path nor an address gives a meaning.
_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}", re.ASCII)


def debtor_of(borrower: str) -> str:
    """The debtor's stream: `dbt_` + the suffix of `usr_…`. Raises ValueError for an id that is no user's."""
    return f"dbt_{suffix_of(borrower, 'usr_')}"


def collector_of(staff_id: str) -> str:
    """The collector's stream: `col_` + the suffix of `stf_…`. Raises ValueError for an id that is no staff's."""
    return f"col_{suffix_of(staff_id, 'stf_')}"


def suffix_of(name: str, prefix: str) -> str:
    """What the ids of one business thing share. Raises ValueError for an id of another kind."""
    if _ID.fullmatch(name) is None or not name.startswith(prefix):
        raise ValueError(f"{name!r} is no id of the kind {prefix}…")
    return name.removeprefix(prefix)


@record
class Desk:
    """What a collector may work when he claims: stages, regions (none: all) and skills, as collections.collectors shows it."""

    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]


# --- facts of repayment --------------------------------------------------------------------------------------------


@command("collections.RecordMiss")
class RecordMiss:
    """An instalment was missed: opens the loan's case, or adds to it. No effect for one that was recorded, unless
    its case is closed and the loan is late `again`. `overdue_after_fen` is all that is overdue with it, where its record says so.

    Refused: `invalid_loan` (the ids name no loan or no user).
    """

    loan_id: str
    borrower: str
    number: int
    due_on: date
    open_fen: PositiveFen
    dpd: int
    region: str
    product: str
    again: bool = False
    overdue_after_fen: PositiveFen | None = None


@command("collections.RecordBucket")
class RecordBucket:
    """The loan moved to another overdue bucket; `current` cures the case. No effect without an open case.

    Refused: `invalid_bucket` for one that the profile gives no stage.
    """

    loan_id: str
    bucket: str
    dpd: int
    overdue_fen: Count
    changed_on: date


@command("collections.RecordPenalty")
class RecordPenalty:
    """Penalty was added to what is overdue. No effect without an open case.

    The case's bucket moves by RecordBucket alone: the first penalty is charged before the loan leaves `current`.
    """

    loan_id: str
    dpd: int
    overdue_fen: Count
    charged_on: date


@command("collections.RecordCasePayment")
class RecordCasePayment:
    """The loan took a payment; `overdue_fen` is what is still overdue on `as_of`. No effect without an open case, or a closed one's promise that
    it may still keep."""

    loan_id: str
    payment_id: str
    amount_fen: PositiveFen
    value_date: date
    as_of: date
    overdue_fen: Count


@command("collections.CorrectCasePayment")
class CorrectCasePayment:
    """A payment does not count (`amount_fen` 0) or counts as of another value date (None: as much of it as before). No effect for one
    that no case counts, or that stands so already."""

    loan_id: str
    payment_id: str
    amount_fen: Count | None
    value_date: date


@record
class Retaken:
    """A payment of which the loan takes another amount now."""

    payment_id: str
    amount_fen: Count


@command("collections.JudgeAgain")
class JudgeAgain:
    """The loan stands where it would stand without an error: other payments count with `retaken`, and promises are judged by what counts
    now. No effect where that changes nothing."""

    loan_id: str
    retaken: tuple[Retaken, ...]


@command("collections.CloseCase")
class CloseCase:
    """The loan is repaid. No effect without an open case."""

    loan_id: str
    repaid_on: date


@command("collections.RecordFlag")
class RecordFlag:
    """A flag stands on a loan, whether anything of it was missed or not. No effect while it stands."""

    loan_id: str
    borrower: str
    flag: FlagKind
    flagged_on: date


@command("collections.RecordUnflag")
class RecordUnflag:
    """The flag was lifted. No effect where none stands."""

    loan_id: str
    borrower: str
    flag: FlagKind
    unflagged_on: date


# --- collectors' work ----------------------------------------------------------------------------------------------


@command("collections.ClaimCase")
class ClaimCase:
    """Work on a case's debtor for the length of a lease, or go on working on him. No effect when it already lasts that long.

    Refused: `unknown_case` (also for one that the desk does not cover), `forbidden_stage`, `forbidden_region` (one that was
    given to him beyond his desk), `forbidden_skill`, `assigned_to_another`, `claimed_by_another` (until that lease ends).
    """

    case_id: str
    collector: str
    desk: Desk


@command("collections.ReleaseDebtor")
class ReleaseDebtor:
    """End a claim before its time. No effect when there is none.

    `desk` is the collector's, None for a supervisor and in commands from before rules 2. Refused: `unknown_debtor` (also for
    one of whom the desk covers no case), `claimed_by_another` (unless a supervisor asks).
    """

    released_by: str
    supervisor: bool
    desk: Desk | None = None


@command("collections.AssignCase")
class AssignCase:
    """Give a case to one collector, or (None) to whoever may work its stage. Refused: `unknown_case`."""

    case_id: str
    collector: str | None
    assigned_by: str


@command("collections.StartContact")
class StartContact:
    """Ask the contact gate for a contact. No effect when it has begun. `desk`: None in commands from before rules 2.

    Refused: `unknown_case` (also for one that the desk does not cover), `not_claimed`, `contact_open` (one's own has not been logged), `invalid_party` (a third party has
    an id, the debtor none), and by the gate `contact_hours`, `call_limit`, `debtor_reachable`, `party_refused`,
    `debtor_deceased`, `debt_disputed` (but by letter).
    """

    contact_id: str
    case_id: str
    collector: str
    channel: Channel
    direction: Direction
    party: Party
    party_id: str | None
    desk: Desk | None = None


@command("collections.LogContact")
class LogContact:
    """Say what came of a contact. No effect for the last one that was logged.

    Refused: `unknown_contact` (none of this collector's is open under this id), `invalid_next_step` (before today, or a
    call-back without a date or outside the hours), `invalid_hours` (only the debtor, spoken to, agrees to a span of the day),
    `invalid_outcome` (only the debtor promises).
    """

    contact_id: str
    collector: str
    outcome: Outcome
    delay_reason: DelayReason | None
    script: str | None
    evidence: str | None
    next_on: date | None
    call_back_minute: int | None
    agreed_hours: AgreedHours | None


@command("collections.MakePromise")
class MakePromise:
    """Record what the debtor promised in a contact. No effect when it was. `desk`: None in commands from before rules 2.

    Refused: `unknown_case` (also for one that the desk does not cover), `not_claimed`, `unknown_contact` (the last contact was another, or nobody promised in it),
    `promise_open`, `invalid_amount` (more than is overdue), `invalid_date` (before today, or too far off), `debtor_deceased`.
    """

    promise_id: str
    case_id: str
    contact_id: str
    collector: str
    amount_fen: PositiveFen
    promised_on: date
    desk: Desk | None = None


@command("collections.ProposePlan")
class ProposePlan:
    """Ask the house for a repayment plan: so many months more for a case's loan, with the guarantor's consent where it has one.
    `himself` is the collector as a customer. No effect when it was asked.

    Refused: `unknown_case` (also for one that the desk does not cover), `not_claimed`, `plan_open` (the last one has no answer),
    `debtor_deceased`, `debt_disputed`.
    """

    plan_id: str
    case_id: str
    collector: str
    kind: PlanKind
    months: Months
    reason: Code
    income_proof: Reference
    desk: Desk | None = None
    guarantor_consent: Reference | None = None
    himself: str | None = None


@command("collections.AnswerPlan")
class AnswerPlan:
    """The measure that a plan became has ended; `code` says why it came to nothing. No effect once it was answered.

    Refused: `unknown_plan`.
    """

    plan_id: str
    agreed: bool
    code: Code | None = None


# --- collectors ----------------------------------------------------------------------------------------------------


@command("collections.EnrolCollector")
class EnrolCollector:
    """A person of the staff collects in one region (None: all), with the profile's first desk.

    While he does, another region moves his desk there and the same one has no effect. Refused: `invalid_staff`.
    """

    staff_id: str
    region: str | None


@command("collections.ChangeDesk")
class ChangeDesk:
    """Fix what a collector may work. No effect when it is so.

    Refused: `unknown_collector`, `invalid_stage`, `invalid_skill` (the profile has none of that name).
    """

    stages: tuple[str, ...]
    regions: tuple[str, ...]
    skills: tuple[str, ...]


@command("collections.RetireCollector")
class RetireCollector:
    """A person of the staff has left, or has other roles. No effect for one who does not collect."""

    staff_id: str
