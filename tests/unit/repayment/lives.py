"""Random lives of a loan: days that are closed or missed, debits that find all, some or nothing, payments good and bad.

The runtime and bidding are played as they behave: a wake comes when `wake_on` asks for it (sometimes late, when the stream
was stuck), every debit is answered once (sometimes told twice), value dates may be a day ahead or behind.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, get_args

from libs.events.deciding import Aggregate, Wake
from libs.events.money import Rounding
from libs.events.repayment import DebitRequested, InstallmentDue
from libs.events.rescheduling import Prepay
from libs.events.schedules.order import COMPONENTS, Allocation, PayOrder
from libs.events.schedules.terms import DayCount, Method, RepaymentTerms
from services.repayment.commands import (
    OpenLoan,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    ReleaseClaim,
    ReserveClaim,
    TransferClaim,
)
from tests.unit.given import Outcome, context, step
from tests.unit.repayment.stories import LOAN, OPEN, claim, days

#: Called after each decision: the command, what it came to, and the business date of the decision.
Watch = Callable[[Any, Outcome, date], None]


def random_terms(chance: Random, loan: str = "7") -> OpenLoan:
    """A loan of random size, rate, length, holders and manner of repayment."""
    parts = [chance.choice([1, chance.randint(1, 10_000), 50_000]) for _ in range(chance.randint(1, 8))]
    months = chance.randint(1, 8)
    return replace(
        OPEN,
        loan_id=f"loan_{loan}",
        principal_fen=sum(parts),
        annual_rate=Decimal(chance.choice(["0", "0.0999", "0.12", "0.36", "3"])),
        tenor_months=months,
        interest_fee_permille=chance.choice([0, 100, 1000]),
        funded_on=date(2024, 1, chance.randint(1, 31)),
        claims=tuple(claim(order, part) for order, part in enumerate(parts, 1)),
        repayment=_random_manner(chance, months, sum(parts)),
    )


def _random_manner(chance: Random, months: int, principal_fen: int) -> RepaymentTerms | None:
    if chance.random() < 0.3:
        return None
    methods = [method for method in get_args(Method) if method != "flat" or principal_fen > months * months]
    method: Method = chance.choice(methods)
    grace = chance.randint(0, min(3, months - 1)) if method not in ("interest_first", "bullet") else 0
    day_count: DayCount = chance.choice(get_args(DayCount))
    return RepaymentTerms(
        method=method,
        interest_by=chance.choice(("month", "day")),
        day_count=day_count,
        rounding=chance.choice(list(Rounding)),
        shift=chance.choice(("none", "following")),
        principal_grace=grace,
        interest_grace=chance.randint(0, grace),
        period_fee_permille=chance.choice((0, 0, 1, 20)),
        allocation=chance.choice(
            (None, Allocation(performing=_order(chance), non_performing=_order(chance)))
        ),
    )


def thin_terms(chance: Random, loan: str = "7") -> OpenLoan:
    """A loan of a few fen whose principal is paid first, and whose interest is a fen in a long month and nothing in a short one: while an
    instalment of interest alone is open, later ones of principal alone are paid in full."""
    lent_fen, grace = chance.choice((2, 4, 5)), chance.randint(1, 3)
    others = chance.sample([part for part in COMPONENTS if part != "principal"], 3)
    first = PayOrder(across="vertical", components=("principal", *others))
    return replace(
        random_terms(chance, loan),
        principal_fen=lent_fen,
        annual_rate=Decimal("5.9") / lent_fen,
        tenor_months=grace + chance.randint(2, 6),
        claims=tuple(claim(order, 1) for order in range(1, lent_fen + 1)),
        repayment=RepaymentTerms(
            method="equal_principal",
            interest_by="day",
            day_count="act_360",
            principal_grace=grace,
            allocation=Allocation(performing=first, non_performing=first),
        ),
    )


def _order(chance: Random) -> PayOrder:
    return PayOrder(
        across=chance.choice(("horizontal", "vertical")),
        components=tuple(chance.sample(COMPONENTS, len(COMPONENTS))),
    )


@dataclass
class Life:
    """One loan and everything that was said about it so far."""

    chance: Random
    today: date
    aggregate: Aggregate = LOAN
    watch: Watch | None = None
    state: Any = None
    events: list[Any] = field(default_factory=list)
    asked: dict[str, InstallmentDue | DebitRequested] = field(default_factory=dict)
    payments: int = 0
    last_told: Any = None

    def say(self, command: Any) -> Outcome:
        """Decide one command today and fold it."""
        outcome = step(self.aggregate, self.state, command, context(self.today))
        self.state = outcome.state
        self.events += outcome.events
        for event in outcome.events:
            if isinstance(event, InstallmentDue | DebitRequested):
                self.asked[event.debit_id] = event
        if self.watch is not None:
            self.watch(command, outcome, self.today)
        return outcome

    def close_day(self) -> None:
        """Phases 2, 3 and 4 of today: dues, the debits' answers, misses."""
        self._wake(2)
        for debit in list(self.asked.values()):
            self._answer(debit)
        self._wake(4)

    def pay(self) -> None:
        """A voluntary payment, sometimes told twice, sometimes by a stranger."""
        self.payments += 1
        settle = self.chance.random() < 0.1
        modes: tuple[Prepay | None, ...] = (None, None, "reamortise", "shorten")
        self.last_told = RecordPayment(
            payment_id=f"pay_{self.payments}",
            account_id="acc_bo",
            payer="usr_bo" if self.chance.random() < 0.95 else "usr_other",
            amount_fen=self.chance.choice(
                [1, self.chance.randint(1, 20_000), self.chance.randint(1, 900_000)]
            ),
            value_date=days(self.today, self.chance.choice([0, 0, 0, 1, -1])),
            settle=settle,
            prepay=None if settle else self.chance.choice(modes),
        )
        self.say(self.last_told)

    def trade(self) -> None:
        """A holder offers his claim or a part of it; mostly somebody takes it, today or later, or the offer ends."""
        running = self.state.kind == "running"
        if running and self.state.reservations and self.chance.random() < 0.8:
            offer = self.chance.choice(self.state.reservations).offer_id
            if self.chance.random() < 0.2:
                self.say(ReleaseClaim(offer_id=offer, code="offer_expired"))
            else:
                self.say(self._taken(offer))
            return
        self.payments += 1
        claim = self.chance.choice(self.state.claims) if running else None
        whole = claim.principal_fen if claim else 1
        self.say(
            ReserveClaim(
                offer_id=f"offer_{self.payments}",
                claim_id=claim.claim_id if claim else "clm_7_1",
                seller=claim.investor if claim else "usr_1",
                principal_fen=self.chance.choice([None, max(1, whole // 2), max(1, whole - 10_000)]),
                value_date=self.today,
            )
        )

    def _taken(self, offer: str) -> TransferClaim:
        buyer = self.chance.randint(1, 12)
        return TransferClaim(
            offer_id=offer,
            hold_id=f"hold_{offer}",
            buyer=f"usr_{buyer}",
            buyer_account=f"acc_{buyer}",
            price_permille=self.chance.randint(900, 1_100),
            fee_permille=5,
            held_fen=10**9,
            value_date=self.today,
        )

    def repeat(self) -> None:
        """What was told last is told again: nothing may come of it."""
        if self.last_told is not None:
            self.say(self.last_told).then_nothing()

    def _wake(self, phase: int) -> None:
        due = self.aggregate.wake_on(self.state)
        if due is not None and due <= (self.today, phase):
            self.say(Wake(business_date=self.today, phase=phase))

    def _answer(self, debit: InstallmentDue | DebitRequested) -> None:
        del self.asked[debit.debit_id]
        found_fen = self.chance.choice([0, 0, debit.debit_fen, self.chance.randint(1, debit.debit_fen)])
        if found_fen:
            self.last_told = RecordDebit(
                debit_id=debit.debit_id,
                account_id="acc_bo",
                debited_fen=found_fen,
                value_date=debit.value_date,
            )
        else:
            self.last_told = RecordDebitFailure(
                debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
            )
        self.say(self.last_told)


def live(
    chance: Random,
    terms: OpenLoan,
    watch: Watch | None = None,
    aggregate: Aggregate = LOAN,
    *,
    trades: bool = False,
) -> Life:
    """Open a loan and let it live for forty moments, its claims traded or not, then let its borrower settle it if it still runs."""
    life = Life(chance, terms.funded_on, aggregate, watch, state=aggregate.initial)
    life.say(terms)
    for _ in range(40):
        if chance.random() < 0.2:
            life.pay()
        if chance.random() < 0.1:
            life.repeat()
        if trades and chance.random() < 0.7:
            life.trade()
        life.close_day()
        life.today = _next_moment(life)
    if life.state.kind == "running":
        life.say(
            RecordPayment(
                payment_id="pay_last",
                account_id="acc_bo",
                payer="usr_bo",
                amount_fen=10**9,
                value_date=life.today,
                settle=True,
            )
        )
    return life


def _next_moment(life: Life) -> date:
    """A day on which something may happen: at the latest when the loan wants to be woken, or weeks after that."""
    soon = days(life.today, life.chance.randint(1, 20))
    due = life.aggregate.wake_on(life.state)
    if due is None:
        return soon
    late = life.chance.randint(1, 70) if life.chance.random() < 0.05 else 0
    return days(min(soon, due[0]), late)
