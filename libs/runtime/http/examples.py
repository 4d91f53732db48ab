"""Examples in the OpenAPI document: of every request, put together from its fields' own, and of the problems that any route tells.

A field says by `examples` what it looks like where its type does not; a model may say so as a whole. A body has what it must have
and no more, so a reader may send it as it stands.
"""

from collections.abc import Mapping
from typing import Any, Final

from libs.runtime.http.problems import Problem, problem_body

#: What anybody may be told by any route of a method, beside what its own rules refuse: status -> codes.
PROBLEMS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "GET": {
        "400": ("malformed_position",),
        "401": ("missing_token", "invalid_token", "expired_token"),
        "403": ("forbidden_scope",),
        "404": ("not_found",),
        "422": ("invalid_request", "unexpected_parameter"),
        "503": ("starting", "view_unavailable"),
    },
    "POST": {
        "400": ("missing_idempotency_key", "malformed_idempotency_key", "malformed_json"),
        "401": ("missing_token", "invalid_token", "expired_token"),
        "403": ("forbidden_scope",),
        "404": ("not_found",),
        "409": ("no_business_date",),
        "413": ("too_large",),
        "415": ("unsupported_media_type",),
        "422": ("invalid_request", "key_reused"),
        "503": ("starting", "commands_lost"),
    },
}

_DAY: Final = "2024-03-15"


def add_examples(document: Mapping[str, Any], method: str, operation: dict[str, Any]) -> None:
    """Give an operation of an OpenAPI document its examples: of its body, its parameters and its problems."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        media["example"] = example_of(media["schema"], document)
    for parameter in operation.get("parameters", ()):
        example = example_of(parameter["schema"], document)
        if example is not None:
            parameter["example"] = example
    for status, codes in PROBLEMS[method].items():
        for media in operation["responses"].get(status, {}).get("content", {}).values():
            media["examples"] = {code: {"value": problem_body(Problem(int(status), code))} for code in codes}


def example_of(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """A value that a JSON schema accepts; None where that cannot be told, because its field gives no example."""
    match schema:
        case {"$ref": str(name)}:
            return example_of(document["components"]["schemas"][name.rpartition("/")[2]], document)
        case {"examples": [first, *_]}:
            return first
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"default": value} if value is not None:
            return value
        case {"anyOf": [*kinds]}:
            return next((found for kind in kinds if (found := example_of(kind, document)) is not None), None)
        case {"type": "object"}:
            named = schema.get("properties", {})
            return {name: example_of(named[name], document) for name in schema.get("required", ())}
        case {"type": "array"}:
            item = example_of(schema["items"], document)
            return None if item is None else [item] * max(1, schema.get("minItems", 0))
        case {"type": "integer"}:
            return max(1, schema.get("minimum", 1))
        case {"type": "boolean"}:
            return True
        case {"format": "date"}:
            return _DAY
        case _:
            return None
