"""One loan's story played on the loan's own aggregate: an account that is only a number, and every day that matters closed."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from libs.events.bidding import ClaimTerms
from libs.events.deciding import Context, Wake
from libs.events.repayment import DebitRequested, InstallmentDue, OverpaymentReturned, PaymentReturned
from services.repayment.commands import OpenLoan, RecordDebit, RecordDebitFailure, RecordPayment
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.loan_state import Repaid
from services.repayment.domain.profile import profile_named
from tests.unit.given import AT
from tools.replay.actions import Pay, TopUp, in_steps
from tools.replay.story import Story

LOAN = loan_aggregate(profile_named("demo"))


class Played:
    """A story after its last day: the loan's state, all its events, and what is left on the borrower's account.

    `ahead`: what may be brought the evening before is there before that day is closed.
    """

    def __init__(self, story: Story, horizon: date, *, ahead: bool = False) -> None:
        self.state: Any = LOAN.initial
        self.events: list[Any] = []
        self.balance_fen = 0
        self._story = story
        self._today = story.funded_on
        self._brought: set[str] = set()
        self._say(self._opening())
        while self._today <= horizon:
            self._act()
            if ahead:
                tomorrow = self._today + timedelta(days=1)
                early = (action for on, action in story.actions if on == tomorrow)
                self._bring(action for action in early if isinstance(action, TopUp) and action.ahead)
            self._close_day()
            self._today = self._next_date()

    @property
    def where(self) -> str:
        """`repaid`, or the bucket of the running loan."""
        return "repaid" if isinstance(self.state, Repaid) else str(self.state.bucket)

    def count(self, kind: type) -> int:
        """How often something happened."""
        return sum(isinstance(event, kind) for event in self.events)

    def _opening(self) -> OpenLoan:
        loan = self._story.loan
        return OpenLoan(
            loan_id="loan_1",
            listing_id="lst_1",
            borrower=self._story.borrower,
            borrower_account="acc_b",
            principal_fen=loan.amount_fen,
            annual_rate=loan.annual_rate,
            tenor_months=loan.tenor_months,
            grade=loan.grade,
            interest_fee_permille=loan.interest_fee_permille,
            funded_on=self._story.funded_on,
            claims=tuple(
                ClaimTerms(
                    order=order,
                    claim_id=f"clm_1_{order}",
                    account_id=f"acc_{investor}",
                    investor=f"usr_{investor}",
                    principal_fen=amount_fen,
                )
                for order, (investor, amount_fen) in enumerate(self._story.bids, 1)
            ),
        )

    def _next_date(self) -> date:
        """The next date on which anybody does anything: the days between are closed without effect."""
        wake = LOAN.wake_on(self.state)
        dates = [on for on, _ in self._story.actions if on > self._today]
        if wake is not None:
            dates.append(max(wake[0], self._today + timedelta(days=1)))
        return min(dates, default=date.max)

    def _act(self) -> None:
        today = (action for on, action in self._story.actions if on == self._today)
        for step in in_steps(today):
            for action in step:
                if isinstance(action, TopUp):
                    self._bring([action])
                elif isinstance(action, Pay):
                    self._pay(action)

    def _bring(self, top_ups: Iterable[TopUp]) -> None:
        for top_up in top_ups:
            if top_up.key not in self._brought:
                self._brought.add(top_up.key)
                self.balance_fen += top_up.amount_fen

    def _pay(self, action: Pay) -> None:
        assert action.amount_fen <= self.balance_fen, "a payment without money"
        self.balance_fen -= action.amount_fen
        self._say(
            RecordPayment(
                payment_id=f"pay_{action.key}",
                account_id="acc_b",
                payer=action.user,
                amount_fen=action.amount_fen,
                value_date=self._today,
                settle=action.settle,
            )
        )

    def _close_day(self) -> None:
        for phase in (2, 4):
            due = LOAN.wake_on(self.state)
            if due is not None and due <= (self._today, phase):
                self._say(Wake(business_date=self._today, phase=phase))

    def _say(self, command: Any) -> None:
        context = Context(at=AT, business_date=self._today, principal="")
        for event in LOAN.decide(command, self.state, context):
            self.state = LOAN.evolve(self.state, event)
            self.events.append(event)
            if isinstance(event, OverpaymentReturned | PaymentReturned):
                self.balance_fen += event.amount_fen
            elif isinstance(event, InstallmentDue | DebitRequested):
                self._debit(event)

    def _debit(self, asked: InstallmentDue | DebitRequested) -> None:
        found_fen = min(asked.debit_fen, self.balance_fen)
        self.balance_fen -= found_fen
        self._say(
            RecordDebit(
                debit_id=asked.debit_id,
                account_id="acc_b",
                debited_fen=found_fen,
                value_date=asked.value_date,
            )
            if found_fen
            else RecordDebitFailure(
                debit_id=asked.debit_id, requested_fen=asked.debit_fen, value_date=asked.value_date
            )
        )
