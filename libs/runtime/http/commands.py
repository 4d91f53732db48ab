"""From a person's request to the log's answer: send, wait for the decision, say what it says.

The answer is computed from the first decision's events and nothing else, so a retry is answered with the same bytes
whichever process, decider or view is alive (design.md 2.9).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from libs.events.codec import encode, name_of
from libs.events.records import CommandEnvelope, StoredEvent, decode_event
from libs.events.system import CommandHadNoEffect, CommandRefused
from libs.events.topics import COMMAND_BYTES_MAX
from libs.runtime import failpoints
from libs.runtime.http.calls import Call, fingerprint
from libs.runtime.http.edge import Edge
from libs.runtime.http.positions import POSITION_HEADER, Positions, format_positions, merged
from libs.runtime.http.problems import problem_response, refusal, try_again
from libs.runtime.http.requests import too_large
from libs.runtime.kafka import LogUnavailable, RecordTooLarge
from libs.runtime.observability import DECISION_WAIT_SECONDS
from libs.runtime.outcomes import Outcome

_STALLED: Final = {
    "too_many_waiting": "Too many requests wait for their answers. Nothing is lost: send the same request again.",
    "commands_waiting": "The service is not deciding at the moment. Nothing is lost: send the same request again.",
    "commands_lost": (
        "Commands that were decided are missing from the log, so nothing more is taken until it is restored. "
        "What was answered stays answered: send the same request again later."
    ),
    "log_unavailable": "The log does not answer at the moment. Nothing is lost: send the same request again.",
}


class Answer(BaseModel):
    """Base of all answers: small, flat, and a function of events only."""

    model_config = ConfigDict(frozen=True)

    id: str


class Unchanged(Answer):
    """What was asked for already held; `id` is the stream it holds for."""

    unchanged: bool = True


class Pending(Answer):
    """The command is stored and not decided yet; `id` is its id, to be asked for at `Location`.

    A caller without a token (the bank) gets no Location, and the answer by sending the same call again.
    """

    status: str = "pending"


@dataclass(frozen=True, slots=True)
class Order:
    """What a route makes of a request: a command for a stream.

    `key` identifies the call where no header does; then the call is what it says, however its JSON is written.
    """

    stream_id: str
    command: Any
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A command as it reaches the log: its record's value, and by what its decision is recognised."""

    command_id: str
    fingerprint: str
    value: bytes


Answers = Mapping[type, Callable[[Any], Answer]]
"""Event type -> the answer it gives. The first event of the decision that stands here answers."""


async def command_response(
    edge: Edge, call: Call, order: Order, answers: Answers, *, status: int, seen: Positions
) -> Response:
    """Send an order and answer with its first decision, or with 202 when there is none in time.

    Raises Problem: 413, or 503 where nobody decides or the sending's outcome is unknown; both may be sent again.
    """
    partition = edge.commands.partition(order.stream_id)
    _refuse_when_stalled(edge, partition)
    command = sealed(edge.fingerprint_secret, call, order)
    started = time.monotonic()
    with edge.outcomes.expect(command.command_id, command.fingerprint) as expected:
        position = await _append(edge, order.stream_id, command.value)
        failpoints.reach("command-stored")
        outcome = await expected.within(edge.settings.decision_wait_s)
    DECISION_WAIT_SECONDS.labels(edge.service).observe(time.monotonic() - started)
    if outcome is None:
        _refuse_when_stalled(edge, partition)
        response = _json(Pending(id=command.command_id), 202)
        # Who came without a token could not read it: the same call again answers him.
        if call.principal.scopes:
            response.headers["Location"] = f"/{edge.service}/commands/{command.command_id}"
    else:
        response = outcome_response(outcome, answers, status=status)
    token = merged(seen, {(edge.service, partition): position})
    response.headers[POSITION_HEADER] = format_positions(token)
    return response


def outcome_response(outcome: Outcome, answers: Answers, *, status: int) -> Response:
    """The answer that a first decision gives: the same events give the same bytes."""
    first = outcome.events[0]
    if first.type == name_of(CommandRefused):
        return problem_response(refusal(str(first.data["code"])))
    if first.type == name_of(CommandHadNoEffect):
        return _json(Unchanged(id=str(first.data["stream_id"])), 200)
    return _json(answer_of(outcome.events, answers), status)


def answer_of(events: tuple[StoredEvent, ...], answers: Answers) -> Answer:
    """The answer that a decision's events give. Raises LookupError when none of them has one."""
    for stored in events:
        event = decode_event(stored)
        if type(event) in answers:
            return answers[type(event)](event)
    raise LookupError(f"no answer for a decision that holds {[stored.type for stored in events]}")


def sealed(secret: bytes, call: Call, order: Order) -> Sealed:
    """What a call asks of the log. The same call has the same id and fingerprint, whichever process sends it, so that it counts
    once. Raises Problem 413."""
    command_id = str(call.command_id(order.key))
    said = call.body if order.key is None else encode(type(order.command), order.command)
    stamp = fingerprint(secret, said)
    envelope = CommandEnvelope(
        command_id=command_id,
        type=name_of(type(order.command)),
        stream_id=order.stream_id,
        data=order.command,
        at=datetime.now(UTC),
        principal=call.principal.subject,
        correlation_id=command_id,
        fingerprint=stamp,
    )
    value = encode(CommandEnvelope, envelope)
    if len(value) > COMMAND_BYTES_MAX:
        raise too_large()
    return Sealed(command_id, stamp, value)


async def _append(edge: Edge, stream_id: str, value: bytes) -> int:
    try:
        return await edge.commands.append(stream_id, value)
    except RecordTooLarge:
        raise too_large() from None
    except LogUnavailable:
        raise try_again(
            "outcome_unknown", "Whether the request was stored is unknown: send it again with the same key."
        ) from None


def _refuse_when_stalled(edge: Edge, partition: int) -> None:
    code = edge.outcomes.stalled(partition)
    if code is not None:
        raise try_again(code, _STALLED[code])


def _json(answer: Answer, status: int) -> Response:
    return Response(answer.model_dump_json(), status_code=status, media_type="application/json")
