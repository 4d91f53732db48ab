"""From types to bytes and back: one pydantic TypeAdapter per type, and the book of wire names.

A wire name is a chosen string (`bidding.BidPlaced.v1`), never a class path, so code can move without breaking the log.
Decoding is strict (no "5" for 5, no 5.0 for 5); encoding validates too, so a wrong type never reaches the log. pydantic says
what fits and why something does not. msgspec, which is faster, is asked first where it says yes to nothing else; its no counts
for nothing, so that there is one answer and one wording. It also writes what pydantic has found valid, where both write alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar, dataclass_transform

import msgspec
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from libs.events.strict import is_exact, is_open, is_written_alike, names_of, with_limits

T = TypeVar("T")

_READS_THE_NEXT_RELEASE = ConfigDict(strict=True, revalidate_instances="always", extra="ignore")
_CLOSED = ConfigDict(strict=True, revalidate_instances="always", extra="forbid")

#: wire name -> class, filled by the decorators when the modules that declare them are imported
EVENT_TYPES: dict[str, type] = {}
COMMAND_TYPES: dict[str, type] = {}
_NAMES: dict[type, str] = {}

#: pydantic's parser refuses what is nested deeper.
_DEPTH_MAX = 200
_parse = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder().encode


class Undecodable(ValueError):
    """Bytes that are not what they claim to be: not JSON, an unknown type, a wrong field."""


def _frozen(cls: type[T], config: ConfigDict) -> type[T]:
    cls.__annotations__ = {name: with_limits(hint) for name, hint in cls.__annotations__.items()}
    cls.__pydantic_config__ = config  # type: ignore[attr-defined]  # pydantic's own hook for dataclasses
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[T]) -> type[T]:
    """Make a frozen, slotted, keyword-only dataclass that can stand inside an event or a state."""
    return _frozen(cls, _READS_THE_NEXT_RELEASE)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str) -> Callable[[type[T]], type[T]]:
    """Declare an event under its wire name `<service>.<Name>.v<N>`."""

    def declare(cls: type[T]) -> type[T]:
        return _register(_frozen(cls, _READS_THE_NEXT_RELEASE), name, EVENT_TYPES)

    return declare


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(name: str) -> Callable[[type[T]], type[T]]:
    """Declare a command under its wire name `<service>.<Name>`: private to its service, closed to unknown fields."""

    def declare(cls: type[T]) -> type[T]:
        return _register(_frozen(cls, _CLOSED), name, COMMAND_TYPES)

    return declare


def _register(cls: type[T], name: str, book: dict[str, type]) -> type[T]:
    if name in book:
        raise TypeError(f"the wire name {name} is declared twice")
    book[name] = cls
    _NAMES[cls] = name
    return cls


def name_of(cls: type) -> str:
    """The wire name of a declared event or command type. Raises KeyError for any other type."""
    return _NAMES[cls]


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """The one TypeAdapter of a type (a dataclass, or a union of dataclasses for a state)."""
    return TypeAdapter(kind)


def encode(kind: Any, value: Any) -> bytes:
    """Validate `value` as `kind` and return its JSON. Raises Undecodable when a field breaks its type or limit."""
    validate, write = _encoder(kind)
    try:
        return write(validate(value))
    except ValidationError as error:
        raise Undecodable(str(error)) from error
    except OverflowError:  # a number beyond 64 bits is pydantic's to write
        return adapter(kind).dump_json(value)


@cache
def _encoder(kind: Any) -> tuple[Callable[[Any], Any], Callable[[Any], bytes]]:
    """What validates a value of a type, and what writes it then."""
    checked = adapter(kind)
    return checked.validator.validate_python, _write if is_written_alike(kind) else checked.dump_json


def decode(kind: Any, data: bytes) -> Any:
    """Read JSON strictly as `kind`. Raises Undecodable."""
    try:
        return adapter(kind).validate_json(data)
    except ValidationError as error:
        raise Undecodable(str(error)) from error


def decode_object(kind: Any, data: Any) -> Any:
    """Read an already parsed JSON value strictly as `kind` (as if through JSON, so dates stay strings). Raises Undecodable."""
    fast = _fast(kind)
    if fast is not None:
        try:
            return fast(data)
        except msgspec.ValidationError:
            pass  # what does not fit, and whether it does not, is pydantic's to say
    return decode(kind, to_json(data))


@cache
def _fast(kind: Any) -> Callable[[Any], Any] | None:
    """What reads a declared type as pydantic does, but faster; None where there is no such thing."""
    if kind not in _NAMES or not is_exact(kind):
        return None
    read = partial(msgspec.convert, type=kind)
    names = names_of(kind)

    def closed(data: Any) -> Any:
        if type(data) is not dict or not data.keys() <= names:
            raise msgspec.ValidationError("a field that is not known")
        return read(data)

    return read if is_open(kind) else closed


def is_shallow(data: bytes, depth: int = 0) -> bool:
    """Whether JSON that lies so deep in other JSON has too few brackets to be nested deeper than pydantic's parser goes; msgspec's would
    go further."""
    return depth + data.count(b"{") + data.count(b"[") <= _DEPTH_MAX


def parse_json(data: bytes) -> Any:
    """Parse JSON bytes. Raises Undecodable for anything that is not JSON, NaN and Infinity included."""
    try:
        if is_shallow(data):
            return _parse(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # the other parser says what is wrong, and knows numbers beyond all floats
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise Undecodable(str(error)) from error
