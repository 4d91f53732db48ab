"""Who registers has a name and a phone; whatever is neither is refused before the vault is asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.onboarding.api.shapes import RegistrationPersonIn

ADA = {"region": "CN-31", "name": "Ada Lo", "phone": "13800138000"}
ASTRAY = "\uff11\uff13\uff18" * 3 + "\uff10\uff11"


def faulty(body: dict[str, Any]) -> list[str]:
    """The fields with a fault."""
    with pytest.raises(ValidationError) as refused:
        RegistrationPersonIn.model_validate(body)
    return [str(fault["loc"][0]) for fault in refused.value.errors()]


@pytest.mark.parametrize(
    "name", ["", " ", "\u3000", "\u200b", "007", "Ada\0", "Ada\nLo", "Ada\u2028Lo", "\x1b[31mAda", "A" * 101]
)
def test_what_is_no_name_registers_nobody(name: str) -> None:
    """Blank, without a letter, with a control character or a line break, too long."""
    assert faulty(ADA | {"name": name}) == ["name"]


@pytest.mark.parametrize(
    "phone",
    [
        *("", "000000", "12800138000", "1380013800", "138001380000", "138 0013 8000", "010-65529988"),
        *("13800138000\n", "+", "+123456", "+0123456789", "+1234567890123456", "++8613800138000", ASTRAY),
    ],
)
def test_what_is_no_phone_registers_nobody(phone: str) -> None:
    """Neither a mobile number of mainland China nor an international one; digits are ASCII's and stand alone."""
    assert faulty(ADA | {"phone": phone}) == ["phone"]


@pytest.mark.parametrize(
    "name", ["\u5f20\u4e09", "\u5f20\u3000\u4e09", "Zo\u00eb O'Neil-Smith", "X", "360 Ltd"]
)
@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("19912345678", "19912345678"),
        ("+8619912345678", "19912345678"),
        ("+861065529988", "+861065529988"),
        ("+442071838750", "+442071838750"),
        ("+1234567", "+1234567"),
    ],
)
def test_a_name_in_any_script_and_a_phone_from_anywhere_register(name: str, phone: str, kept: str) -> None:
    """A name is kept as it was written, a phone in its one spelling."""
    person = RegistrationPersonIn.model_validate(ADA | {"name": name, "phone": phone})
    assert (person.name, person.phone) == (name, kept)
