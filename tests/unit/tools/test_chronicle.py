"""The time-line has a line per date, in words, and draws a run of plain payments together."""

from datetime import date
from typing import get_type_hints

from libs.events.codec import EVENT_TYPES
from libs.runtime.service import load_services
from libs.runtime.settings import load_settings
from tools.replay.chronicle import _WORDS, told


def test_payments_without_a_story_are_drawn_together() -> None:
    """A date keeps what was said on it in order; dates with nothing but payments become one line until something happens."""
    entries = [
        (date(2012, 1, 1), "registers"),
        (date(2012, 1, 1), "is verified"),
        (date(2012, 2, 1), "pays 1.00"),
        (date(2012, 3, 1), "pays 1.00"),
        (date(2012, 4, 3), "rings up"),
        (date(2012, 4, 3), "pays 1.00"),
        (date(2012, 5, 1), "pays 0.98"),
    ]
    assert list(told(iter(entries))) == [
        ("2012-01-01", "registers, is verified"),
        ("2012-02-01", "pays 2 times until 2012-03-01"),
        ("2012-04-03", "rings up, pays 1.00"),
        ("2012-05-01", "pays 0.98"),
    ]


def test_every_event_that_has_words_exists() -> None:
    """An event that was renamed would silently drop out of the time-line."""
    load_services(load_settings().profile)  # declares every type
    assert set(_WORDS) <= set(EVENT_TYPES)
    assert all(get_type_hints(EVENT_TYPES[name]) for name in _WORDS)
