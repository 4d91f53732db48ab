"""The topics as an AsyncAPI 3 document: what other teams read, and generate from, before they consume the log.

A record of `S.events` is one decision with its events; its key is the stream, its headers carry the chain. Commands are
private to their service, so their `data` stays open.
"""

from collections.abc import Mapping
from typing import Any

from libs.events.chain import HASHED_HEADERS
from libs.events.codec import EVENT_TYPES, adapter
from libs.events.records import CommandEnvelope
from libs.events.topics import (
    COMMAND_BYTES_MAX,
    DECIDING_SERVICES,
    DECISION_BYTES_MAX,
    commands_topic,
    events_topic,
)

_SCHEMAS = "#/components/schemas/"


def asyncapi_document() -> dict[str, Any]:
    """The whole document. Raises ValueError when two different records share a name."""
    schemas: dict[str, Any] = {}
    for name, kind in sorted(EVENT_TYPES.items()):
        schemas[name] = _hoisted(adapter(kind).json_schema(), schemas)
    schemas["CommandEnvelope"] = _hoisted(adapter(CommandEnvelope).json_schema(), schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Loanstream's log",
            "version": "1",
            "description": "Two topics per deciding service. A decision stands at the offset of its command (`position`) and "
            "names the hash of the decision before it; accept only the next position that links to what you have.",
        },
        "defaultContentType": "application/json",
        "channels": {
            name: channel
            for service in DECIDING_SERVICES
            for name, channel in (
                (
                    f"{service}Events",
                    _channel(events_topic(service), f"{service}Decision", DECISION_BYTES_MAX),
                ),
                (f"{service}Commands", _channel(commands_topic(service), "Command", COMMAND_BYTES_MAX)),
            )
        },
        "operations": {
            name: operation
            for service in DECIDING_SERVICES
            for name, operation in (
                (
                    f"{service}Decides",
                    _operation("send", f"{service}Events", f"{service} alone writes here."),
                ),
                (
                    f"{service}IsAsked",
                    _operation(
                        "receive",
                        f"{service}Commands",
                        f"Written by {service}'s API, policies and ticks alone.",
                    ),
                ),
            )
        },
        "components": {
            "messages": {f"{service}Decision": _decision(service) for service in DECIDING_SERVICES}
            | {
                "Command": {
                    "summary": "One command; its partition follows from its key, the stream.",
                    "payload": {"$ref": f"{_SCHEMAS}CommandEnvelope"},
                }
            },
            "schemas": schemas,
        },
    }


def _channel(topic: str, message: str, bytes_max: int) -> dict[str, Any]:
    return {
        "address": topic,
        "description": f"Kept for ever; a record is at most {bytes_max:,} bytes.",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": topic,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": -1,
                    "retention.bytes": -1,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {"action": action, "summary": summary, "channel": {"$ref": f"#/channels/{channel}"}}


def _decision(service: str) -> dict[str, Any]:
    """The record of a service's decision: common fields once, then its events by type."""
    names = [name for name in sorted(EVENT_TYPES) if name.split(".", 1)[0] in (service, "system")]
    nothing_or = [{"type": "string"}, {"type": "null"}]
    return {
        "summary": f"One decision of {service} with everything that happened by it.",
        "headers": {
            "type": "object",
            "description": "UTF-8 texts; `prev` and `hash` are 32 bytes.",
            "properties": {name: {"type": "string"} for name in (*HASHED_HEADERS, "prev", "hash", "by")},
            "required": ["position", "command", "prev", "hash"],
        },
        "payload": {
            "type": "object",
            "properties": {
                "at": {"anyOf": nothing_or},
                "business_date": {"anyOf": nothing_or},
                "principal": {"type": "string"},
                "correlation_id": {"type": "string"},
                "causation_id": {"anyOf": nothing_or},
                "events": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"oneOf": [_event(name) for name in names]},
                },
            },
            "required": ["at", "business_date", "principal", "correlation_id", "causation_id", "events"],
        },
    }


def _event(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "type": {"const": name},
            "stream": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "sequence": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "data": {"$ref": f"{_SCHEMAS}{name}"},
        },
        "required": ["type", "stream", "sequence", "data"],
    }


def _hoisted(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A schema whose own definitions stand among the document's."""
    for name, definition in schema.pop("$defs", {}).items():
        moved = _redirected(definition)
        if schemas.setdefault(name, moved) != moved:
            raise ValueError(f"two different records are called {name}")
    redirected: dict[str, Any] = _redirected(schema)
    return redirected


def _redirected(part: Any) -> Any:
    match part:
        case Mapping():
            return {
                key: value.replace("#/$defs/", _SCHEMAS) if key == "$ref" else _redirected(value)
                for key, value in part.items()
            }
        case list():
            return [_redirected(item) for item in part]
        case _:
            return part
