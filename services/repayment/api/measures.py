"""Routes of measures: a proposal and what became of it, one address for all steps, each post's work, and the vote of the lenders.

The token's scope `measure` lets somebody knock; the measure's kind says who may propose it, the step which post he must hold. Whether
it is the step's turn, and whether he has signed another, the log decides. Who he is as a customer, the staff's register says.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

from fastapi import Depends, Query

from libs.events import mandate as mandate_events
from libs.events import measures as events
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
from libs.runtime.http.posts import holds, post
from libs.runtime.http.problems import Problem
from services.repayment.api.measure_shapes import (
    MandateVoteOut,
    MandateVotesOut,
    MeasureDone,
    MeasureIn,
    MeasureOut,
    MeasuresOut,
    MeasureStepIn,
    VoteIn,
)
from services.repayment.api.routes import router
from services.repayment.commands import measures as commands
from services.repayment.domain.measure_chain import PROPOSERS

MeasureId = Annotated[str, id_path("msr")]
Measures = Annotated[ViewReader, Depends(view_reader("repayment.measures"))]
Staff = Annotated[ViewReader, Depends(view_reader("repayment.staff"))]


LOAN_CLERK: Final = "loan_clerk"
#: Who proposes anything, and who has anything to do with a measure.
_PROPOSERS: Final = tuple(sorted({post for posts in PROPOSERS.values() for post in posts}))
_SIGNERS: Final = tuple(sorted({*get_args(events.MeasureStep), LOAN_CLERK} - {"receiving_clerk"}))
_Proposer = Annotated[None, Depends(post("repayment", *_PROPOSERS))]
_Reader = Annotated[None, Depends(post("repayment", *{*_PROPOSERS, *_SIGNERS}))]


async def _require_post(staff: ViewReader, who: str, *roles: str) -> None:
    if not await holds(staff, who, *roles):
        raise Problem(403, "forbidden_post")


def waiting_for(step: events.MeasureStep, branch: str | None) -> Mapping[str, Any]:
    """How what waits for a step is found, by who is of a branch: a loan is taken on by a clerk of the one to which it comes."""
    return {"stage": step} | ({"terms.to_branch": branch} if step == "receiving_clerk" else {})


async def branch_of(staff: ViewReader, who: str) -> str | None:
    """The branch of a member of staff, None for nobody and for who is of none."""
    found = await staff.find(who)
    return None if found is None else found.get("region")


def _post(step: events.MeasureStep) -> str:
    """Whose step it is: posts have their names, and a clerk of either branch is a clerk."""
    return LOAN_CLERK if step == "receiving_clerk" else step


@router.command(
    "/measures",
    scopes("measure"),
    answer=MeasureDone,
    answers={events.MeasureProposed: MeasureDone.proposed},
)
async def propose_measure(body: MeasureIn, call: ThisCall, staff: Staff, principal: ThisPrincipal) -> Order:
    """Propose a measure for a loan, by one's post. Whether the loan could do it, it says next."""
    terms = body.terms.terms()
    await _require_post(staff, principal.subject, *PROPOSERS[terms.kind])
    proposer = await staff.find(principal.subject)
    measure_id = call.mint("msr")
    command = commands.ProposeMeasure(
        measure_id=measure_id,
        loan_id=body.loan_id,
        terms=terms,
        reason=body.reason,
        evidence=tuple(body.evidence),
        branch=None if proposer is None else proposer.get("region"),
        himself=None if proposer is None else proposer.get("user_id"),
    )
    return Order(measure_id, command)


@router.read("/measures/work", scopes("measure"), answer=MeasuresOut)
async def read_measure_work(
    post: Annotated[events.MeasureStep, Query(description="The post whose step the measures wait for.")],
    measures: Measures,
    page: ThisPage,
    staff: Staff,
    principal: ThisPrincipal,
) -> MeasuresOut:
    """The measures that wait for a step, for the post that does it; those that come to one's own branch, of a clerk."""
    await _require_post(staff, principal.subject, _post(post))
    where = waiting_for(post, await branch_of(staff, principal.subject))
    found, following = await measures.page(page, where=where)
    return MeasuresOut(items=[MeasureOut.of(document) for document in found], next=following)


@router.read("/measures/votes", scopes("claim:own"), answer=MandateVotesOut)
async def read_mandate_votes(measures: Measures, page: ThisPage, principal: ThisPrincipal) -> MandateVotesOut:
    """What the lenders of the caller's loans are asked, while they may answer."""
    found, following = await measures.page(page, where={"stage": "vote", "voters": principal.subject})
    items = [MandateVoteOut.of(document, principal.subject) for document in found]
    return MandateVotesOut(items=items, next=following)


@router.read("/measures/mine", scopes("measure"), answer=MeasuresOut)
async def read_own_measures(
    measures: Measures, page: ThisPage, principal: ThisPrincipal, _: _Proposer
) -> MeasuresOut:
    """What the caller has proposed, however far it is, and what became of it."""
    found, following = await measures.page(page, where={"proposed_by": principal.subject})
    return MeasuresOut(items=[MeasureOut.of(document) for document in found], next=following)


@router.read("/measures/{measure}", scopes("measure"), answer=MeasureOut)
async def read_measure(
    measure: MeasureId, measures: Measures, staff: Staff, principal: ThisPrincipal, _: _Reader
) -> MeasureOut:
    """How far a measure is, or how it ended, for who proposed it and for the posts that sign it; for everybody else there is none."""
    document = await measures.get(measure, missing="unknown_measure")
    if document.get("proposed_by") != principal.subject:
        # A clerk signs only what comes to his branch; before the loan has answered nobody is to sign.
        steps = document.get("steps", ())
        if document.get("terms", {}).get("to_branch") != await branch_of(staff, principal.subject):
            steps = [step for step in steps if step != "receiving_clerk"]
        if not await holds(staff, principal.subject, *map(_post, steps)):
            raise not_found("unknown_measure")
    return MeasureOut.of(document)


@router.command(
    "/measures/{measure}/steps",
    scopes("measure"),
    answer=MeasureDone,
    answers={
        events.MeasureSigned: MeasureDone.signed,
        events.MeasureRefused: MeasureDone.refused,
    },
)
async def sign_measure(
    measure: MeasureId, body: MeasureStepIn, staff: Staff, principal: ThisPrincipal
) -> Order:
    """Do the measure's next step, by one's post, or refuse it with a code. Who it is, the token says."""
    await _require_post(staff, principal.subject, _post(body.step))
    signer = await staff.find(principal.subject)
    himself = None if signer is None else signer.get("user_id")
    signature = commands.SignMeasure(
        step=body.step,
        refused=body.refused,
        himself=himself,
        branch=None if signer is None else signer.get("region"),
    )
    return Order(measure, signature)


@router.read("/measures/{measure}/vote", scopes("claim:own"), answer=MandateVoteOut)
async def read_mandate_vote(
    measure: MeasureId, measures: Measures, principal: ThisPrincipal
) -> MandateVoteOut:
    """What one was asked as a lender, one's own word, and what became of it."""
    document = await measures.get(measure, missing="unknown_measure")
    if principal.subject not in document.get("voters", ()):
        raise not_found("unknown_measure")
    return MandateVoteOut.of(document, principal.subject)


@router.command(
    "/measures/{measure}/vote",
    scopes("claim:own"),
    answer=MeasureDone,
    answers={mandate_events.MandateVoted: MeasureDone.voted},
)
async def vote_on_measure(measure: MeasureId, body: VoteIn) -> Order:
    """Agree to a measure as one of its loan's lenders, or do not, with all one's principal."""
    return Order(measure, commands.VoteOnMandate(agrees=body.agrees))
