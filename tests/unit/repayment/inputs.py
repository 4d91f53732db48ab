"""A loan that is lived day by day as the platform lives it, each input at its place in the day: what replays are held against.

A day has these places: `early` (payments dated today), `ahead` (dated tomorrow, before the dues), the dues, `between` (dated tomorrow,
before the debits' answers), the answers, `late` (dated tomorrow, before the judgement), the judgement, `after` (dated tomorrow, while other
loans of the partition are still judged).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Protocol

from libs.events.deciding import Context, Wake
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import DebitRequested, InstallmentDue, PaymentReceived
from libs.events.rescheduling import Prepay
from services.repayment.commands import (
    OpenLoan,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    ReserveClaim,
    TransferClaim,
)
from services.repayment.domain.pending import Pending, answered
from tests.unit.given import context, decided
from tests.unit.repayment.stories import LOAN

PLACES = ("early", "ahead", "between", "answers", "late", "after")


@dataclass(frozen=True)
class Input:
    """A payment that came, and where in which day."""

    on: date
    place: str
    payment: RecordPayment
    is_debit: bool = False


class Other(Protocol):
    """Something else that came at a place of a day."""

    @property
    def on(self) -> date: ...
    @property
    def place(self) -> str: ...
    def come(self, lived: "Lived") -> None:
        """Come to a loan."""


@dataclass
class Lived:
    """One loan, the inputs that it took, and everything that it said."""

    chance: Random
    today: date
    sells: bool = False
    pays: float = 0.12
    """How likely somebody pays, at each place of a day."""
    dated_back: float = 0.0
    """How likely what is paid before the dues counts as of a day before."""
    state: Any = None
    events: list[Any] = field(default_factory=list)
    taken: list[Input] = field(default_factory=list)
    count: int = 0
    phase: int = 0
    """Which phase of today runs on the loan's partition."""
    judged: bool = False
    """Whether that phase has had something to say of the loan."""

    @property
    def context(self) -> Context:
        """What the loan may know."""
        return context(self.today, phase=self.phase)

    def open(self, terms: OpenLoan) -> None:
        """Lend it."""
        self.state = LOAN.initial
        self.say(terms)

    def say(self, command: Any) -> Sequence[Any] | str:
        """Decide a command today and fold it; the code where it is refused."""
        answer = decided(LOAN, self.state, command, self.context)
        if isinstance(answer, str):
            return answer
        for event in answer:
            self.state = LOAN.evolve(self.state, event)
        self.events += answer
        return answer

    def day(self) -> Iterator[str]:
        """Live today place by place; between them the caller may look, or correct something."""
        asked: list[Any] = []
        for place in PLACES:
            if place == "between":
                asked = self.wake(2)
            if place == "after":
                self.judge()
            if place == "answers":
                for debit in asked:
                    self.answer(debit)
            elif self.chance.random() < (0.5 if place == "after" and self.judged else self.pays):
                self.pay(place)
            if place == "early" and self.sells and self.chance.random() < 0.3:
                self._sell()
            self.meanwhile(place)
            yield place
        self.end()

    def judge(self) -> None:
        """The last phase comes to the loan, and goes on for others."""
        before = len(self.events)
        self.wake(4)
        self.judged = len(self.events) > before
        self.phase = 4

    def end(self) -> None:
        """It is over for all of them; what came to the loan meanwhile may have something to do in it."""
        self.wake(4)
        self.phase = 0
        self.today += timedelta(days=1)

    def meanwhile(self, place: str) -> None:
        """What else comes to a loan, after the payments of a place."""

    def pay(self, place: str) -> None:
        """A voluntary payment of some size."""
        self.count += 1
        amount = self.chance.choice([1, self.chance.randint(1, 40_000), self.chance.randint(1, 900_000)])
        settle = self.chance.random() < 0.15
        prepay: Prepay | None = self.chance.choice([None, None, "reamortise", "shorten"])
        payer, account_id = self.paid_by()
        payment = RecordPayment(
            payment_id=f"pay_{self.count}",
            account_id=account_id,
            payer=payer,
            amount_fen=amount,
            value_date=self.today if place == "early" else self.today + timedelta(days=1),
            settle=settle,
            prepay=None if settle else prepay,
        )
        if place == "early" and self.dated_back and self.chance.random() < self.dated_back:
            counts_on = self.today - timedelta(days=self.chance.randint(1, 40))
            payment = replace(payment, value_date=counts_on)
        due = LOAN.wake_on(self.state)
        if place == "ahead" and (due is None or due > (self.today, 2)):
            place = "between"  # a loan with nothing to ask today does not know whether the asking is over, and takes it to be
        self._told(Input(self.today, place, payment), self.say(payment))

    def paid_by(self) -> tuple[str, str]:
        """Who pays, and from which account."""
        return "usr_bo", "acc_bo"

    def answer(self, debit: InstallmentDue | DebitRequested) -> Sequence[Any] | str:
        """All of it is found, some or nothing; what the loan says."""
        found = self.chance.choice(
            [0, debit.debit_fen, debit.debit_fen, self.chance.randint(1, debit.debit_fen)]
        )
        if not found:
            return self.say(
                RecordDebitFailure(
                    debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
                )
            )
        command = RecordDebit(
            debit_id=debit.debit_id, account_id="acc_bo", debited_fen=found, value_date=debit.value_date
        )
        payment = RecordPayment(
            payment_id=debit.debit_id,
            account_id="acc_bo",
            payer="usr_bo",
            amount_fen=found,
            value_date=debit.value_date,
            settle=False,
        )
        answer = self.say(command)
        self._told(Input(self.today, "answers", payment, is_debit=True), answer)
        return answer

    def _told(self, came: Input, answer: Sequence[Any] | str) -> None:
        if any(isinstance(event, PaymentReceived | RecoveryCostPaid) for event in answer):
            self.taken.append(came)

    def _sell(self) -> None:
        if self.state.kind != "running":
            return
        self.count += 1
        claim = self.chance.choice(self.state.claims)
        part = self.chance.choice([None, max(1, claim.principal_fen // 2)])
        offer = f"offer_{self.count}"
        answer = self.say(
            ReserveClaim(
                offer_id=offer,
                claim_id=claim.claim_id,
                seller=claim.investor,
                principal_fen=part,
                value_date=self.today,
            )
        )
        if answer and not isinstance(answer, str):
            buyer = self.chance.randint(20, 25)
            self.say(
                TransferClaim(
                    offer_id=offer,
                    hold_id=f"hold_{self.count}",
                    buyer=f"usr_{buyer}",
                    buyer_account=f"acc_{buyer}",
                    price_permille=1000,
                    fee_permille=5,
                    held_fen=10**9,
                    value_date=self.today,
                )
            )

    def wake(self, phase: int) -> list[Any]:
        """The day comes to the loan, if it has to; the debits that it asks."""
        due = LOAN.wake_on(self.state)
        if due is None or due > (self.today, phase):
            return []
        said = self.say(Wake(business_date=self.today, phase=phase))
        return [event for event in said if isinstance(event, InstallmentDue | DebitRequested)]


def clean(terms: OpenLoan, inputs: Sequence[Input], until: date, others: Sequence[Other] = ()) -> Lived:
    """The loan that only these inputs ever reached, on the morning of `until` with what has come early on it; a debit's money comes whether it was asked or not, and
    no other debit finds any. What else came, came after the payments of its place."""
    lived = Lived(Random(0), terms.funded_on)
    lived.open(terms)
    while True:
        for place in PLACES:
            if lived.today == until and place != "early":
                return lived
            if place == "between":
                fail_others(lived, inputs)
            if place == "after":
                lived.judge()
            for came in (came for came in inputs if (came.on, came.place) == (lived.today, place)):
                come(lived, came)
            for other in (other for other in others if (other.on, other.place) == (lived.today, place)):
                other.come(lived)
        lived.end()


def fail_others(lived: Lived, inputs: Sequence[Input]) -> None:
    """The dues are asked, and no debit finds anything but those of which the money is to come."""
    for debit in lived.wake(2):
        if all((came.payment.payment_id, came.on) != (debit.debit_id, lived.today) for came in inputs):
            lived.say(
                RecordDebitFailure(
                    debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
                )
            )


def come(lived: Lived, came: Input) -> None:
    """A payment comes; a debit's whether it was asked or not."""
    paid = came.payment
    if not came.is_debit:
        lived.say(paid)
        return
    others = answered(lived.state.unanswered, paid.payment_id)
    asked = Pending(debit_id=paid.payment_id, asked_on=paid.value_date)
    lived.state = replace(lived.state, unanswered=(*others, asked))
    lived.say(
        RecordDebit(
            debit_id=paid.payment_id,
            account_id=paid.account_id,
            debited_fen=paid.amount_fen,
            value_date=paid.value_date,
        )
    )
