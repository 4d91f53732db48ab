"""Invented people pass every check that real ones would, and nobody is invented twice."""

from datetime import date

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from services.onboarding.verification import TEST_ANSWERS, check_card, check_identity
from tools.replay.people import invent

TAGS = st.integers(0, 16**12 - 1).map(lambda number: f"{number:012x}")


@given(TAGS, st.integers(0, 100_000))
def test_an_invented_person_passes_every_check(tag: str, index: int) -> None:
    """The identity number is well formed, of an adult, and none that the provider refuses; the card has its check digit."""
    person = invent(tag, index)
    assert check_identity("person", person.identity, date(2012, 1, 1)) == person.identity
    assert person.identity not in TEST_ANSWERS
    assert check_card(person.card) == person.card
    assert person.phone.isdigit()
    assert len(person.phone) == 11


@given(TAGS)
@limits(max_examples=10)
def test_no_two_people_of_a_replay_share_a_number(tag: str) -> None:
    """Phones and identities are unique on the platform, so they are in the plan, of the whole book too."""
    people = [invent(tag, index) for index in range(4_000)]
    assert len({person.phone for person in people}) == len(people)
    assert len({person.identity for person in people}) == len(people)
