"""What came to a loan, each a line of text in its journal: the inputs from which a loan is decided again (docs/decisions/0024).

**Another input is added** by a record here, its letter in `written` and `read`, the event that appends it (`journal.with_entry`),
and its place in `replaying.replay`. A new kind of measure needs none of these: a Measure carries its terms, whatever they are; one that
changes nothing of what is owed is named in `measure_entry.is_journaled`.
"""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from libs.events.arrival import Arrival, PaymentMode
from libs.events.codec import decode, encode, record
from libs.events.measures import MeasureTerms
from libs.events.money import Count, PositiveFen
from libs.events.repayment import AllocationLine

#: (date, phase): before it the loan has been woken for everything that the day came to.
Moment = tuple[date, int]

#: Phases of the day before which a payment is booked where nothing else was said: a debit's after the dues, any other before them. Nothing
#: of a loan comes after its last phase but what came while that still ran for other loans.
BEFORE_DUES, BEFORE_MISSES, AFTER_MISSES = 2, 4, 5


@record
class Payment:
    """A payment that the loan took: `taken_fen` of it for the debt, `cost_fen` for what its recovery cost. `before_phase` of `booked_on` had not woken the loan yet. `account_id` is
    empty for the borrower's own, `payer` for the borrower. It was entered in the place of payment `replaces`: a mark, by which nothing is decided again."""

    payment_id: str
    account_id: str
    payer: str
    amount_fen: PositiveFen
    value_date: date
    booked_on: date
    before_phase: Count
    mode: PaymentMode
    is_debit: bool
    taken_fen: Count
    is_reversed: bool = False
    cost_fen: Count = 0
    replaces: str = ""


@record
class Sale:
    """A claim, or a part of it, changed hands: `principal_fen` went to claim `claim_id` of order `order`, `left_fen` stayed."""

    sold_order: int
    sold_claim_id: str
    seller_account: str
    seller: str
    left_fen: Count
    order: int
    claim_id: str
    account_id: str
    investor: str
    principal_fen: PositiveFen
    sold_on: date


@record
class Measure:
    """A measure that the loan applied: its terms say all that it is decided by, beside the loan of its day and, of a waiver, how much of the
    loan who signed it may give up (`waivable_fen`)."""

    measure_id: str
    terms: MeasureTerms
    applied_on: date
    before_phase: Count
    waivable_fen: Count | None = None


@record
class Answer:
    """A debit of which the loan took nothing was answered only on `answered_on`: until then the loan was not judged. `found_fen` was there, and
    went back. It was asked on `asked_on`; entries of before do not say it."""

    debit_id: str
    answered_on: date
    before_phase: Count
    found_fen: Count = 0
    asked_on: date | None = None


@record
class Compensation:
    """A guarantor's money that the loan took, as much of it as was owed still of the `lines` that he was asked for; `order` is his claim's."""

    compensation_id: str
    account_id: str
    amount_fen: PositiveFen
    lines: tuple[AllocationLine, ...]
    order: int
    value_date: date
    booked_on: date
    before_phase: Count


@record
class Wait:
    """The day did not come to the loan from `since` to `until`, each a date and a phase; `woken` says whether it did then."""

    since: date
    since_phase: Count
    until: date
    until_phase: Count
    woken: bool


Entry = Payment | Sale | Measure | Compensation | Answer | Wait


def moment_of(entry: Entry) -> Moment:
    """The place of its day before which it came; a sale's is before the dues, and it changes nothing that a day looks at."""
    match entry:
        case Payment() | Compensation():
            return entry.booked_on, entry.before_phase
        case Sale():
            return entry.sold_on, BEFORE_DUES
        case Measure():
            return entry.applied_on, entry.before_phase
        case Answer():
            return entry.answered_on, entry.before_phase
        case Wait():
            return entry.until, entry.until_phase
        case _:
            assert_never(entry)


def payment_of(
    arrival: Arrival | None,
    *,
    payment_id: str,
    payer: str,
    taken_fen: int,
    value_date: date,
    is_debit: bool,
    cost_fen: int = 0,
) -> Payment:
    """A payment that was taken, as its event says it came. Without an arrival it came from the borrower's account on its value date,
    and nothing went back."""
    return Payment(
        payment_id=payment_id,
        account_id=arrival.account_id if arrival else "",
        payer=payer,
        amount_fen=arrival.received_fen if arrival else taken_fen,
        value_date=value_date,
        booked_on=arrival.booked_on if arrival else value_date,
        before_phase=arrival.before_phase if arrival else phase_of(is_debit=is_debit),
        mode=arrival.mode if arrival else "",
        is_debit=is_debit,
        taken_fen=taken_fen,
        cost_fen=cost_fen,
        replaces=arrival.replaces if arrival else "",
    )


def phase_of(*, is_debit: bool) -> int:
    """The phase of its value date before which a payment is booked if nothing is late (design.md 2.7)."""
    return BEFORE_MISSES if is_debit else BEFORE_DUES


# --- the text, version 1 -------------------------------------------------------------------------------------------


def written(entry: Entry) -> str:
    """An entry as a line."""
    match entry:
        case Payment():
            flags = "d" * entry.is_debit + "x" * entry.is_reversed
            late = "" if entry.booked_on == entry.value_date else entry.booked_on.isoformat()
            fields = (
                entry.payment_id,
                entry.account_id,
                entry.payer,
                str(entry.amount_fen),
                "" if entry.taken_fen == entry.amount_fen else str(entry.taken_fen),
                entry.value_date.isoformat(),
                late,
                str(entry.before_phase),
                entry.mode,
                flags,
                *([str(entry.cost_fen)] if entry.cost_fen or entry.replaces else []),
                *([entry.replaces] if entry.replaces else []),
            )
            return _joined("p1", fields)
        case Sale():
            numbers = (entry.sold_order, entry.left_fen, entry.order, entry.principal_fen)
            names = (
                entry.sold_claim_id,
                entry.seller_account,
                entry.seller,
                entry.claim_id,
                entry.account_id,
                entry.investor,
                entry.sold_on.isoformat(),
            )
            return _joined("s1", (*map(str, numbers), *names))
        case Measure():
            terms = encode(MeasureTerms, entry.terms).decode()
            place = (entry.applied_on.isoformat(), str(entry.before_phase))
            waivable = "" if entry.waivable_fen is None else str(entry.waivable_fen)
            return _joined("m1", (entry.measure_id, *place, terms, waivable))
        case Compensation():
            lines = encode(tuple[AllocationLine, ...], entry.lines).decode()
            places = (str(entry.amount_fen), str(entry.order), str(entry.before_phase))
            dates = (entry.value_date.isoformat(), entry.booked_on.isoformat())
            return _joined("g1", (entry.compensation_id, entry.account_id, *places, *dates, lines))
        case Answer():
            place = (entry.answered_on.isoformat(), str(entry.before_phase))
            asked = [entry.asked_on.isoformat()] if entry.asked_on else []
            return _joined("a1", (entry.debit_id, *place, str(entry.found_fen or ""), *asked))
        case Wait():
            flags = "w" * entry.woken
            since, until = entry.since.isoformat(), entry.until.isoformat()
            return _joined("w1", (since, str(entry.since_phase), until, str(entry.until_phase), flags))
        case _:
            assert_never(entry)


def read(line: str) -> Entry:
    """The entry of a line. Raises ValueError for one that no version wrote."""
    kind, *fields = (_unescaped(field) for field in line.split("|"))
    match kind:
        case "p1":
            return _payment(fields)
        case "s1":
            return _sale(fields)
        case "m1":
            measure_id, applied_on, phase, terms, waivable = fields
            return Measure(
                measure_id=measure_id,
                terms=decode(MeasureTerms, terms.encode()),
                applied_on=date.fromisoformat(applied_on),
                before_phase=int(phase),
                waivable_fen=int(waivable) if waivable else None,
            )
        case "g1":
            compensation_id, account_id, amount, order, phase, value_date, booked_on, lines = fields
            return Compensation(
                compensation_id=compensation_id,
                account_id=account_id,
                amount_fen=int(amount),
                lines=decode(tuple[AllocationLine, ...], lines.encode()),
                order=int(order),
                value_date=date.fromisoformat(value_date),
                booked_on=date.fromisoformat(booked_on),
                before_phase=int(phase),
            )
        case "a1":
            debit_id, answered_on, phase, found, *asked = fields
            return Answer(
                debit_id=debit_id,
                answered_on=date.fromisoformat(answered_on),
                before_phase=int(phase),
                found_fen=int(found or 0),
                asked_on=date.fromisoformat(asked[0]) if asked else None,
            )
        case "w1":
            since, since_phase, until, until_phase, flags = fields
            return Wait(
                since=date.fromisoformat(since),
                since_phase=int(since_phase),
                until=date.fromisoformat(until),
                until_phase=int(until_phase),
                woken="w" in flags,
            )
        case _:
            raise ValueError(f"a journal's entry of a kind that is not known: {kind}")


def _payment(fields: Sequence[str]) -> Payment:
    # What a cost took of it, and what it replaces, stands behind the rest: hardly any payment has one.
    payment_id, account_id, payer, amount, taken, value_date, booked_on, phase, mode, flags, *rare = fields
    return Payment(
        payment_id=payment_id,
        account_id=account_id,
        payer=payer,
        amount_fen=int(amount),
        value_date=date.fromisoformat(value_date),
        booked_on=date.fromisoformat(booked_on or value_date),
        before_phase=int(phase),
        mode=_mode(mode),
        is_debit="d" in flags,
        taken_fen=int(taken or amount),
        is_reversed="x" in flags,
        cost_fen=int(rare[0]) if rare else 0,
        replaces=rare[1] if len(rare) > 1 else "",
    )


def _mode(text: str) -> PaymentMode:
    match text:
        case "" | "settle" | "reamortise" | "shorten":
            return text
        case _:
            raise ValueError(f"a payment's mode that is not known: {text}")


def _sale(fields: Sequence[str]) -> Sale:
    sold_order, left_fen, order, principal_fen, *names = fields
    sold_claim_id, seller_account, seller, claim_id, account_id, investor, sold_on = names
    return Sale(
        sold_order=int(sold_order),
        sold_claim_id=sold_claim_id,
        seller_account=seller_account,
        seller=seller,
        left_fen=int(left_fen),
        order=int(order),
        claim_id=claim_id,
        account_id=account_id,
        investor=investor,
        principal_fen=int(principal_fen),
        sold_on=date.fromisoformat(sold_on),
    )


def start_of_payment(payment_id: str) -> str:
    """How the line of a payment starts, and no other line."""
    return _joined("p1", (payment_id, ""))


def _joined(kind: str, fields: Sequence[str]) -> str:
    return "|".join((kind, *map(_escaped, fields)))


def _escaped(field: str) -> str:
    """No field holds what parts fields or lines."""
    return field.replace("%", "%25").replace("|", "%7C").replace("\n", "%0A")


def _unescaped(field: str) -> str:
    if "%" not in field:
        return field
    return field.replace("%0A", "\n").replace("%7C", "|").replace("%25", "%")
