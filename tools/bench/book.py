"""A book of loans for the close of a day: so many of each kind, their lives told by the real rules, their records by the real codec.

Loans of one kind differ in nothing but their names. So each kind lives once, through `decide` and `evolve` of the services
themselves, its command and its decision are encoded once, and every loan is those bytes with its number in them: a million
loans cost what a million hashes and sends cost, in bounded memory, and are the same at every run.

Of a thousand loans 50 have not paid since some day of the last 400, four will not pay on one of the measured days, the others
pay; 3.2 % are due each day. A loan's past stands in one record, that of its opening: told shorter than it happened, with the
state that it leads to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from libs.events.bidding import ClaimTerms
from libs.events.codec import encode, name_of
from libs.events.deciding import Aggregate, Context, Wake
from libs.events.money import money_context
from libs.events.records import CommandEnvelope, encode_decision, encode_event
from libs.events.repayment import DebitRequested, InstallmentDue
from libs.runtime.service import Service
from services.bidding.commands import ConfirmTopUp, OpenAccount, RequestTopUp
from services.repayment.commands import OpenLoan, RecordDebitFailure
from services.repayment.domain.loan_state import Running

#: The days that are measured; the last one is a month's, on which every overdue loan is charged penalty.
DAYS: Final = tuple(date(2026, 4, day) for day in (27, 28, 29, 30))
_EVE: Final = DAYS[0] - timedelta(days=1)
_AT: Final = datetime(2026, 4, 26, 20, tzinfo=UTC)
#: What stands in a kind's bytes where a loan's own number will, and where that of its investor will.
_NUMBER, _INVESTOR = "NNNNNNNN", "IIII"
_INVESTORS: Final = 1_000
_MONTHS: Final = 3
_PRINCIPAL_FEN: Final = 500_000
_THOUSAND: Final = 1_000
#: First due dates of those who pay lie on one of these many days, less one that would fall together with another.
_PAYING_DATES: Final = 30
#: Days past due on the eve: the last days before every edge of a bucket or class, and days in between.
_LATE_DPD: Final = (*range(0, 400, 10), 27, 57, 88, 118, 147, 178, 267, 357, 358, 359)


@dataclass(frozen=True, slots=True)
class Kind:
    """Loans of one kind: when they were funded, how many in a thousand they are, and what their borrower's account has."""

    funded_on: date
    per_mille: int
    late: bool = False
    money_fen: int | None = None
    """What is on the account; None where nobody asks on the measured days, so that no account is needed."""


def kinds() -> tuple[Kind, ...]:
    """All of them, a thousand loans together."""
    late = [Kind(_funded_for(_EVE - timedelta(days=dpd)), 1, late=True, money_fen=0) for dpd in _LATE_DPD]
    empty = [Kind(_funded_for(day), 1, money_fen=0) for day in DAYS]
    left = _THOUSAND - len(late) - len(empty)
    paying = []
    for number in range(_PAYING_DATES):
        due_on = DAYS[0] + timedelta(days=number)
        share = left // _PAYING_DATES + (number < left % _PAYING_DATES)
        money_fen = 2 * _PRINCIPAL_FEN if due_on in DAYS else None
        paying.append(Kind(_funded_for(due_on), share, money_fen=money_fen))
    return (*late, *empty, *paying)


def _funded_for(first_due_on: date) -> date:
    """A day whose loan falls due first on this one, or within the three days before where a month is too short for it."""
    before = first_due_on.replace(day=1) - timedelta(days=1)
    return before.replace(day=min(first_due_on.day, before.day))


@dataclass(frozen=True, slots=True)
class Entry:
    """A command and its decision as they stand in the log; of a kind, with the marks where a number will be."""

    stream: str
    type: bytes
    command_id: bytes
    command: bytes
    decision: bytes


def _stamped(kind: Entry, number: int) -> Entry:
    mark, investor = b"%08d" % number, b"%04d" % (number % _INVESTORS)

    def stamp(text: bytes) -> bytes:
        return text.replace(_NUMBER.encode(), mark).replace(_INVESTOR.encode(), investor)

    return Entry(
        kind.stream.replace(_NUMBER, mark.decode()).replace(_INVESTOR, investor.decode()),
        kind.type,
        stamp(kind.command_id),
        stamp(kind.command),
        stamp(kind.decision),
    )


class Book:
    """So many loans, their borrowers' and investors' accounts, as entries of the two services' logs."""

    def __init__(self, loans: int, repayment: Service, bidding: Service) -> None:
        if loans % _THOUSAND:
            raise ValueError(
                "a book has whole thousands of loans, or its shares are not what they are said to be"
            )
        self.loans = loans
        self._loan = _aggregate(repayment, "loan")
        self._account = _aggregate(bidding, "acc")
        self._kinds = kinds()
        self._kind_of = [number for number, kind in enumerate(self._kinds) for _ in range(kind.per_mille)]

    @cached_property
    def _lives(self) -> tuple[tuple[list[Any], Running], ...]:
        return tuple(_lived(self._loan, kind) for kind in self._kinds)

    @property
    def states(self) -> tuple[tuple[Kind, Running], ...]:
        """Each kind with the state in which its loans are on the eve of the first day."""
        return tuple((kind, state) for kind, (_, state) in zip(self._kinds, self._lives, strict=True))

    def of_repayment(self) -> Iterator[Entry]:
        """Every loan, in the order of their numbers."""
        stream = f"loan_{_NUMBER}"
        templates = [
            _template(stream, _terms(kind.funded_on), events)
            for kind, (events, _) in zip(self._kinds, self._lives, strict=True)
        ]
        for number in range(self.loans):
            # Neighbours are of different kinds: partitions and ticks get some of each.
            yield _stamped(templates[self._kind_of[number * 7 % _THOUSAND]], number)

    def of_bidding(self) -> Iterator[Entry]:
        """The investors' accounts and those of borrowers who will be asked."""
        investor = self._account_template(_INVESTOR, 0)
        for number in range(_INVESTORS):
            yield _stamped(investor, number)
        borrowers = [
            None if kind.money_fen is None else self._account_template(_NUMBER, kind.money_fen)
            for kind in self._kinds
        ]
        for number in range(self.loans):
            template = borrowers[self._kind_of[number * 7 % _THOUSAND]]
            if template is not None:
                yield _stamped(template, number)

    def _account_template(self, mark: str, money_fen: int) -> Entry:
        owner, account, top_up = f"usr_{mark}", f"acc_{mark}", f"top_{mark}"
        opening = OpenAccount(owner=owner)
        said: list[tuple[Any, str]] = [(opening, owner)]
        if money_fen:
            asked = RequestTopUp(top_up_id=top_up, amount_fen=money_fen)
            came = ConfirmTopUp(
                top_up_id=top_up, bank_reference=f"B-{mark}", amount_fen=money_fen, succeeded=True
            )
            said += [(asked, owner), (came, "bank")]
        events: list[Any] = []
        state = self._account.initial
        for command, principal in said:
            found = self._account.decide(command, state, Context(_AT, _EVE, principal))
            state = _evolved(self._account, state, found)
            events += found
        return _template(account, opening, events)


def _aggregate(service: Service, prefix: str) -> Aggregate:
    return next(each for each in service.aggregates if each.prefix == prefix)


def _evolved(aggregate: Aggregate, state: Any, events: Sequence[Any]) -> Any:
    for event in events:
        state = aggregate.evolve(state, event)
    return state


def _terms(funded_on: date) -> OpenLoan:
    claim = ClaimTerms(
        order=1,
        claim_id=f"clm_{_NUMBER}_1",
        account_id=f"acc_{_INVESTOR}",
        investor=f"usr_{_INVESTOR}",
        principal_fen=_PRINCIPAL_FEN // 2,
    )
    return OpenLoan(
        loan_id=f"loan_{_NUMBER}",
        listing_id=f"lst_{_NUMBER}",
        borrower=f"usr_{_NUMBER}",
        borrower_account=f"acc_{_NUMBER}",
        principal_fen=_PRINCIPAL_FEN,
        annual_rate=Decimal("0.12"),
        tenor_months=_MONTHS,
        grade="B",
        interest_fee_permille=100,
        funded_on=funded_on,
        claims=(claim, replace(claim, order=2, claim_id=f"clm_{_NUMBER}_2")),
    )


def _lived(aggregate: Aggregate, kind: Kind) -> tuple[list[Any], Running]:
    """Everything that happened to a loan until the evening of the eve, and what it is then. Who is late never paid a fen."""
    with money_context():
        terms = _terms(kind.funded_on)
        events = list(aggregate.decide(terms, aggregate.initial, Context(_AT, kind.funded_on, "")))
        state = _evolved(aggregate, aggregate.initial, events)
        while (at := aggregate.wake_on(state)) is not None and at <= (_EVE, 4):
            wake = Wake(business_date=at[0], phase=at[1])
            context = Context(_AT, at[0], "")
            told = list(aggregate.decide(wake, state, context))
            state = _evolved(aggregate, state, told)
            for asked in [each for each in told if isinstance(each, InstallmentDue | DebitRequested)]:
                nothing = RecordDebitFailure(
                    debit_id=asked.debit_id, requested_fen=asked.debit_fen, value_date=asked.value_date
                )
                answered = aggregate.decide(nothing, state, context)
                state = _evolved(aggregate, state, answered)
                told += answered
            events += told
    assert isinstance(state, Running), "nobody has paid anything yet"
    assert kind.late == (state.book.rows[0].due_on <= _EVE), "only who is late was ever asked"
    return events, state


def _template(stream: str, command: Any, events: Sequence[Any]) -> Entry:
    command_id = f"book-{stream}"
    envelope = CommandEnvelope(
        command_id=command_id,
        type=name_of(type(command)),
        stream_id=stream,
        data=command,
        at=_AT,
        principal="book",
        correlation_id=command_id,
        business_date=_EVE,
    )
    decision = encode_decision(
        at=_AT,
        business_date=_EVE,
        principal="book",
        correlation_id=command_id,
        causation_id=None,
        events=[encode_event(stream, number, event) for number, event in enumerate(events, 1)],
    )
    return Entry(
        stream,
        envelope.type.encode(),
        command_id.encode(),
        encode(CommandEnvelope, envelope),
        decision,
    )
