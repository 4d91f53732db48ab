"""Two encoders, one text: what is written fast is written byte for byte as pydantic writes it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.codec import COMMAND_TYPES, EVENT_TYPES, adapter, decode, encode, record
from libs.events.money import Rounding
from libs.events.strict import is_written_alike
from libs.runtime.day import DayState
from libs.runtime.service import load_services
from libs.runtime.settings import load_settings
from tests.contract.test_strict import GOLDEN, a_sample

SERVICES = load_services(load_settings().profile)  # its import declares every type


def as_pydantic(kind: Any, value: Any) -> bytes:
    """The text that pydantic makes of a value."""
    return adapter(kind).dump_json(adapter(kind).validate_python(value))


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_an_event_is_written_as_pydantic_writes_it(name: str) -> None:
    """Every golden sample, read and written again."""
    kind = EVENT_TYPES[name]
    value = decode(kind, Path(GOLDEN / f"{name}.json").read_bytes())
    assert encode(kind, value) == as_pydantic(kind, value)


@pytest.mark.parametrize("name", sorted(COMMAND_TYPES))
def test_a_command_is_written_as_pydantic_writes_it(name: str) -> None:
    """A sample of every command."""
    kind = COMMAND_TYPES[name]
    value = decode(kind, json.dumps(a_sample(kind)).encode())
    assert encode(kind, value) == as_pydantic(kind, value)


@record
class Everything:
    """Every form that is written fast."""

    text: str
    number: int
    rate: Decimal
    by_name: dict[str, int]
    texts: tuple[str, ...]
    mode: Rounding
    either: str | None = None


@given(
    st.builds(
        Everything,
        text=st.text(),
        number=st.integers(-(10**30), 10**30),
        rate=st.decimals(allow_nan=False, allow_infinity=False),
        by_name=st.dictionaries(st.text(), st.integers()),
        texts=st.lists(st.text()).map(tuple),
        mode=st.sampled_from(Rounding),
        either=st.none() | st.text(),
    )
)
def test_whatever_stands_in_a_field_is_written_as_pydantic_writes_it(value: Everything) -> None:
    """Texts with every kind of character, decimals in every form, numbers beyond 64 bits, keys of any text."""
    assert is_written_alike(Everything)
    assert encode(Everything, value) == as_pydantic(Everything, value)


def test_states_are_written_fast() -> None:
    """All but those with times of day in them, which the debtor has."""
    states = {each.name: each.state for service in SERVICES.values() for each in service.aggregates}
    slow = [name for name, state in (*states.items(), ("day", DayState)) if not is_written_alike(state)]
    assert slow == ["debtor"]
