"""Who holds a post: a token's scope lets somebody knock, his appointment lets him in (domain.md section 1).

A service asks its own view of the staff (libs.events.staff), so who was dismissed is out as soon as that has heard of it,
however long his token lives.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends

from libs.runtime.http.calls import ThisPrincipal
from libs.runtime.http.problems import Problem
from libs.runtime.http.reading import ViewReader, view_reader


async def holds(staff: ViewReader, who: str, *roles: str) -> bool:
    """Whether a member of staff holds one of these roles now; nobody is appointed without being staff."""
    holder = await staff.find(who)
    return holder is not None and not set(roles).isdisjoint(holder["roles"])


def post(service: str, *roles: str) -> Callable[..., Coroutine[Any, Any, None]]:
    """A dependency of a post's route: its caller holds one of these roles. Raises Problem 403 `forbidden_post`."""

    async def check(
        staff: Annotated[ViewReader, Depends(view_reader(f"{service}.staff"))], principal: ThisPrincipal
    ) -> None:
        if not await holds(staff, principal.subject, *roles):
            raise Problem(403, "forbidden_post")

    return check
