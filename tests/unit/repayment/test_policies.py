"""What repayment does on each event, and that no step of its sagas ends in silence."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from libs.events.adjustments import CorrectionSettled
from libs.events.assets import AssetSaleDebited, AssetSaleDeclined
from libs.events.bidding import (
    FundsCollected,
    InstallmentDebited,
    InstallmentDebitFailed,
    LoanPaymentDebited,
    Posting,
)
from libs.events.codec import name_of
from libs.events.deferrals import MeasureResumed
from libs.events.in_kind import DebtSettledInKind
from libs.events.market import OfferClosed, OfferExpired, OfferRequested, OfferTaken, OfferWithdrawn
from libs.events.measures import MeasureExamined
from libs.events.records import RecordedEvent
from libs.events.sagas import Send
from libs.events.system import CommandRefused, PhaseDone
from services.repayment.commands import (
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    RecordPhaseDone,
    ReleaseClaim,
    ReserveClaim,
    TransferClaim,
)
from services.repayment.commands.assets import DeclineDisposal
from services.repayment.commands.measures import (
    CarryOutMeasure,
    CompleteMeasure,
    ExamineMeasure,
    FailMeasure,
)
from services.repayment.policies import POLICIES, SAGAS
from tests.unit.given import AT, TODAY
from tests.unit.repayment import asset_story as asset
from tests.unit.repayment import correction_story as correction
from tests.unit.repayment import guarantee_story as guarantee
from tests.unit.repayment.correction_story import AUTHORISED, RESTATED
from tests.unit.repayment.measure_story import (
    ADMIT,
    COST_BOOKED,
    PAYABLE,
    PROPOSE,
    PROPOSED,
    VOTERS,
    approved,
)
from tests.unit.repayment.pause_story import FROM, flagged, paused, unflagged
from tests.unit.repayment.pause_story import ended as pause_ended
from tests.unit.repayment.plan_story import PLAN
from tests.unit.repayment.stories import CLAIMS, FIRST_DUE, FUNDED_ON, INSTALLMENT, OPEN, debit_id
from tests.unit.repayment.test_income import ENDED
from tests.unit.repayment.test_voidance import SAID
from tests.unit.repayment.troubled_story import BY_HAND, EXTENDED, MOVED, WATCHED, WRITTEN_OFF, waived

LEGS = (
    Posting(account="available:acc_bo", amount_fen=-INSTALLMENT),
    Posting(account="clearing:loan:loan_7", amount_fen=INSTALLMENT),
)
ABOUT = {"loan_id": "loan_7", "account_id": "acc_bo", "amount_fen": "34002"}

COLLECTED = FundsCollected(
    listing_id="lst_7",
    loan_id="loan_7",
    borrower="usr_bo",
    borrower_account="acc_bo",
    amount_fen=100_000,
    annual_rate=Decimal("0.12"),
    tenor_months=3,
    grade="B",
    origination_fee_fen=500,
    interest_fee_permille=100,
    funded_on=FUNDED_ON,
    claims=CLAIMS,
    product="credit",
    region="sh",
)
DEBITED = InstallmentDebited(
    account_id="acc_bo",
    owner="usr_bo",
    loan_id="loan_7",
    debit_id=debit_id(FIRST_DUE),
    requested_fen=INSTALLMENT + 5,
    debited_fen=INSTALLMENT,
    value_date=FIRST_DUE,
    available_after_fen=0,
    held_after_fen=0,
    postings=LEGS,
)
DEBIT_FAILED = InstallmentDebitFailed(
    account_id="acc_bo",
    owner="usr_bo",
    loan_id="loan_7",
    debit_id=debit_id(FIRST_DUE),
    requested_fen=INSTALLMENT,
    value_date=FIRST_DUE,
)
PAID = LoanPaymentDebited(
    account_id="acc_bo",
    owner="usr_bo",
    loan_id="loan_7",
    payment_id="pay_1",
    amount_fen=INSTALLMENT,
    settle=True,
    value_date=FIRST_DUE,
    available_after_fen=0,
    held_after_fen=0,
    postings=LEGS,
)
OFFER: dict[str, Any] = {
    "offer_id": "offer_1",
    "seller": "usr_1",
    "account_id": "acc_1",
    "claim_id": "clm_7_1",
    "loan_id": "loan_7",
}
ASKED = OfferRequested(
    principal_fen=None, price_permille=990, window_days=10, requested_on=FIRST_DUE, **OFFER
)
TAKEN = OfferTaken(
    offer_id="offer_1",
    loan_id="loan_7",
    claim_id="clm_7_1",
    hold_id="hold_1",
    buyer="usr_9",
    buyer_account="acc_9",
    price_permille=990,
    fee_permille=5,
    held_fen=50_010,
    taken_on=FIRST_DUE,
    investor_cap_fen=120_000_00,
)
STOOD: dict[str, Any] = OFFER | {
    "principal_fen": 50_000,
    "opened_on": FUNDED_ON,
    "expires_on": FIRST_DUE,
}
EXPIRED = OfferExpired(expired_on=FIRST_DUE, **STOOD)
WITHDRAWN = OfferWithdrawn(withdrawn_on=FIRST_DUE, **STOOD)
CLOSED = OfferClosed(closed_on=FIRST_DUE, code="internal", **STOOD)
PHASE_DONE = PhaseDone(business_date=FIRST_DUE, phase=4, partition=3, partitions=4, woken=17)

EXAMINED = MeasureExamined(
    loan_id="loan_7", measure_id="msr_1", borrower="usr_bo", examined_on=TODAY, mandate="vote", voters=VOTERS
)
APPROVED = approved("vote", 70_000)
RESUMED = MeasureResumed(
    loan_id=APPROVED.loan_id,
    borrower="usr_bo",
    measure_id=APPROVED.measure_id,
    terms=APPROVED.terms,
    resumed_on=APPROVED.approved_on,
)
#: What the loan says when it has done a measure, one of each kind.
BESIDE = (
    paused(),
    replace(pause_ended(FROM, FROM), measure_id="msr_1"),
    flagged("death"),
    replace(unflagged("death"), measure_id="msr_1"),
)
INCOME = replace(ENDED, measure_id="msr_1")
DONE = (EXTENDED[0], WRITTEN_OFF, COST_BOOKED, waived(100, 100), WATCHED, BY_HAND, INCOME, MOVED, *BESIDE)
#: What the account of an asset's buyer answers.
BOUGHT = AssetSaleDebited(
    account_id="acc_ann",
    owner="usr_ann",
    asset_id="ast_1",
    loan_id="loan_7",
    disposal_id="dsp_1",
    amount_fen=30_001,
    available_after_fen=0,
    held_after_fen=0,
    postings=LEGS,
)
UNPAID = AssetSaleDeclined(
    account_id="acc_ann",
    owner="usr_ann",
    asset_id="ast_1",
    loan_id="loan_7",
    disposal_id="dsp_1",
    amount_fen=30_001,
    code="insufficient_available",
)
NO_BUYER = CommandRefused(
    command_type="bidding.DebitAssetSale",
    code="unknown_account",
    stream_id="acc_ann",
    about={"asset_id": "ast_1", "disposal_id": "dsp_1"},
)

#: One event of two sagas, and refusals that each saga knows by its own command: told below.
TOLD_APART = (DebtSettledInKind, DeclineDisposal, FailMeasure)
STEPS = [
    step for saga in SAGAS for step in saga.steps if step.on not in TOLD_APART and step.send not in TOLD_APART
]
EXAMPLES: dict[type, tuple[str, Any]] = {
    type(event): (source, event)
    for source, event in (
        ("bidding", COLLECTED),
        ("bidding", DEBITED),
        ("bidding", DEBIT_FAILED),
        ("bidding", PAID),
        ("repayment", PHASE_DONE),
        ("bidding", ASKED),
        ("bidding", TAKEN),
        ("bidding", EXPIRED),
        ("bidding", WITHDRAWN),
        ("bidding", CLOSED),
        ("repayment", correction.PROPOSED),
        ("repayment", correction.EXAMINED),
        ("repayment", AUTHORISED),
        ("repayment", replace(SAID, guarantor="gua_g")),
        ("repayment", replace(RESTATED, guarantor="gua_g")),
        ("bidding", CorrectionSettled(correction_id="cor_1", loan_id="loan_7")),
        *(("repayment", event) for event in (PROPOSED, EXAMINED, APPROVED, RESUMED, *DONE)),
        ("collections", PLAN),
        ("onboarding", guarantee.REQUESTED),
        ("bidding", guarantee.DEBITED),
        ("bidding", guarantee.TOO_LITTLE),
        ("bidding", guarantee.NO_ACCOUNT),
        ("bidding", BOUGHT),
        ("bidding", UNPAID),
        ("bidding", PAYABLE),
        ("repayment", guarantee.PAID),
        ("repayment", guarantee.SUBROGATED),
        ("bidding", guarantee.EXPIRED),
        ("bidding", guarantee.CANCELLED),
        ("bidding", guarantee.REFUSED),
    )
}


def recorded(data: Any, source: str, stream: str | None) -> RecordedEvent:
    """An event as a policy sees it."""
    return RecordedEvent(
        data=data,
        type=name_of(type(data)),
        stream=stream,
        sequence=None if stream is None else 7,
        service=source,
        partition=1,
        position=42,
        index=0,
        at=AT,
        business_date=date(2024, 3, 1),
        principal="",
        correlation_id="c",
        causation_id=None,
        command_id="d",
        command_type="bidding.Any",
    )


def sent(data: Any, source: str) -> list[Send]:
    """What repayment sends on an event of a source."""
    return list(POLICIES[source](recorded(data, source, "acc_bo")))


def test_collected_funds_open_the_loan() -> None:
    """The terms go over whole; the fee of the origination does not, it was bidding's."""
    assert sent(COLLECTED, "bidding") == [
        Send("open-loan", "loan_7", replace(OPEN, product="credit", region="sh"))
    ]


def test_a_debit_is_recorded_with_what_it_found_and_the_way_back() -> None:
    """Not what it asked for."""
    command = RecordDebit(
        debit_id=debit_id(FIRST_DUE), account_id="acc_bo", debited_fen=INSTALLMENT, value_date=FIRST_DUE
    )
    about = ABOUT | {"payment_id": debit_id(FIRST_DUE)}
    assert sent(DEBITED, "bidding") == [Send("record-debit", "loan_7", command, about)]


def test_a_failed_debit_is_recorded() -> None:
    """No money moved, so there is no way back."""
    command = RecordDebitFailure(
        debit_id=debit_id(FIRST_DUE), requested_fen=INSTALLMENT, value_date=FIRST_DUE
    )
    assert sent(DEBIT_FAILED, "bidding") == [Send("record-debit-failure", "loan_7", command)]


def test_a_voluntary_payment_is_recorded_with_its_payer_and_the_way_back() -> None:
    """The payer is the owner of the account that it left."""
    command = RecordPayment(
        payment_id="pay_1",
        account_id="acc_bo",
        payer="usr_bo",
        amount_fen=INSTALLMENT,
        value_date=FIRST_DUE,
        settle=True,
    )
    assert sent(PAID, "bidding") == [
        Send("record-payment", "loan_7", command, ABOUT | {"payment_id": "pay_1"})
    ]


def test_an_offer_reserves_its_claim_and_a_buyer_has_it_transferred() -> None:
    """What a refusal must name goes along; a redemption's offer may wait out a blocked window."""
    reserve = ReserveClaim(
        offer_id="offer_1",
        claim_id="clm_7_1",
        seller="usr_1",
        principal_fen=None,
        value_date=FIRST_DUE,
        until=FIRST_DUE + timedelta(days=10),
    )
    assert sent(ASKED, "bidding") == [Send("reserve-claim", "loan_7", reserve, {"offer_id": "offer_1"})]
    released = replace(ASKED, redemption_id="rdm_1", until=FIRST_DUE)
    (send,) = sent(released, "bidding")
    assert send.command == replace(reserve, may_wait=True, until=FIRST_DUE)
    transfer = TransferClaim(
        offer_id="offer_1",
        hold_id="hold_1",
        buyer="usr_9",
        buyer_account="acc_9",
        price_permille=990,
        fee_permille=5,
        held_fen=50_010,
        value_date=FIRST_DUE,
        investor_cap_fen=120_000_00,
    )
    about = {"offer_id": "offer_1", "hold_id": "hold_1"}
    assert sent(TAKEN, "bidding") == [Send("transfer-claim", "loan_7", transfer, about)]


def test_an_offer_that_ended_frees_its_claim() -> None:
    """Whichever end it was, the loan is told which."""
    for ended, code in ((EXPIRED, "offer_expired"), (WITHDRAWN, "offer_withdrawn"), (CLOSED, "offer_closed")):
        release = ReleaseClaim(offer_id="offer_1", code=code)
        assert sent(ended, "bidding") == [Send("release-claim", "loan_7", release)]


def test_a_partition_that_has_finished_the_day_tells_the_calendar() -> None:
    """Phase 4 is the last that somebody waits for."""
    command = RecordPhaseDone(business_date=FIRST_DUE, partition=3, partitions=4)
    assert sent(PHASE_DONE, "repayment") == [Send("phase-done", "calendar", command)]


def test_a_measure_and_its_loan_ask_each_other() -> None:
    """The loan is asked and told by the measure's terms, the measure hears whose word is needed, and that it is done."""
    about = {"measure_id": "msr_1"}
    examine = ExamineMeasure(measure_id="msr_1", terms=PROPOSE.terms)
    assert sent(PROPOSED, "repayment") == [Send("examine", "loan_7", examine, about)]
    assert sent(EXAMINED, "repayment") == [Send("admit", "msr_1", ADMIT)]
    parts: dict[str, Any] = {"guarantor": "gua_g", "holders": ("usr_1",), "waived_before_fen": 7}
    told = Send("admit", "msr_1", replace(ADMIT, **parts))
    assert sent(replace(EXAMINED, **parts), "repayment") == [told]
    (by_himself,) = sent(replace(PROPOSED, himself="usr_9"), "repayment")
    assert by_himself.command == replace(examine, himself="usr_9")
    (waiver,) = sent(replace(APPROVED, waivable_fen=500_00), "repayment")
    assert waiver.command == CarryOutMeasure(measure_id="msr_1", terms=PROPOSE.terms, waivable_fen=500_00)
    carry_out = CarryOutMeasure(measure_id="msr_1", terms=PROPOSE.terms)
    assert sent(APPROVED, "repayment") == [Send("carry-out", "loan_7", carry_out, about)]
    for event in DONE:
        assert sent(event, "repayment") == [Send("complete", "msr_1", CompleteMeasure())]
    by_its_days = (
        replace(WATCHED, measure_id=""),
        replace(BY_HAND, measure_id="", cause="overdue"),
        replace(ENDED, measure_id=""),
    )
    assert [sent(event, "repayment") for event in by_its_days] == [[], [], []]


def test_what_settles_a_debt_is_kept_and_its_measure_is_done() -> None:
    """Both follow from the loan's one event."""
    take = Send("take-asset", "ast_1", asset.TAKE)
    done = Send("complete", "msr_1", CompleteMeasure())
    assert sent(asset.SETTLED, "repayment") == [done, take]


def test_a_sale_ends_as_its_buyers_account_says() -> None:
    """Paid; or not, for want of money or of an account."""
    record = Send("asset-sale", "ast_1", asset.RECORD)
    assert sent(BOUGHT, "bidding") == [record]
    assert sent(UNPAID, "bidding") == [Send("asset-sale", "ast_1", asset.DECLINE)]
    decline = replace(asset.DECLINE, code="unknown_account")
    assert sent(NO_BUYER, "bidding") == [Send("asset-sale", "ast_1", decline)]


def test_other_phases_and_events_send_nothing() -> None:
    """The day's own steps are the runtime's."""
    phase_two = PhaseDone(business_date=FIRST_DUE, phase=2, partition=3, partitions=4, woken=17)
    assert sent(phase_two, "repayment") == []
    assert sent(PHASE_DONE, "bidding") == []
    assert sent(DEBITED, "repayment") == []
