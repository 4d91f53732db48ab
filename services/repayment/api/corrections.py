"""Routes of corrections: a clerk proposes, a supervisor allows, across the year's end the finance head too (processes.md 1.P).

The token's scope lets somebody knock, his post says as whom he signs: an accountant or a cashier proposes, the finance supervisor is
the supervisor, the general manager the finance head (chosen: the house has no other). That each is another person, the log decides.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query

from libs.events import corrections as events
from libs.events.corrections import CorrectionRole
from libs.events.views import OtherThan
from libs.runtime.http import (
    Order,
    ThisCall,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    not_found,
    scopes,
    view_reader,
)
from libs.runtime.http.posts import customer_behind, himself, holds, post
from libs.runtime.http.problems import Problem
from services.repayment.api.correction_shapes import (
    AuthorisationIn,
    BehindChargeOut,
    BehindChargesOut,
    CorrectionDone,
    CorrectionIn,
    CorrectionOut,
    CorrectionRefusalIn,
    CorrectionsOut,
)
from services.repayment.api.routes import Loans, ProductQuery, RegionQuery, router
from services.repayment.commands import corrections as commands
from services.repayment.projections.behind_charge import WANTED

CorrectionId = Annotated[str, id_path("cor")]
Corrections = Annotated[ViewReader, Depends(view_reader("repayment.corrections"))]
Staff = Annotated[ViewReader, Depends(view_reader("repayment.staff"))]

#: Who signs as what.
SIGNERS: Final[dict[CorrectionRole, str]] = {
    "supervisor": "finance_supervisor",
    "finance_head": "general_manager",
}
_Himself = Annotated[str | None, Depends(himself("repayment"))]
_Clerk = Annotated[None, Depends(post("repayment", "cashier", "accountant"))]
_Signer = Annotated[None, Depends(post("repayment", *SIGNERS.values()))]
_Reader = Annotated[None, Depends(post("repayment", "cashier", "accountant", *SIGNERS.values()))]


async def payments_fen(loans: ViewReader, corrections: Sequence[Mapping[str, Any]]) -> Sequence[int | None]:
    """The amount of the payment that each correction is about, as it was booked; None while the view has not seen it.

    A loan may have thousands of payments, and a page many corrections of it: it is read once.
    """
    wanted = dict.fromkeys(each["loan_id"] for each in corrections)
    booked = {loan_id: (await loans.find(loan_id) or {}).get("payments", {}) for loan_id in wanted}
    return [booked[each["loan_id"]].get(each["payment_id"], {}).get("amount_fen") for each in corrections]


@router.command(
    "/loans/{loan}/corrections",
    scopes("finance"),
    answer=CorrectionDone,
    answers={events.CorrectionProposed: CorrectionDone.proposed},
)
async def propose_correction(
    loan: Annotated[str, id_path("loan")],
    body: CorrectionIn,
    call: ThisCall,
    loans: Loans,
    himself: _Himself,
    _: _Clerk,
) -> Order:
    """Propose that a payment of a loan does not count, or counts as of another date."""
    document = await loans.get(loan, missing="unknown_loan")
    payment = document.get("payments", {}).get(body.payment_id)
    if payment is None:
        raise not_found("unknown_payment")
    correction_id = call.mint("cor")
    command = commands.ProposeCorrection(
        correction_id=correction_id,
        loan_id=loan,
        payment_id=body.payment_id,
        kind=body.kind,
        reason=body.reason,
        value_date=date.fromisoformat(payment.get("counts_on") or payment["value_date"]),
        to_date=body.to_date,
        himself=himself,
    )
    return Order(correction_id, command)


@router.read("/corrections", scopes("finance", "correction"), answer=CorrectionsOut)
async def read_corrections(
    corrections: Corrections,
    loans: Loans,
    page: ThisPage,
    _: _Reader,
    state: Annotated[
        Literal["proposed", "authorised", "booked", "closed", "refused"] | None,
        Query(description="Only corrections that are so far.", examples=["proposed"]),
    ] = None,
) -> CorrectionsOut:
    """Corrections, those that wait for a signature or for money among them."""
    # What bidding says of one may be here before the loan has said that there is one.
    stands = {"state": OtherThan(WANTED), "loan_id": OtherThan(None)}
    found, following = await corrections.page(page, where=stands if state is None else {"state": state})
    amounts_fen = await payments_fen(loans, found)
    items = [CorrectionOut.of(each, fen) for each, fen in zip(found, amounts_fen, strict=True)]
    return CorrectionsOut(items=items, next=following)


@router.read("/payments/behind-charge", scopes("finance", "correction"), answer=BehindChargesOut)
async def read_behind_charge(
    corrections: Corrections,
    page: ThisPage,
    _: _Reader,
    region: RegionQuery = None,
    product: ProductQuery = None,
) -> BehindChargesOut:
    """Payments that were told after penalty of days after their value date was charged, and that no correction has dated anew yet."""
    asked = {"region": region, "product": product}
    where = {name: value for name, value in asked.items() if value is not None}
    found, following = await corrections.page(page, where={"state": WANTED} | where)
    return BehindChargesOut(items=[BehindChargeOut.of(document) for document in found], next=following)


@router.command(
    "/corrections/{correction}/authorisations",
    scopes("correction"),
    answer=CorrectionDone,
    answers={
        events.CorrectionSigned: CorrectionDone.signed,
        events.CorrectionAuthorised: CorrectionDone.authorised,
    },
)
async def authorise_correction(
    correction: CorrectionId, body: AuthorisationIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Allow a correction that another person has proposed."""
    if not await holds(staff, principal.subject, SIGNERS[body.role]):
        raise Problem(403, "forbidden_post")
    himself = await customer_behind(staff, principal.subject)
    return Order(correction, commands.AuthoriseCorrection(role=body.role, himself=himself))


@router.command(
    "/corrections/{correction}/refusals",
    scopes("correction"),
    answer=CorrectionDone,
    answers={events.CorrectionRefused: CorrectionDone.refused},
)
async def refuse_correction(
    correction: CorrectionId, body: CorrectionRefusalIn, himself: _Himself, _: _Signer
) -> Order:
    """Refuse a correction with a code: it ends."""
    return Order(correction, commands.RefuseCorrection(code=body.code, himself=himself))
