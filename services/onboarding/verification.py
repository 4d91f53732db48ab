"""Who somebody is: the form of his numbers, checked here, and the word of a provider behind an interface.

A real provider needs a contract with one, so the bundled one follows documented test numbers. It is not a check of anybody.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Protocol

from stdnum import luhn
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from libs.events.onboarding import Code, Kind, Reference

ADULT_YEARS: Final = 18


class InvalidNumber(ValueError):
    """A number that cannot be anybody's: its code is `invalid_identity`, `invalid_card` or `invalid_age`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ProviderUnavailable(Exception):
    """The provider did not answer in time; the same question may be asked again."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared (domain.md section 2). A person has his own-name `card`, an organisation its legal `representative`."""

    name: str
    identity: str
    card: str | None
    representative: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The provider's answer under its reference; `code` says why not, None when it confirmed."""

    reference: Reference
    code: Code | None = None


class VerificationProvider(Protocol):
    """Compares a name and a number with the registers: a person's with his bank card, a company's with its representative."""

    @property
    def name(self) -> Code:
        """What events name it by."""

    async def verify(self, reference: str, person: Person) -> Verdict:
        """Its verdict. Raises ProviderUnavailable. The same reference is the same question."""


def check_identity(kind: Kind, identity: str, on: date) -> str:
    """The number in its one spelling, fit to be compared. Raises InvalidNumber.

    A person's is a resident identity number (GB 11643: 17 digits and a check character by ISO 7064 MOD 11-2, a real birth
    date, a real place) of somebody who is 18 on this date; an organisation's a unified social credit code (GB 32100).
    """
    try:
        if kind == "organisation":
            return str(uscc.validate(identity))
        number = str(ric.validate(identity))
        born = ric.get_birth_date(number)
    except ValidationError:
        raise InvalidNumber("invalid_identity") from None
    if (on.year - born.year) - ((on.month, on.day) < (born.month, born.day)) < ADULT_YEARS:
        raise InvalidNumber("invalid_age")
    return number


def check_card(card: str) -> str:
    """A bank card's number by its check digit (Luhn). Raises InvalidNumber."""
    try:
        number = str(luhn.validate(card))
    except ValidationError:
        raise InvalidNumber("invalid_card") from None
    if not 13 <= len(number) <= 19:
        raise InvalidNumber("invalid_card")
    return number


#: Numbers of right form with a fixed answer; every other number of right form is confirmed, so that a demo may mint its own.
TEST_ANSWERS: Final[dict[str, Literal["name_differs", "unknown_number", "timeout"]]] = {
    "110101199003079016": "name_differs",
    "110101199003079024": "unknown_number",
    "110101199003079032": "timeout",
    "911100001000009010": "name_differs",
    "911100001000009023": "unknown_number",
    "911100001000009036": "timeout",
}


class TestNumbersProvider:
    """The bundled provider. IT VERIFIES NOBODY: it answers by number only, as TEST_ANSWERS documents.

    A number listed there is refused with that code or does not answer; every other one whose form was checked is confirmed,
    whatever the name and the card.
    """

    __test__ = False  # not a test class, whatever its name
    name: Code = "test-numbers"

    async def verify(self, reference: str, person: Person) -> Verdict:
        """See VerificationProvider."""
        answer = TEST_ANSWERS.get(person.identity)
        if answer == "timeout":
            raise ProviderUnavailable
        return Verdict(reference, answer)
