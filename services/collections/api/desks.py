"""Who works in collections, as its routes ask: a supervisor by his appointment, a collector by his desk.

A token lives on when its bearer is dismissed; the register of the staff and the desks do not.
"""

from typing import Annotated, Final

from fastapi import Depends

from libs.runtime.auth import Principal
from libs.runtime.http import ThisPrincipal, ViewReader, not_found, view_reader
from libs.runtime.http.posts import holds, post
from libs.runtime.http.problems import Problem
from services.collections.api.shapes import CollectorOut

COLLECTOR: Final = "collector"
SUPERVISOR: Final = "collections_supervisor"
ANALYST: Final = "analyst"

Collectors = Annotated[ViewReader, Depends(view_reader("collections.collectors"))]
Staff = Annotated[ViewReader, Depends(view_reader("collections.staff"))]


async def _supervises(principal: ThisPrincipal, staff: Staff) -> bool:
    """Whether the caller comes as a supervisor: by his token and his appointment. Without both he is at most a collector.

    Raises Problem 403 `forbidden_post` for who is neither by his token, and 404 for who comes as a collector and is none any more: he has
    no desk, whatever he was given while he had one.
    """
    if principal.may(SUPERVISOR) and await holds(staff, principal.subject, SUPERVISOR):
        return True
    if not principal.may(COLLECTOR):
        raise Problem(403, "forbidden_post")
    if not await holds(staff, principal.subject, COLLECTOR):
        raise not_found("unknown_collector")
    return False


Supervises = Annotated[bool, Depends(_supervises)]
Supervisor = Annotated[None, Depends(post("collections", SUPERVISOR))]


async def _oversees(principal: ThisPrincipal, staff: Staff) -> None:
    """The caller sees the whole of collections: its supervisor, or an analyst, who has no post. Raises Problem 403 `forbidden_post`."""
    if not principal.may(ANALYST) and not await holds(staff, principal.subject, SUPERVISOR):
        raise Problem(403, "forbidden_post")


Oversees = Annotated[None, Depends(_oversees)]


async def _own_desk(
    principal: ThisPrincipal, collectors: Collectors, supervises: Supervises
) -> CollectorOut | None:
    """The caller's desk; None for a supervisor, who sees everything."""
    if supervises:
        return None
    return await desk_of(principal, collectors)


async def desk_of(principal: Principal, collectors: ViewReader) -> CollectorOut:
    """Somebody's desk. Raises Problem 404 for who has none."""
    document = await collectors.get(principal.subject, missing="unknown_collector")
    if "state" not in document:
        raise not_found("unknown_collector")
    return CollectorOut.of(document)


OwnDesk = Annotated[CollectorOut | None, Depends(_own_desk)]
