"""A number that cannot be anybody's is refused before a provider is asked; the bundled provider follows its test numbers."""

from datetime import date

import pytest

from services.onboarding.verification import (
    TEST_ANSWERS,
    InvalidNumber,
    Person,
    ProviderUnavailable,
    TestNumbersProvider,
    check_card,
    check_identity,
)

ON = date(2024, 3, 15)


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ("110101199003070012", "invalid_identity"),
        ("11010119900230001X", "invalid_identity"),
        ("000000199003070011", "invalid_identity"),
        ("91110000100000001X", "invalid_identity"),
    ],
)
def test_a_persons_number_has_a_check_character_a_place_and_a_date(identity: str, code: str) -> None:
    """GB 11643: what does not compute is nobody's, and an organisation's code is not a person's."""
    with pytest.raises(InvalidNumber, match=code):
        check_identity("person", identity, ON)


def test_a_person_is_eighteen() -> None:
    """On the birthday itself he may, the day before he may not."""
    assert check_identity("person", "110101199003070011", date(2008, 3, 7))
    with pytest.raises(InvalidNumber, match="invalid_age"):
        check_identity("person", "110101199003070011", date(2008, 3, 6))


def test_an_organisation_has_a_social_credit_code() -> None:
    """GB 32100 with its check character; a resident number is none."""
    assert check_identity("organisation", "91110000100000001W", ON) == "91110000100000001W"
    for wrong in ("911100001000000011", "110101199003070011"):
        with pytest.raises(InvalidNumber, match="invalid_identity"):
            check_identity("organisation", wrong, ON)


def test_a_card_has_its_check_digit() -> None:
    """Luhn, and a length that cards have."""
    assert check_card("6217000010000000128") == "6217000010000000128"
    for wrong in ("6217000010000000129", "0"):
        with pytest.raises(InvalidNumber, match="invalid_card"):
            check_card(wrong)


@pytest.mark.parametrize("number", TEST_ANSWERS)
def test_the_documented_numbers_have_the_right_form(number: str) -> None:
    """They reach the provider, so that its answer can be tried end to end."""
    kind = "organisation" if number.startswith("9") else "person"
    assert check_identity(kind, number, ON) == number  # type: ignore[arg-type]


async def test_the_bundled_provider_answers_by_number() -> None:
    """Listed numbers are refused or time out; others are confirmed; the reference is the question's."""
    provider = TestNumbersProvider()
    for number, answer in TEST_ANSWERS.items():
        if answer == "timeout":
            with pytest.raises(ProviderUnavailable):
                await provider.verify("vrf_1", Person("Ann", number, None, None))
        else:
            assert (await provider.verify("vrf_1", Person("Ann", number, None, None))).code == answer
    confirmed = await provider.verify("vrf_1", Person("Ann", "110101199003070011", None, None))
    assert (confirmed.reference, confirmed.code) == ("vrf_1", None)
