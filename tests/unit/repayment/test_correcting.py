"""Corrections: whatever is reversed or counts as of another date, and when, the loan and everybody's money end as in the clean history."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.claims import ClaimTransferred
from libs.events.corrections import Correction, LoanRestated
from libs.events.money import money_context
from libs.events.recovery_costs import RecoveryCostPaid
from libs.events.repayment import LoanOpened, PaymentReceived, RepaymentDistributed
from services.repayment.commands.corrections import CorrectPayment
from services.repayment.domain.loan_state import Running, reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.repayment.inputs import Input, Lived, clean
from tests.unit.repayment.lives import random_terms

DEMO = profile_named("demo")


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_interleaving_of_payments_and_corrections_ends_in_the_clean_history(seed: int) -> None:
    """Reversed, redated, corrected twice, after the end or in the middle: state, claims and everybody's money are those of the loan that
    only the right payments ever reached."""
    chance = Random(seed)
    terms = random_terms(chance)
    is_open = terms.repayment is not None and chance.random() < 0.5
    if terms.repayment and is_open:
        terms = replace(terms, repayment=replace(terms.repayment, payer="anyone"))
    lived = Corrected(chance, terms.funded_on, anyone=is_open)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 160)):
            if chance.random() < 0.05:
                lived.correct()
                again = clean(terms, lived.inputs(), lived.today)
                assert compared(lived.state) == compared(again.state)
                assert money(lived.events) == money(again.events)
                assert is_replayable(DEMO, lived.state, lived.context)
            for _ in lived.day():
                pass


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_sale_stands_whatever_is_corrected_before_or_after_it(seed: int) -> None:
    """Whatever is corrected, the buyer has what he paid for, and what each claim was lent or sold for is what it got back, sold on and is owed.
    Only where less was there to be sold a correction is refused by name, and changes nothing."""
    chance = Random(seed)
    terms = random_terms(chance)
    lived = Corrected(chance, terms.funded_on, sells=True)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(40, 160)):
            if chance.random() < 0.05:
                lived.correct()
                assert is_replayable(DEMO, lived.state, lived.context)
                last = reopened(lived.state)
                owed_fen = sum(claim.principal_fen for claim in last.claims)
                assert owed_fen == last.book.outstanding_fen
                assert {
                    claim.claim_id: claim.principal_fen for claim in last.claims if claim.principal_fen
                } == (owed_by_claim(lived.events))
            for _ in lived.day():
                pass


@dataclass
class Corrected(Lived):
    """A loan of which what was booked is corrected now and then, in the morning."""

    wrong: set[str] = field(default_factory=set)
    moved: dict[str, Input] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    asked_on: date = date.min
    anyone: bool = False
    """Whether others pay too: a stranger, and a holder."""

    def paid_by(self) -> tuple[str, str]:
        """Somebody, and his account."""
        if self.anyone and self.chance.random() < 0.5:
            return self.chance.choice([("usr_x", "acc_x"), ("usr_y", "acc_y"), ("usr_1", "acc_1")])
        return super().paid_by()

    def correct(self) -> None:
        """One payment is reversed, or counts as of another day; not of one on which money of the next day came, whose place in the day the
        journal knows no finer than the day's phases."""
        right = [came for came in self.inputs() if came.on < self.today]
        if not right:
            return
        came = self.chance.choice(right)
        payment_id, to_date = came.payment.payment_id, None
        if self.chance.random() < 0.4:
            # A debit's money comes after the dues of its day, and those of today are still to come.
            age = (self.today - reopened(self.state).book.funded_on).days
            to_date = self.today - timedelta(days=self.chance.randint(came.is_debit, age))
            if (
                came.on > came.payment.value_date and to_date.day % 2
            ):  # told late, and placed as if it had been told in time
                to_date = came.payment.value_date
            if to_date in self.busy():
                return
        self.asked_on = reopened(self.state).asked_on
        answer = self.say(
            CorrectPayment(
                correction=Correction(
                    correction_id=f"cor_{len(self.events)}",
                    loan_id="loan_7",
                    payment_id=payment_id,
                    kind="reverse" if to_date is None else "redate",
                    reason="wrong_payer",
                    value_date=came.payment.value_date,
                    to_date=to_date,
                ),
                booking="same_year",
            )
        )
        if isinstance(answer, str):
            self.refused(answer, came, to_date)
            return
        self.right(came, to_date)

    def busy(self) -> set[date]:
        """Days to which no payment is moved, because more came to them than their phases tell apart."""
        return {other.on for other in self.inputs() if other.payment.value_date > other.on}

    def refused(self, code: str, _came: Input, _to_date: date | None) -> None:
        """The loan said no."""
        expected = {"changes_nothing"} | ({"claim_sold_since"} if self.sells else set())
        assert code in expected, code

    def right(self, came: Input, to_date: date | None) -> None:
        """What came is no input any more, or one of another day."""
        payment_id = came.payment.payment_id
        if to_date is None:
            self.wrong.add(payment_id)
            return
        # Of a day on which the loan has not asked, a debit's money comes before what it asks as well.
        place = "answers" if came.is_debit and to_date <= self.asked_on else "early"
        self.moved[payment_id] = replace(
            came, on=to_date, place=place, payment=replace(came.payment, value_date=to_date)
        )
        self.taken = [*(other for other in self.taken if other.payment.payment_id != payment_id), came]

    def inputs(self) -> list[Input]:
        """What came and is right, as of when it counts: what was moved to a day comes after what was there."""
        return [
            self.moved.get(came.payment.payment_id, came)
            for came in self.taken
            if came.payment.payment_id not in self.wrong
        ]


def compared(state: Any) -> Running:
    """The loan's state, but for what a correction carries over: who was answered, what is for sale, and when it was asked last."""
    return replace(
        reopened(state),
        journal=reopened(state).journal.__class__(),
        asked_on=date.min,
        remembered=(),
        unanswered=(),
        reservations=(),
    )


def owed_by_claim(events: Sequence[Any]) -> Counter[str]:
    """What each claim was lent, or bought for, less what it got of it and what of it was sold; zeros are left out."""
    owed: Counter[str] = Counter()
    for event in events:
        match event:
            case LoanOpened():
                owed.update({claim.claim_id: claim.principal_fen for claim in event.claims})
            case ClaimTransferred():
                owed[event.sold_claim_id] -= event.claim.principal_fen
                owed[event.claim.claim_id] += event.claim.principal_fen
            case RepaymentDistributed():
                owed.subtract({line.claim_id: line.principal_fen for line in event.lines})
            case LoanRestated():
                owed.subtract({change.claim_id: change.principal_fen for change in event.claims})
            case _:
                pass
    return Counter({name: fen for name, fen in owed.items() if fen})


def money(events: Sequence[Any]) -> Counter[str]:
    """What each claim got, the platform got and each account got or gave, corrections included; zeros are left out."""
    sums: Counter[str] = Counter()
    for event in events:
        match event:
            case RepaymentDistributed():
                sums["platform"] += event.fee_fen
                for line in event.lines:
                    amount = line.principal_fen + line.interest_fen + line.penalty_fen - line.fee_fen
                    sums[line.claim_id] += amount
                    sums[line.account_id] += amount
            case PaymentReceived():
                sums[_payer(event)] -= event.amount_fen
            case RecoveryCostPaid():
                sums[_payer(event)] -= event.amount_fen
                sums[event.account_id] += event.amount_fen
            case LoanRestated():
                sums["platform"] += event.platform_fen
                for moved in event.lines:
                    sums[moved.account_id] += moved.amount_fen
                for change in event.claims:
                    amount = change.principal_fen + change.interest_fen + change.penalty_fen - change.fee_fen
                    sums[change.claim_id] += amount
            case _:
                pass
    return Counter({name: fen for name, fen in sums.items() if fen})


def _payer(event: PaymentReceived | RecoveryCostPaid) -> str:
    """From whose account a payment came."""
    return (event.arrival and event.arrival.account_id) or "acc_bo"
