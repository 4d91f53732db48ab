"""The loan that the repayment specs tell their stories with: 1,000.00 at 12 % over three months, lent by three.

Funded on 31 January 2024, so its due dates cross a leap February. All amounts in fen.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from libs.events.arrival import Arrival, LoanWaited, PaymentMode
from libs.events.bidding import ClaimTerms
from libs.events.deciding import Context, Wake
from libs.events.measures import MeasureApplied
from libs.events.non_accrual import NonAccrualStarted
from libs.events.overdue import OverduePrincipal
from libs.events.repayment import (
    AllocationLine,
    DebitFailureRecorded,
    DebitRequested,
    DistributionLine,
    InstallmentDue,
    LoanClass,
    LoanClassified,
    LoanOpened,
    LoanRepaid,
    PaymentReceived,
    RepaymentDistributed,
    ScheduleRow,
)
from services.repayment.commands import OpenLoan, RecordDebit, RecordDebitFailure, RecordPayment
from services.repayment.commands.measures import CarryOutMeasure
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.bidding.specs import Spec
from tests.unit.given import Outcome, context, given

LOAN = loan_aggregate(profile_named("demo"))

FUNDED_ON, FIRST_DUE, SECOND_DUE, LAST_DUE = (
    date(2024, 1, 31),
    date(2024, 2, 29),
    date(2024, 3, 31),
    date(2024, 4, 30),
)
ROWS = (
    ScheduleRow(number=1, due_on=FIRST_DUE, principal_fen=33_002, interest_fen=1_000),
    ScheduleRow(number=2, due_on=SECOND_DUE, principal_fen=33_332, interest_fen=670),
    ScheduleRow(number=3, due_on=LAST_DUE, principal_fen=33_666, interest_fen=337),
)
INSTALLMENT = 34_002


def claim(order: int, principal_fen: int) -> ClaimTerms:
    """A claim of investor `order`."""
    return ClaimTerms(
        order=order,
        claim_id=f"clm_7_{order}",
        account_id=f"acc_{order}",
        investor=f"usr_{order}",
        principal_fen=principal_fen,
    )


CLAIMS = (claim(1, 50_000), claim(2, 30_000), claim(3, 20_000))

OPEN = OpenLoan(
    loan_id="loan_7",
    listing_id="lst_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    principal_fen=100_000,
    annual_rate=Decimal("0.12"),
    tenor_months=3,
    grade="B",
    interest_fee_permille=100,
    funded_on=FUNDED_ON,
    claims=CLAIMS,
)
OPENED = LoanOpened(
    loan_id="loan_7",
    listing_id="lst_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    principal_fen=100_000,
    annual_rate=Decimal("0.12"),
    tenor_months=3,
    grade="B",
    interest_fee_permille=100,
    funded_on=FUNDED_ON,
    installment_fen=INSTALLMENT,
    rows=ROWS,
    claims=CLAIMS,
)
#: The same under the demo's rules of today: 12 % times 1.5 on what is overdue. OPENED is a contract that names no penalty.
CONTRACTED = replace(OPENED, penalty_rate=Decimal("0.18"))


def on(day: date) -> Context:
    """A command decided while this business date is open."""
    return context(day)


def days(since: date, count: int) -> date:
    """The date `count` days later."""
    return since + timedelta(days=count)


def dues(day: date) -> Wake:
    """Phase 2 of a day: what falls due is asked."""
    return Wake(business_date=day, phase=2)


def misses(day: date) -> Wake:
    """Phase 4 of a day: what was missed is said."""
    return Wake(business_date=day, phase=4)


def due(number: int, debit_fen: int = INSTALLMENT, asked_on: date | None = None) -> InstallmentDue:
    """Instalment `number` fell due and its debit asks for `debit_fen`."""
    row = ROWS[number - 1]
    return InstallmentDue(
        loan_id="loan_7",
        borrower="usr_bo",
        borrower_account="acc_bo",
        number=number,
        due_on=row.due_on,
        principal_fen=row.principal_fen,
        interest_fen=row.interest_fen,
        debit_id=debit_id(row.due_on),
        debit_fen=debit_fen,
        value_date=asked_on or row.due_on,
    )


def asked_again(day: date, debit_fen: int) -> DebitRequested:
    """The open rest is asked on `day`."""
    return DebitRequested(
        loan_id="loan_7",
        borrower="usr_bo",
        borrower_account="acc_bo",
        debit_id=debit_id(day),
        debit_fen=debit_fen,
        value_date=day,
    )


def debit_id(day: date) -> str:
    """The id of the debit asked on a day."""
    return f"dbt_7_{day:%Y%m%d}"


def classified(
    day: date, before: LoanClass, after: LoanClass, dpd: int, principal_fen: int = 100_000
) -> LoanClassified:
    """The loan is of another class from `day`."""
    return LoanClassified(
        loan_id="loan_7",
        borrower="usr_bo",
        classified_on=day,
        from_class=before,
        to_class=after,
        dpd=dpd,
        principal_fen=principal_fen,
    )


def debited(day: date, debited_fen: int) -> RecordDebit:
    """The debit asked on `day` found this much."""
    return RecordDebit(debit_id=debit_id(day), account_id="acc_bo", debited_fen=debited_fen, value_date=day)


def found_nothing(day: date, requested_fen: int = INSTALLMENT) -> RecordDebitFailure:
    """The debit asked on `day` found nothing."""
    return RecordDebitFailure(debit_id=debit_id(day), requested_fen=requested_fen, value_date=day)


def failed(day: date, requested_fen: int = INSTALLMENT) -> DebitFailureRecorded:
    """What the loan says when a debit found nothing."""
    return DebitFailureRecorded(
        loan_id="loan_7",
        borrower="usr_bo",
        debit_id=debit_id(day),
        requested_fen=requested_fen,
        value_date=day,
    )


def pays(
    day: date, amount_fen: int, *, settle: bool = False, payer: str = "usr_bo", payment_id: str = "pay_1"
) -> RecordPayment:
    """A voluntary payment with value date `day`."""
    return RecordPayment(
        payment_id=payment_id,
        account_id="acc_bo",
        payer=payer,
        amount_fen=amount_fen,
        value_date=day,
        settle=settle,
    )


def line(number: int, interest_fen: int, principal_fen: int) -> AllocationLine:
    """What one instalment receives (0 = not due yet)."""
    return AllocationLine(number=number, interest_fen=interest_fen, principal_fen=principal_fen)


def split(before: str, after: str, before_fen: int, after_fen: int) -> OverduePrincipal:
    """So much of the principal was overdue in one bucket, and so much is in another."""
    return OverduePrincipal(from_bucket=before, to_bucket=after, before_fen=before_fen, after_fen=after_fen)


def received(
    payment_id: str,
    day: date,
    lines: tuple[AllocationLine, ...],
    principal: tuple[int, int],
    *,
    early: bool = False,
    bucket: str = "current",
    overdue_after_fen: int = 0,
) -> PaymentReceived:
    """A payment taken: its lines, and the principal before and after it."""
    return PaymentReceived(
        loan_id="loan_7",
        borrower="usr_bo",
        payment_id=payment_id,
        amount_fen=sum(part.interest_fen + part.principal_fen for part in lines),
        value_date=day,
        allocation=lines,
        early=early,
        bucket=bucket,
        principal_before_fen=principal[0],
        principal_after_fen=principal[1],
        overdue_after_fen=overdue_after_fen,
    )


def came(
    payment: PaymentReceived,
    received_fen: int,
    *,
    phase: int = 2,
    mode: PaymentMode = "",
    account_id: str = "",
) -> PaymentReceived:
    """The payment as it says how it came, where that is not the ordinary way."""
    arrival = Arrival(
        account_id=account_id,
        received_fen=received_fen,
        booked_on=payment.value_date,
        before_phase=phase,
        mode=mode,
    )
    return replace(payment, arrival=arrival)


def distributed(payment_id: str, day: date, *shares: tuple[int, int, int, int]) -> RepaymentDistributed:
    """The payment split: per holder (order, principal, interest, fee)."""
    lines = tuple(
        DistributionLine(
            claim_id=f"clm_7_{order}",
            account_id=f"acc_{order}",
            investor=f"usr_{order}",
            principal_fen=principal_fen,
            interest_fen=interest_fen,
            fee_fen=fee_fen,
        )
        for order, principal_fen, interest_fen, fee_fen in shares
    )
    return RepaymentDistributed(
        loan_id="loan_7",
        distribution_id=f"dst_{payment_id}",
        payment_id=payment_id,
        value_date=day,
        principal_fen=sum(share.principal_fen for share in lines),
        interest_fen=sum(share.interest_fen for share in lines),
        fee_fen=sum(share.fee_fen for share in lines),
        lines=lines,
    )


#: The first instalment paid in full by its debit: 33,002 + 1,000, ten percent of each holder's interest to the platform.
FIRST_PAID = (
    due(1),
    received(debit_id(FIRST_DUE), FIRST_DUE, (line(1, 1_000, 33_002),), (100_000, 66_998)),
    distributed(
        debit_id(FIRST_DUE), FIRST_DUE, (1, 16_501, 500, 50), (2, 9_901, 300, 30), (3, 6_600, 200, 20)
    ),
)


def amended(event: LoanOpened, **changes: object) -> LoanOpened:
    """The opening with other terms."""
    return replace(event, **changes)  # type: ignore[arg-type]  # the event validates itself when it is written


SETTLED = (
    *FIRST_PAID,
    received("pay_0", days(FIRST_DUE, 1), (line(0, 22, 66_998),), (66_998, 0), early=True),
    distributed("pay_0", days(FIRST_DUE, 1), (1, 33_499, 11, 1), (2, 20_099, 7, 1), (3, 13_400, 4, 0)),
    LoanRepaid(loan_id="loan_7", borrower="usr_bo", repaid_on=days(FIRST_DUE, 1), early=True),
)


def no_income(day: date, dpd: int, principal_fen: int = 100_000) -> NonAccrualStarted:
    """The loan's interest is no income any more, because of its days past due."""
    return NonAccrualStarted(
        loan_id="loan_7",
        borrower="usr_bo",
        cause="overdue",
        measure_id="",
        started_on=day,
        dpd=dpd,
        principal_fen=principal_fen,
    )


def applied(command: CarryOutMeasure, day: date, before_phase: int = 2) -> MeasureApplied:
    """The loan of the first contract does it, before a phase of a day."""
    return MeasureApplied(
        loan_id="loan_7",
        borrower="usr_bo",
        measure_id=command.measure_id,
        terms=command.terms,
        applied_on=day,
        before_phase=before_phase,
        waivable_fen=command.waivable_fen,
    )


def in_time(outcome: Outcome) -> Outcome:
    """An outcome without the word that the day had not come to the loan: the history of a spec leaves days out (`test_waiting` says when that
    is said)."""
    return replace(
        outcome, events=tuple(event for event in outcome.events if not isinstance(event, LoanWaited))
    )


def check_applied(spec: Spec) -> None:
    """A spec of what a loan does by a measure: first it says that it does it, before the dues of the day, then all that comes of it."""
    outcome = in_time(given(LOAN, *spec.given).when(spec.when, spec.context))
    if isinstance(spec.then, str):
        outcome.then_refused(spec.then)
    elif spec.then and isinstance(spec.when, CarryOutMeasure):
        outcome.then(applied(spec.when, spec.context.business_date), *spec.then)
    else:
        outcome.then(*spec.then)
