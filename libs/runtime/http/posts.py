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


async def customer_behind(staff: ViewReader, who: str) -> str | None:
    """Who a member of staff is as a customer, None where the register names none: about himself nobody signs."""
    holder = await staff.find(who)
    return None if holder is None else holder.get("user_id")


def himself(service: str) -> Callable[..., Coroutine[Any, Any, str | None]]:
    """A dependency of a post's route: who its caller is as a customer (`customer_behind`)."""

    async def find(
        staff: Annotated[ViewReader, Depends(view_reader(f"{service}.staff"))], principal: ThisPrincipal
    ) -> str | None:
        return await customer_behind(staff, principal.subject)

    return find


def post(service: str, *roles: str) -> Callable[..., Coroutine[Any, Any, None]]:
    """A dependency of a post's route: its caller holds one of these roles. Raises Problem 403 `forbidden_post`."""

    async def check(
        staff: Annotated[ViewReader, Depends(view_reader(f"{service}.staff"))], principal: ThisPrincipal
    ) -> None:
        if not await holds(staff, principal.subject, *roles):
            raise Problem(403, "forbidden_post")

    return check
