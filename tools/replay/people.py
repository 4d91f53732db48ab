"""Invented people: a name, a telephone, an identity number and a bank card that nobody has, each fit for its check.

Identity numbers follow GB 11643 and stay clear of those to which the bundled provider answers no
(services/onboarding/verification.py). Nothing of it is anybody's: it is counted up, so that no two people of a replay share
a number, from a place that the replay's tag gives, so that two replays on one stack do not either.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from stdnum import luhn
from stdnum.cn import ric

#: A district, whose number stood for it in every year of birth here, and the region of its people (ISO 3166-2).
_PLACES: Final = (
    ("310104", "CN-SH"),
    ("110108", "CN-BJ"),
    ("120101", "CN-TJ"),
    ("310101", "CN-SH"),
)
_SURNAMES: Final = ("Li", "Wang", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu")
_GIVEN: Final = ("Wei", "Fang", "Na", "Min", "Jing", "Qiang", "Lei", "Jun", "Yan", "Jie", "Tao")
_FIRST_BIRTH: Final = date(1950, 1, 1)
#: Births up to the end of 1991: everybody is of age, whatever date the demo is run on.
_BIRTH_DAYS: Final = 15_000
_ORDER_CODES: Final = 900
_PHONES: Final = 10**8


@dataclass(frozen=True, slots=True)
class Person:
    """Personal data that goes to the vault, and the region that goes to the log."""

    name: str
    phone: str
    identity: str
    card: str
    region: str


def invent(tag: str, index: int) -> Person:
    """The person of this number in a replay; `tag` is hexadecimal. The same two give the same person."""
    base = int(tag, 16) + index
    place, region = _PLACES[index % len(_PLACES)]
    born = _FIRST_BIRTH + timedelta(days=base % _BIRTH_DAYS)
    order = 100 + base // _BIRTH_DAYS % _ORDER_CODES
    stem = f"{place}{born:%Y%m%d}{order:03}"
    card = f"6200{base % 10**12:012}"
    return Person(
        name=f"{_SURNAMES[index % len(_SURNAMES)]} {_GIVEN[index % len(_GIVEN)]} {index}",
        phone=f"199{base % _PHONES:08}",
        identity=stem + ric.calc_check_digit(stem + "0"),
        card=card + luhn.calc_check_digit(card),
        region=region,
    )
