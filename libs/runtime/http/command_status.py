"""`GET /{service}/commands/{id}`: what became of a command whose answer was not awaited. Every service with commands has it.

It reads the view `{service}.commands`, whose documents belong to the principal that sent the command.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Path
from pydantic import BaseModel

from libs.events.records import StoredEvent
from libs.runtime.auth import SCOPES
from libs.runtime.http.access import scopes
from libs.runtime.http.calls import ThisPrincipal
from libs.runtime.http.commands import Answers, answer_of
from libs.runtime.http.problems import Problem
from libs.runtime.http.reading import ViewReader, view_reader
from libs.runtime.http.router import ServiceRouter

_UUID: Final = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class CommandOut(BaseModel):
    """A decided command. `answer` is what its request is answered with when it is sent again; `code` says why it was refused."""

    id: str
    type: str
    status: Literal["decided", "refused", "no_effect"]
    code: str | None
    position: str
    answer: dict[str, Any] | None

    @staticmethod
    def of(command_id: str, document: dict[str, Any], answers: Answers) -> "CommandOut":
        """From a document of the service's view of commands."""
        answer = None
        if document["outcome"] == "decided":
            events = tuple(
                StoredEvent(item["type"], item["stream"], item["sequence"], item["data"])
                for item in document["events"]
            )
            answer = answer_of(events, answers).model_dump(mode="json")
        return CommandOut(
            id=command_id,
            type=document["type"],
            status=document["outcome"],
            code=document.get("code"),
            position=document["position"],
            answer=answer,
        )


def add_command_status(router: ServiceRouter) -> None:
    """Declare the route for a service."""
    reader = view_reader(f"{router.service}.commands")

    # Every scope there is: whoever could send a command may ask for it, and the owner is compared below.
    @router.read("/commands/{command}", scopes(*SCOPES), answer=CommandOut)
    async def read_command(
        command: Annotated[str, Path(pattern=_UUID, examples=["00000000-0000-5000-8000-000000000000"])],
        commands: Annotated[ViewReader, Depends(reader)],
        principal: ThisPrincipal,
    ) -> CommandOut:
        """One's own command, once it is decided. Until then, as for other people's, there is nothing here."""
        document = await commands.find(command)
        if document is None or document["owner"] != principal.subject:
            raise Problem(
                404, "unknown_command", "Not decided yet, or none of yours.", headers={"Retry-After": "1"}
            )
        return CommandOut.of(command, document, router.answers)
