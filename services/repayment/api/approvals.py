"""The work list of approvals: everything of this service that waits for the word of a post, of all kinds in one list.

Nothing is kept for it: each kind has its view, in which what waits for a post is found by its stage, so the list is these lists one after
the other. Its cursor says in which of them a page ended. Whether it is really one's own turn (nobody signs what he has proposed), the log
decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal, assert_never, get_args

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from libs.events.views import OtherThan
from libs.runtime.auth import Principal
from libs.runtime.http import Page, ThisPage, ThisPrincipal, ViewReader, scopes
from libs.runtime.http.posts import holds
from libs.runtime.http.problems import Problem
from services.repayment.api.assets import Assets
from services.repayment.api.corrections import SIGNERS, Corrections, payments_fen
from services.repayment.api.guarantees import Compensations, Guarantors
from services.repayment.api.measures import LOAN_CLERK, Measures, Staff, branch_of, waiting_for
from services.repayment.api.routes import Loans, router

Kind = Literal["measure", "correction", "compensation", "asset_sale", "guarantor"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Post = Literal[
    "collections_supervisor",
    "risk",
    "risk_assessor",
    "legal",
    "finance_supervisor",
    "general_manager",
    "cashier",
    "loan_clerk",
]
#: With which of a token's scopes one answers each kind: without it one is shown none.
_SCOPES: Final[Mapping[Kind, str]] = {
    "measure": "measure",
    "correction": "correction",
    "compensation": "finance",
    "asset_sale": "committee",
    "guarantor": "committee",
}
POSTS: Final[tuple[Post, ...]] = get_args(Post)
_PLACE: Final = ":"


class ApprovalOut(BaseModel):
    """Something that waits for a post's word: what it is (`what`: which measure, which correction, what is covered, which asset), of which
    loan, how much in fen where it names an amount (what is given up, what a thing is taken for, what a pursuit cost, is paid, sold or
    guaranteed, was paid and is to be corrected), who proposed it, the last day on which it is answered (null where it has none), and where one answers."""

    kind: Kind
    id: str
    what: str
    loan_id: str | None
    amount_fen: int | None
    proposed_by: str
    proposed_on: date | None
    until: date | None
    answer_at: str = Field(examples=["/repayment/measures/msr_7f3a/steps"])


class ApprovalsOut(BaseModel):
    """A page of what waits for a post, kind by kind; `next` is the cursor of the next page, null after the last."""

    items: list[ApprovalOut]
    next: str | None


@dataclass(frozen=True, slots=True)
class Lists:
    """A reader per kind."""

    of: Mapping[Kind, ViewReader]


def _lists(
    measures: Measures,
    corrections: Corrections,
    compensations: Compensations,
    assets: Assets,
    guarantors: Guarantors,
) -> Lists:
    readers = (measures, corrections, compensations, assets, guarantors)
    return Lists(dict(zip(KINDS, readers, strict=True)))


@router.read("/approvals", scopes(*dict.fromkeys(_SCOPES.values())), answer=ApprovalsOut)
async def read_approvals(
    lists: Annotated[Lists, Depends(_lists)],
    loans: Loans,
    page: ThisPage,
    staff: Staff,
    principal: ThisPrincipal,
    post: Annotated[
        Post | None, Query(description="Only what waits for this post; without it, for all that one holds.")
    ] = None,
) -> ApprovalsOut:
    """All measures, corrections, compensations, sales of assets and guarantors' terms that wait for a post which the caller holds; of
    loans that go to another branch those that come to his."""
    posts = [one for one in POSTS if one == (post or one) and await holds(staff, principal.subject, one)]
    if not posts:
        raise Problem(403, "forbidden_post")
    items: list[ApprovalOut] = []
    branch = await branch_of(staff, principal.subject)
    for name, kind, where, after in _from(posts, branch, principal, page.cursor):
        if len(items) == page.limit:
            return ApprovalsOut(items=items, next=f"{name}{_PLACE}")
        found, following = await lists.of[kind].page(Page(after, page.limit - len(items)), where)
        paid_fen = await payments_fen(loans, found) if kind == "correction" else [None] * len(found)
        items += [_shown(kind, each, fen) for each, fen in zip(found, paid_fen, strict=True)]
        if following is not None:
            return ApprovalsOut(items=items, next=f"{name}{_PLACE}{following}")
    return ApprovalsOut(items=items, next=None)


def _from(
    posts: Iterable[Post], branch: str | None, principal: Principal, cursor: str | None
) -> Iterator[tuple[str, Kind, Mapping[str, Any], str | None]]:
    """The lists from a cursor on, each with its name and after what its page begins. Raises Problem 422 for a cursor that no page gave."""
    found = [
        (f"{post}.{kind}", kind, where)
        for post in posts
        for kind, where in _waiting(post, branch).items()
        if principal.may(_SCOPES[kind])
    ]
    begins, _, after = (cursor or "").partition(_PLACE)
    if cursor is not None and all(name != begins for name, *_ in found):
        raise Problem(422, "malformed_cursor")
    is_reached = cursor is None
    for name, kind, where in found:
        is_reached = is_reached or name == begins
        if is_reached:
            yield name, kind, where, (after or None) if name == begins else None


def _waiting(post: Post, branch: str | None) -> Mapping[Kind, Mapping[str, Any]]:
    """How each kind is found that can wait for a post, by who is of a branch."""
    found: dict[Kind, Mapping[str, Any]] = {}
    if post == LOAN_CLERK:
        found["measure"] = waiting_for("receiving_clerk", branch)
    elif post != "cashier":
        found["measure"] = waiting_for(post, branch)
    for role, signer in SIGNERS.items():
        if signer == post:
            asked = {"signatures": 2} if role == "finance_head" else {}
            found["correction"] = {"state": "proposed", f"signed.{role}": None} | asked
    if post in ("finance_supervisor", "cashier"):
        found["compensation"] = {"state": "proposed" if post == "finance_supervisor" else "approved"}
    if post in ("finance_supervisor", "general_manager"):
        found["asset_sale"] = {"stage": post}
    if post == "general_manager":
        found["guarantor"] = {"proposal": OtherThan(None)}
    return found


def _shown(kind: Kind, document: Mapping[str, Any], paid_fen: int | None) -> ApprovalOut:
    loan_id = document.get("loan_id")
    match kind:
        case "measure":
            name, what, amount = document["measure_id"], document["kind"], _named_fen(document["terms"])
            at = f"measures/{name}/steps"
        case "correction":
            name, what, amount = document["correction_id"], document["kind"], paid_fen
            at = f"corrections/{name}/authorisations"
        case "compensation":
            name, what, amount = document["compensation_id"], document["covers"], document["amount_fen"]
            at = f"loans/{loan_id}/compensations/{name}/steps"
        case "asset_sale":
            sale = document["disposal"]
            name, what, amount = document["asset_id"], document["asset"], sale["price_fen"]
            at = f"assets/{name}/disposals/{sale['disposal_id']}/steps"
        case "guarantor":
            name, what, amount = document["guarantor"], "terms", document["proposal"]["limit_fen"]
            at = f"guarantors/{name}/admission"
        case _:
            assert_never(kind)
    proposed = {"asset_sale": "disposal", "guarantor": "proposal"}.get(kind)
    by = document if proposed is None else document[proposed]
    return ApprovalOut(
        kind=kind,
        id=name,
        what=what,
        loan_id=loan_id,
        amount_fen=amount,
        proposed_by=by["proposed_by"],
        proposed_on=by.get("proposed_on"),
        until=by.get("until" if kind == "measure" else "sign_until"),
        answer_at=f"/repayment/{at}",
    )


def _named_fen(terms: Mapping[str, Any]) -> int | None:
    """The amount that a measure's terms name: given up, taken for, or what a pursuit cost."""
    return next((terms[name] for name in ("amount_fen", "agreed_fen", "cost_fen") if terms.get(name)), None)
