"""No command without its three cases: it does something, it refuses by name, and done already it says nothing."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.deciding import Aggregate
from libs.events.measures import NonAccrual
from services.repayment.app import build
from services.repayment.commands import (
    AdmitGuarantor,
    ApproveCompensation,
    CloseBusinessDay,
    DeclineCompensation,
    ExecuteCompensation,
    OpenCalendar,
    OpenLoan,
    ProposeCompensation,
    ProposeGuarantor,
    RecordCompensation,
    RecordDebit,
    RecordDebitFailure,
    RecordPayment,
    RecordPhaseDone,
    ReduceGuarantee,
    RefuseCompensation,
    RefuseGuarantor,
    ReleaseClaim,
    ReserveClaim,
    ReserveGuarantee,
    RestoreGuarantee,
    SuspendGuarantor,
    TransferClaim,
)
from services.repayment.commands.assets import (
    CountAsset,
    DeclineDisposal,
    ProposeDisposal,
    RecordDisposal,
    RecordFailedAuction,
    SignDisposal,
    TakeAsset,
)
from services.repayment.commands.measures import (
    AdmitMeasure,
    CarryOutMeasure,
    CompleteMeasure,
    ExamineMeasure,
    FailMeasure,
    ProposeMeasure,
    SignMeasure,
    VoteOnMandate,
)
from tests.unit.given import context, given
from tests.unit.repayment import asset_story as a
from tests.unit.repayment import guarantee_story as g
from tests.unit.repayment.correction_story import CASES as CORRECTION_CASES
from tests.unit.repayment.measure_story import (
    ADMIT,
    CARRIED,
    COMPLETE,
    FAIL,
    IN_WORK,
    PROPOSE,
    PROPOSED,
    VOTING,
    YES,
    sign,
)
from tests.unit.repayment.stories import (
    FIRST_DUE,
    INSTALLMENT,
    OPEN,
    OPENED,
    days,
    debited,
    due,
    found_nothing,
    pays,
)
from tests.unit.repayment.test_business_calendar import CLOSING, FIRST, close, done
from tests.unit.repayment.test_business_calendar import OPENED as CALENDAR_OPENED
from tests.unit.repayment.test_trading import RELEASE, RESERVE, RESERVED, TRANSFER

AGGREGATES = {aggregate.name: aggregate for aggregate in build("demo").aggregates}
#: A saga's notice about what never was is no fault, nor is a thing that a loan was settled by.
NEVER_REFUSED = (ReduceGuarantee, RestoreGuarantee, TakeAsset)
COMMANDS = [
    (aggregate, kind)
    for aggregate in AGGREGATES.values()
    for kind in aggregate.commands
    if kind not in NEVER_REFUSED
]

STAFFED = replace(PROPOSE, proposed_by="stf_col")
EXAMINE = ExamineMeasure(measure_id="msr_1", terms=NonAccrual())
CARRY_OUT = CarryOutMeasure(measure_id="msr_1", terms=NonAccrual())
#: Whose word a command is.
PRINCIPALS: dict[type, str] = {SignMeasure: "stf_ria", VoteOnMandate: "usr_1"}

#: command -> (history and command that does; history and command that is refused; its code)
CASES: dict[type, tuple[tuple[tuple[Any, ...], Any], tuple[tuple[Any, ...], Any], str]] = {
    OpenLoan: (((), OPEN), ((), replace(OPEN, tenor_months=0)), "invalid_tenor"),
    RecordDebit: (
        ((OPENED, due(1)), debited(FIRST_DUE, INSTALLMENT)),
        ((), debited(FIRST_DUE, INSTALLMENT)),
        "unknown_loan",
    ),
    RecordDebitFailure: (
        ((OPENED, due(1)), found_nothing(FIRST_DUE)),
        ((), found_nothing(FIRST_DUE)),
        "unknown_loan",
    ),
    RecordPayment: (((OPENED,), pays(FIRST_DUE, 5)), ((), pays(FIRST_DUE, 5)), "unknown_loan"),
    ReserveClaim: (((OPENED,), RESERVE), ((), RESERVE), "unknown_loan"),
    TransferClaim: (((OPENED, RESERVED), TRANSFER), ((), TRANSFER), "unknown_loan"),
    ReleaseClaim: (((OPENED, RESERVED), RELEASE), ((), RELEASE), "unknown_loan"),
    OpenCalendar: (
        ((), OpenCalendar(business_date=FIRST)),
        (CALENDAR_OPENED, OpenCalendar(business_date=days(FIRST, 1))),
        "calendar_already_open",
    ),
    CloseBusinessDay: ((CALENDAR_OPENED, close(FIRST)), ((), close(FIRST)), "calendar_not_open"),
    ProposeMeasure: (((), STAFFED), ((), replace(STAFFED, evidence=())), "evidence_missing"),
    AdmitMeasure: (((PROPOSED,), ADMIT), ((), ADMIT), "unknown_measure"),
    SignMeasure: ((IN_WORK, sign("risk")), ((), sign("risk")), "unknown_measure"),
    VoteOnMandate: ((VOTING, YES), ((), YES), "unknown_measure"),
    CompleteMeasure: ((CARRIED, COMPLETE), ((), COMPLETE), "unknown_measure"),
    FailMeasure: ((CARRIED, FAIL), ((), FAIL), "unknown_measure"),
    ExamineMeasure: (((OPENED,), EXAMINE), ((), EXAMINE), "unknown_loan"),
    CarryOutMeasure: (((OPENED,), CARRY_OUT), ((), CARRY_OUT), "unknown_loan"),
    RecordPhaseDone: ((CLOSING, done(FIRST, 0)), (CALENDAR_OPENED, done(FIRST, 0)), "day_not_closing"),
    ProposeCompensation: ((g.LATE, g.PROPOSE), ((OPENED,), g.PROPOSE), "no_guarantor"),
    ApproveCompensation: (((*g.LATE, g.PROPOSED), g.APPROVE), (g.LATE, g.APPROVE), "compensation_not_open"),
    RefuseCompensation: (
        ((*g.LATE, g.PROPOSED), g.REFUSE),
        ((*g.LATE, *g.SIGNED), g.REFUSE),
        "compensation_executed",
    ),
    ExecuteCompensation: (
        ((*g.LATE, g.PROPOSED, g.APPROVED), g.EXECUTE),
        ((*g.LATE, g.PROPOSED), g.EXECUTE),
        "not_approved",
    ),
    RecordCompensation: (((*g.LATE, *g.SIGNED), g.RECORD), ((), g.RECORD), "unknown_loan"),
    DeclineCompensation: (((*g.LATE, *g.SIGNED), g.DECLINE), ((), g.DECLINE), "unknown_loan"),
    ProposeGuarantor: (((), g.NOMINATE), ((), replace(g.NOMINATE, valid_to=FIRST_DUE)), "invalid_date"),
    AdmitGuarantor: (((g.NOMINATED,), g.ADMIT), ((), g.ADMIT), "unknown_guarantor"),
    RefuseGuarantor: (((g.NOMINATED,), g.DECLINE_TO), ((), g.DECLINE_TO), "unknown_guarantor"),
    SuspendGuarantor: ((g.KNOWN, g.SUSPEND), ((), g.SUSPEND), "unknown_guarantor"),
    ReserveGuarantee: (((g.NOMINATED, g.ADMITTED), g.RESERVE), ((), g.RESERVE), "unknown_guarantor"),
    CountAsset: (((a.TAKEN,), a.COUNT), ((), a.COUNT), "unknown_asset"),
    RecordFailedAuction: (((a.TAKEN,), a.FAIL_AUCTION), ((), a.FAIL_AUCTION), "unknown_asset"),
    ProposeDisposal: (((a.TAKEN,), a.PROPOSE), ((), a.PROPOSE), "unknown_asset"),
    SignDisposal: (
        (a.ON_SALE, a.sign("finance_supervisor")),
        ((), a.sign("finance_supervisor")),
        "unknown_asset",
    ),
    RecordDisposal: ((a.SIGNED, a.RECORD), ((), a.RECORD), "unknown_asset"),
    DeclineDisposal: ((a.SIGNED, a.DECLINE), ((), a.DECLINE), "unknown_asset"),
    **CORRECTION_CASES,
}

#: Whoever acts here is a member of staff, on the day on which a guarantor may be asked first.
STAFF = context(g.DAY, "stf_cas")


@pytest.mark.parametrize(("aggregate", "kind"), COMMANDS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_command_does_refuses_and_then_says_nothing(aggregate: Aggregate, kind: type) -> None:
    """The three cases of each declared command; its code stands on it."""
    (history, command), (refusing, refused), code = CASES[kind]
    assert type(command) is type(refused) is kind
    signs = kind.__name__.endswith(("Compensation", "Guarantor", "Asset", "Auction", "Disposal"))
    who = STAFF if signs else context(principal=PRINCIPALS.get(kind, ""))
    outcome = given(aggregate, *history).when(command, who)
    assert outcome.events
    given(aggregate, *history, *outcome.events).when(command, who).then_nothing()
    given(aggregate, *refusing).when(refused, who).then_refused(code)
    assert f"`{code}`" in (kind.__doc__ or "")
