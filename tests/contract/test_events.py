"""The contract of the log: what was written once is read for ever, and the committed schemas are what the types say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from libs.events.codec import EVENT_TYPES, decode, encode
from libs.runtime.errors import OperatorError
from tools import schemas
from tools.asyncapi import asyncapi_document

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(EVENT_TYPES)
DOCUMENT = asyncapi_document()


def test_every_event_version_has_one_golden_sample() -> None:
    """There is exactly one golden sample per event type and version, and none for a type that does not exist."""
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_golden_sample_decodes_and_encodes_to_itself(name: str) -> None:
    """Today's code reads a record of every version and writes the same JSON back, beside fields that came later."""
    stored = (GOLDEN / f"{name}.json").read_text()
    kind = EVENT_TYPES[name]
    written = encode(kind, decode(kind, stored.encode()))
    assert _as_stored(json.loads(written), json.loads(stored)) == json.loads(stored)
    assert encode(kind, decode(kind, written)) == written


def _as_stored(written: Any, stored: Any) -> Any:
    """What was written, without the fields that the stored sample is too old to have."""
    if isinstance(written, dict) and isinstance(stored, dict):
        return {name: _as_stored(value, stored[name]) for name, value in written.items() if name in stored}
    if isinstance(written, list) and isinstance(stored, list) and len(written) == len(stored):
        return [_as_stored(*pair) for pair in zip(written, stored, strict=True)]
    return written


@pytest.mark.parametrize("name", NAMES)
def test_golden_sample_fits_the_committed_schema(name: str) -> None:
    """The JSON Schema that other people validate with accepts our own record."""
    schema = json.loads((schemas.SCHEMAS / f"{name}.json").read_text())
    jsonschema.validate(json.loads((GOLDEN / f"{name}.json").read_text()), schema)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_the_next_release_is_read(name: str) -> None:
    """A field that a newer release added does not stop this one from reading the record."""
    sample = json.loads((GOLDEN / f"{name}.json").read_text()) | {"added_by_the_next_release": 1}
    kind = EVENT_TYPES[name]
    assert decode(kind, json.dumps(sample).encode()) == decode(kind, (GOLDEN / f"{name}.json").read_bytes())


def test_generated_files_are_committed() -> None:
    """Schemas, event catalogue and saga tables in the tree are what the types generate."""
    assert schemas.write_schemas(check=True) == 0


PROPERTIES: dict[str, object] = {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/B"}}
OLD: dict[str, object] = {
    "type": "object",
    "properties": PROPERTIES,
    "required": ["a"],
}
DEFS = {"B": {"type": "object", "properties": {"c": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"properties": {"a": {"type": "integer"}}}, [".b was removed"]),
        ({"properties": PROPERTIES | {"d": {"type": "string"}}}, []),
        (
            {"properties": PROPERTIES | {"d": {"type": "string"}}, "required": ["a", "d"]},
            [".d was added without a default"],
        ),
        ({"properties": PROPERTIES | {"a": {"type": "string"}}}, [".a: type was integer, is string"]),
        ({"$defs": {"B": {"type": "object", "properties": {}}}}, [".b.c was removed"]),
    ],
)
def test_incompatible_changes_are_named(change: dict[str, object], expected: list[str]) -> None:
    """Only an added field with a default may change a version; everything else is named."""
    old = OLD | {"$defs": DEFS}
    assert schemas.incompatibilities(old, old | change) == expected


def test_make_schemas_refuses_a_breaking_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing the schemas stops before it replaces one that old records need."""
    name = "bidding.AccountOpened.v1"
    kept = json.loads((schemas.SCHEMAS / f"{name}.json").read_text())
    kept["properties"]["gone"] = {"type": "string"}
    (tmp_path / f"{name}.json").write_text(json.dumps(kept))
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path)
    with pytest.raises(OperatorError, match="gone was removed"):
        schemas.write_schemas(check=False)


def test_the_asyncapi_document_is_valid() -> None:
    """By AsyncAPI's own JSON Schema of version 3.0.0 (npm @asyncapi/specs 6.11.1, Apache-2.0, texts left out)."""
    schema = json.loads((Path(__file__).parent / "asyncapi-3.0.0.schema.json").read_text())
    jsonschema.validate(DOCUMENT, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(DOCUMENT | {"operations": {"x": {"action": "shout"}}}, schema)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_sample_fits_the_message_of_its_service(name: str) -> None:
    """What the document promises to a consumer is what the log holds."""
    service = name.split(".", 1)[0].replace("system", "bidding")
    payload = DOCUMENT["components"]["messages"][f"{service}Decision"]["payload"]
    data = json.loads((GOLDEN / f"{name}.json").read_text())
    record = {
        "at": None,
        "business_date": "2024-01-31",
        "principal": "usr_1",
        "correlation_id": "c",
        "causation_id": None,
        "events": [{"type": name, "stream": "s_1", "sequence": 1, "data": data}],
    }
    jsonschema.Draft202012Validator(payload | {"components": DOCUMENT["components"]}).validate(record)
