"""Routes of onboarding, all of them: people's are in people.py, an application's steps in applications.py, staff's here.

A member of staff is the token's subject (`stf_…`); which posts he may act for is his scopes and his appointment (posts.py),
whether he may act in this case is decided by the log.
"""

from typing import Annotated

from fastapi import Depends

from libs.events import onboarding as events
from libs.runtime.http import (
    NoFields,
    Order,
    ThisPage,
    ThisPrincipal,
    ViewReader,
    id_path,
    scopes,
    view_reader,
)
from libs.runtime.http.problems import Problem
from services.onboarding import commands
from services.onboarding.api import applications, people, quotes
from services.onboarding.api.posts import Staff
from services.onboarding.api.router import router
from services.onboarding.api.shapes import AppointmentIn, PipelineOut, StaffDone, StaffOut, StaffPageOut
from services.onboarding.projections.pipeline import ALL, STAGES

#: Importing the other modules declares their routes.
__all__ = ["applications", "people", "quotes", "router"]

StaffId = Annotated[str, id_path("stf")]
Pipeline = Annotated[ViewReader, Depends(view_reader("onboarding.pipeline"))]


@router.command(
    "/staff/{staff}/appointments",
    scopes("admin"),
    answer=StaffDone,
    answers={events.StaffAppointed: StaffDone.appointed},
)
async def appoint(staff: StaffId, body: AppointmentIn, principal: ThisPrincipal) -> Order:
    """Give a member of staff exactly these roles; posts that must differ never meet in one person. Only staff appoints."""
    if not principal.subject.startswith("stf_"):
        raise Problem(403, "forbidden_not_staff")
    appointed = commands.AppointStaff(
        staff_id=staff, roles=tuple(body.roles), region=body.region, user_id=body.user_id
    )
    return Order(staff, appointed)


@router.command(
    "/staff/{staff}/dismissal",
    scopes("admin"),
    answer=StaffDone,
    answers={events.StaffDismissed: StaffDone.dismissed},
)
async def dismiss(staff: StaffId, body: NoFields | None = None) -> Order:  # noqa: ARG001  # its shape is checked
    """A member of staff leaves."""
    return Order(staff, commands.DismissStaff(staff_id=staff))


@router.read("/staff", scopes("admin"), answer=StaffPageOut)
async def read_staff(staff: Staff, page: ThisPage) -> StaffPageOut:
    """All staff."""
    found, following = await staff.page(page)
    return StaffPageOut(items=[StaffOut.of(document) for document in found], next=following)


@router.read("/pipeline", scopes("operator", "analyst"), answer=PipelineOut)
async def read_pipeline(pipeline: Pipeline) -> PipelineOut:
    """How many applications ever reached each stage."""
    reached = (await pipeline.find(ALL) or {}).get("reached", {})
    return PipelineOut(stages={stage: int(reached.get(stage, 0)) for stage in STAGES.values()})
