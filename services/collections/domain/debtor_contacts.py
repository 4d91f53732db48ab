"""Contacts with a debtor, from the gate to the record, and the promise that came of one (processes.md 1.I, form F14)."""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.events.collections import ContactLogged, ContactStarted, PromiseMade
from libs.events.deciding import Context, Refused
from services.collections.commands import LogContact, MakePromise, StartContact
from services.collections.domain.contact_gate import (
    MINUTES_PER_DAY,
    Approach,
    Facts,
    local_time,
    may_disturb,
    objection,
)
from services.collections.domain.contact_state import OpenContact
from services.collections.domain.debtor_flags import flags_on, require_alive
from services.collections.domain.debtor_state import (
    Debtor,
    DebtorEvent,
    Leased,
    OpenCase,
    case_in,
)
from services.collections.domain.profile import Rules

#: Outcomes in which nobody, or the wrong one, was spoken to.
_NOT_SPOKEN_TO = ("no_answer", "wrong_number")

#: A third party who refuses, or whom the number never concerned, is not contacted again.
_STOPS = ("refuses", "wrong_number")

_DAY = timedelta(days=1)


def start_contact(
    rules: Rules, command: StartContact, state: Debtor, case: OpenCase, context: Context
) -> Sequence[DebtorEvent]:
    """Let the gate judge a contact of the collector who holds the debtor; the local day is that of his region."""
    last = state.last_contact
    known = [contact.contact_id for contact in state.open_contacts] + ([last.contact_id] if last else [])
    if command.contact_id in known:
        return []
    require_lease(state, command.collector, context)
    if any(contact.collector == command.collector for contact in state.open_contacts):
        raise Refused("contact_open")
    if (command.party == "debtor") != (command.party_id is None):
        raise Refused("invalid_party")
    day, minute = local_time(context.at, rules.offset_minutes(state.region))
    approach = Approach(command.channel, command.direction, command.party, command.party_id)
    facts = Facts(
        minute=minute,
        calls=_calls_on(state, day),
        unanswered=state.unanswered,
        stopped=state.stopped,
        agreed=state.agreed_hours,
        flags=flags_on(state, case.loan_id),
    )
    code = objection(rules, approach, facts)
    if code is not None:
        raise Refused(code)
    return [
        ContactStarted(
            debtor_id=state.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            contact_id=command.contact_id,
            number=state.contacts + 1,
            collector=command.collector,
            channel=command.channel,
            direction=command.direction,
            party=command.party,
            party_id=command.party_id,
            started_at=context.at,
            local_day=day,
        )
    ]


def _calls_on(state: Debtor, day: date) -> int:
    """Effective calls of a local day, and calls that are not logged: one that may have been effective counts as one."""
    effective = next((known.calls for known in state.call_days if known.day == day), 0)
    return effective + sum(
        contact.channel == "call" and contact.direction == "outbound" and contact.local_day == day
        for contact in state.open_contacts
    )


def log_contact(rules: Rules, command: LogContact, state: Debtor, context: Context) -> Sequence[DebtorEvent]:
    """Record what came of a contact; its caller may do so even when his lease has ended meanwhile."""
    if state.last_contact is not None and state.last_contact.contact_id == command.contact_id:
        return []
    contact = next((known for known in state.open_contacts if known.contact_id == command.contact_id), None)
    if contact is None or contact.collector != command.collector:
        raise Refused("unknown_contact")
    if command.outcome == "promise" and contact.party != "debtor":
        raise Refused("invalid_outcome")
    effective = contact.channel in ("call", "visit") and command.outcome not in _NOT_SPOKEN_TO
    _check_hours(command, contact, effective)
    _check_next_step(rules, command, state, context.business_date)
    return [
        ContactLogged(
            debtor_id=state.debtor_id,
            case_id=contact.case_id,
            loan_id=contact.loan_id,
            contact_id=contact.contact_id,
            number=contact.number,
            collector=contact.collector,
            channel=contact.channel,
            direction=contact.direction,
            party=contact.party,
            party_id=contact.party_id,
            started_at=contact.started_at,
            ended_at=context.at,
            local_day=contact.local_day,
            outcome=command.outcome,
            effective=effective,
            stop_party=contact.party_id if command.outcome in _STOPS else None,
            delay_reason=command.delay_reason,
            script=command.script,
            evidence=command.evidence,
            next_on=command.next_on or _next_step(rules, state, contact, context.business_date),
            call_back_minute=command.call_back_minute,
            agreed_hours=command.agreed_hours,
        )
    ]


def _check_hours(command: LogContact, contact: OpenContact, effective: bool) -> None:
    hours = command.agreed_hours
    if hours is None:
        return
    if contact.party != "debtor" or not effective:
        raise Refused("invalid_hours")
    if not 0 <= hours.from_minute < hours.to_minute <= MINUTES_PER_DAY:
        raise Refused("invalid_hours")


def _check_next_step(rules: Rules, command: LogContact, state: Debtor, on: date) -> None:
    minute = command.call_back_minute
    if command.next_on is not None and command.next_on < on:
        raise Refused("invalid_next_step")
    if minute is None:
        return
    in_day = 0 <= minute < MINUTES_PER_DAY
    if (
        command.next_on is None
        or not in_day
        or not may_disturb(rules, minute, command.agreed_hours or state.agreed_hours)
    ):
        raise Refused("invalid_next_step")


def _next_step(rules: Rules, state: Debtor, contact: OpenContact, on: date) -> date:
    """The rhythm of the case's stage, but not before a promise is decided; `on` itself for one that was closed meanwhile."""
    case = case_in(state, contact.case_id)
    if not isinstance(case, OpenCase):
        return on
    if case.promise is not None:
        return case.promise.promised_on + _DAY
    return on + timedelta(days=rules.stage_named(case.stage).rhythm_days)


def make_promise(
    rules: Rules, command: MakePromise, state: Debtor, case: OpenCase, context: Context
) -> Sequence[DebtorEvent]:
    """Record what the debtor promised in the last contact; one promise per case at a time, of no more than is overdue."""
    if case.last_promise == command.promise_id:
        return []
    require_lease(state, command.collector, context)
    require_alive(state, case)
    last, on = state.last_contact, context.business_date
    if last is None or last.contact_id != command.contact_id or not last.promised:
        raise Refused("unknown_contact")
    if case.promise is not None:
        raise Refused("promise_open")
    if command.amount_fen > case.overdue_fen:
        raise Refused("invalid_amount")
    if not on <= command.promised_on <= on + timedelta(days=rules.promise_days_max):
        raise Refused("invalid_date")
    return [
        PromiseMade(
            debtor_id=state.debtor_id,
            case_id=case.case_id,
            loan_id=case.loan_id,
            promise_id=command.promise_id,
            contact_id=command.contact_id,
            collector=command.collector,
            amount_fen=command.amount_fen,
            promised_on=command.promised_on,
            made_on=on,
        )
    ]


def require_lease(state: Debtor, collector: str, context: Context) -> None:
    """Raises Refused `not_claimed` unless this collector holds the debtor at the command's time."""
    lease = state.lease
    if not isinstance(lease, Leased) or lease.until <= context.at or lease.collector != collector:
        raise Refused("not_claimed")
