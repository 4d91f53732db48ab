"""Routes of guarantors and compensations: two people admit, three ask a guarantor to pay, each by his post.

The token's scopes let somebody knock; the step that he asks for says which post he must hold. Whether it is the step's turn, and
whether he has signed another, the log decides.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Query

from libs.events import compensation as events
from libs.events import guarantees as register_events
from libs.runtime.http import (
    NoFields,
    Order,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import himself, holds, post
from libs.runtime.http.problems import Problem
from services.repayment import commands
from services.repayment.api.guarantee_shapes import (
    AdmissionIn,
    CompensationDone,
    CompensationOut,
    CompensationsOut,
    CompensationState,
    CompensationStepIn,
    GuarantorDone,
    GuarantorIn,
    GuarantorOut,
    GuarantorsOut,
    RefusalIn,
    SuspensionIn,
)
from services.repayment.api.routes import router

GuarantorId = Annotated[str, id_path("gua")]
LoanId = Annotated[str, id_path("loan")]
CompensationId = Annotated[str, id_path("cmp")]
Guarantors = Annotated[ViewReader, Depends(view_reader("repayment.guarantors"))]
Compensations = Annotated[ViewReader, Depends(view_reader("repayment.compensations"))]
Staff = Annotated[ViewReader, Depends(view_reader("repayment.staff"))]
Himself = Annotated[str | None, Depends(himself("repayment"))]

#: Whose step it is: risk reads a guarantor's file and the general manager agrees; anybody of finance asks for a compensation, the
#: supervisor approves it and the cashier executes it, three people (domain.md section 1; which of finance does what is chosen).
_READS_FILES, _AGREES = "risk", "general_manager"
_PROPOSES: Final = ("accountant", "finance_supervisor", "cashier")
_STEPS: Final = {"approve": "finance_supervisor", "refuse": "finance_supervisor", "execute": "cashier"}
#: Who reads what: a guarantor's terms whoever judges them or asks him to pay, compensations whoever signs one.
_Finance = Annotated[None, Depends(post("repayment", *_PROPOSES))]
_Reader = Annotated[None, Depends(post("repayment", _READS_FILES, _AGREES, *_PROPOSES))]


async def _require_post(staff: ViewReader, who: str, *roles: str) -> None:
    if not await holds(staff, who, *roles):
        raise Problem(403, "forbidden_post")


# --- the register --------------------------------------------------------------------------------------------------


@router.read("/guarantors", scopes("risk", "committee", "finance"), answer=GuarantorsOut)
async def read_guarantors(guarantors: Guarantors, page: ThisPage, _: _Reader) -> GuarantorsOut:
    """Who may stand in for loans, up to how much, and for how much he does."""
    found, following = await guarantors.page(page, where={})
    return GuarantorsOut(items=[GuarantorOut.of(document) for document in found], next=following)


@router.command(
    "/guarantors/{guarantor}",
    scopes("risk"),
    answer=GuarantorDone,
    answers={register_events.GuarantorProposed: GuarantorDone.proposed},
)
async def propose_guarantor(
    guarantor: GuarantorId, body: GuarantorIn, himself: Himself, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Propose a company, or new terms for one that is known; `gua_x` is the customer `usr_x`."""
    await _require_post(staff, principal.subject, _READS_FILES)
    return Order(guarantor, commands.ProposeGuarantor(guarantor=guarantor, himself=himself, **dict(body)))


@router.command(
    "/guarantors/{guarantor}/admission",
    scopes("committee"),
    answer=GuarantorDone,
    answers={register_events.GuarantorAdmitted: GuarantorDone.admitted},
    status=200,
)
async def admit_guarantor(
    guarantor: GuarantorId,
    himself: Himself,
    staff: Staff,
    principal: ThisPrincipal,
    body: AdmissionIn | None = None,
) -> Order:
    """Agree to what another person proposed, or to less."""
    await _require_post(staff, principal.subject, _AGREES)
    terms = dict(body or AdmissionIn())
    return Order(guarantor, commands.AdmitGuarantor(guarantor=guarantor, himself=himself, **terms))


@router.command(
    "/guarantors/{guarantor}/refusal",
    scopes("risk", "committee"),
    answer=GuarantorDone,
    answers={register_events.GuarantorRefused: GuarantorDone.refused},
    status=200,
)
async def refuse_guarantor(
    guarantor: GuarantorId, body: RefusalIn, himself: Himself, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Do not agree to what is proposed, or take it back."""
    await _require_post(staff, principal.subject, _READS_FILES, _AGREES)
    return Order(guarantor, commands.RefuseGuarantor(guarantor=guarantor, code=body.code, himself=himself))


@router.command(
    "/guarantors/{guarantor}/suspension",
    scopes("risk"),
    answer=GuarantorDone,
    answers={register_events.GuarantorSuspended: GuarantorDone.suspended},
    status=200,
)
async def suspend_guarantor(
    guarantor: GuarantorId, body: SuspensionIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """No new loans; for those that stand the company pays on."""
    await _require_post(staff, principal.subject, _READS_FILES)
    return Order(guarantor, commands.SuspendGuarantor(guarantor=guarantor, code=body.code))


# --- compensations -------------------------------------------------------------------------------------------------


@router.read("/compensations", scopes("finance"), answer=CompensationsOut)
async def read_compensations(
    compensations: Compensations,
    page: ThisPage,
    _: _Finance,
    state: Annotated[
        CompensationState | None, Query(description="Only those that stand there.", examples=["proposed"])
    ] = None,
) -> CompensationsOut:
    """What guarantors are asked to pay: what waits for approval, for the cashier, and how the others ended."""
    where = {} if state is None else {"state": state}
    found, following = await compensations.page(page, where=where)
    return CompensationsOut(items=[CompensationOut.of(document) for document in found], next=following)


@router.command(
    "/loans/{loan}/compensations",
    scopes("finance"),
    answer=CompensationDone,
    answers={events.CompensationProposed: CompensationDone.proposed},
)
async def propose_compensation(
    loan: LoanId,
    call: ThisCall,
    himself: Himself,
    staff: Staff,
    principal: ThisPrincipal,
    body: NoFields | None = None,  # noqa: ARG001  # its shape is checked
) -> Order:
    """Propose that an overdue loan's guarantor pays, as soon as its contract allows."""
    await _require_post(staff, principal.subject, *_PROPOSES)
    command = commands.ProposeCompensation(loan_id=loan, compensation_id=call.mint("cmp"), himself=himself)
    return Order(loan, command)


@router.command(
    "/loans/{loan}/compensations/{compensation}/steps",
    scopes("finance"),
    answer=CompensationDone,
    answers={
        events.CompensationApproved: CompensationDone.approved,
        events.CompensationExecuted: CompensationDone.executed,
        events.CompensationDeclined: CompensationDone.declined,
    },
    status=200,
)
async def sign_compensation(
    loan: LoanId,
    compensation: CompensationId,
    body: CompensationStepIn,
    himself: Himself,
    staff: Staff,
    principal: ThisPrincipal,
) -> Order:
    """Do the next step, by one's post, or refuse it with a code. Who it is, the token says."""
    await _require_post(staff, principal.subject, _STEPS[body.step])
    about: dict[str, Any] = {"loan_id": loan, "compensation_id": compensation, "himself": himself}
    match body.step:
        case "approve":
            return Order(loan, commands.ApproveCompensation(**about))
        case "execute":
            return Order(loan, commands.ExecuteCompensation(**about))
        case "refuse":
            return Order(loan, commands.RefuseCompensation(**about, code=body.code or "refused"))
