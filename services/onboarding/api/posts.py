"""Who holds a post: a token's scope lets somebody knock, his appointment lets him in (domain.md section 1).

The view of the staff is asked, so who was dismissed is out as soon as it has heard of it, however long his token lives.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends

from libs.runtime.http import ThisPrincipal, ViewReader, view_reader
from libs.runtime.http.problems import Problem

Staff = Annotated[ViewReader, Depends(view_reader("onboarding.staff"))]


async def holds(staff: ViewReader, who: str, role: str) -> bool:
    """Whether a member of staff holds a role now; nobody is appointed without being staff."""
    holder = await staff.find(who)
    return holder is not None and role in holder["roles"]


def _post(role: str) -> Callable[[ViewReader, ThisPrincipal], Awaitable[None]]:
    async def check(staff: Staff, principal: ThisPrincipal) -> None:
        """Raises Problem 403 `forbidden_post`."""
        if not await holds(staff, principal.subject, role):
            raise Problem(403, "forbidden_post")

    return check


#: A route of a post asks for one of these; its caller holds that post or is answered 403 `forbidden_post`.
CustomerManager = Annotated[None, Depends(_post("customer_manager"))]
Risk = Annotated[None, Depends(_post("risk"))]
Disbursement = Annotated[None, Depends(_post("disbursement"))]
