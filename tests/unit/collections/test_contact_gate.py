"""The contact gate alone: local hours of a region, and the order of its objections."""

from datetime import UTC, date, datetime

import pytest

from libs.events.collections import AgreedHours
from services.collections.domain.contact_gate import Approach, Facts, local_time, may_disturb, objection
from services.collections.domain.profile import profile_named
from tests.unit.given import TODAY

CHINA = profile_named("cn-p2p-2016").on(TODAY)
CALL = Approach("call", "outbound", "debtor", None)
NOON = Facts(minute=720, calls=0, unanswered=0, stopped=(), agreed=None)


@pytest.mark.parametrize(
    ("hour", "local", "allowed"),
    [
        (0, (date(2024, 3, 15), 480), True),
        (13, (date(2024, 3, 15), 1260), True),
        (14, (date(2024, 3, 15), 1320), False),
        (16, (date(2024, 3, 16), 0), False),
        (23, (date(2024, 3, 16), 420), False),
    ],
)
def test_hours_are_those_of_the_debtors_region(hour: int, local: tuple[date, int], allowed: bool) -> None:
    """China is eight hours ahead: midnight UTC is eight o'clock there, and the day turns at 16:00 UTC."""
    day, minute = local_time(datetime(2024, 3, 15, hour, tzinfo=UTC), CHINA.offset_minutes("CN-31"))
    assert (day, minute) == local
    assert may_disturb(CHINA, minute, None) is allowed


@pytest.mark.parametrize(
    ("approach", "facts", "code"),
    [
        (CALL, NOON, None),
        (CALL, Facts(479, 0, 0, (), None), "contact_hours"),
        (CALL, Facts(720, 3, 0, (), None), "call_limit"),
        (CALL, Facts(479, 0, 0, (), AgreedHours(from_minute=470, to_minute=480)), None),
        (Approach("sms", "outbound", "debtor", None), Facts(1320, 0, 0, (), None), "contact_hours"),
        (Approach("sms", "outbound", "debtor", None), Facts(720, 3, 0, (), None), None),
        (Approach("visit", "outbound", "debtor", None), Facts(1320, 0, 0, (), None), "contact_hours"),
        (Approach("letter", "outbound", "debtor", None), Facts(0, 3, 0, (), None), None),
        (Approach("call", "inbound", "debtor", None), Facts(0, 3, 0, (), None), None),
        (Approach("call", "inbound", "other", "pty_1"), Facts(0, 3, 0, ("pty_1",), None), None),
        (Approach("call", "outbound", "other", "pty_1"), NOON, "debtor_reachable"),
        (Approach("call", "outbound", "other", "pty_1"), Facts(720, 0, 2, (), None), "debtor_reachable"),
        (Approach("call", "outbound", "guarantor", "pty_1"), Facts(720, 0, 3, (), None), None),
        (Approach("letter", "outbound", "guarantor", "pty_1"), NOON, "debtor_reachable"),
        (Approach("letter", "outbound", "guarantor", "pty_1"), Facts(0, 3, 0, (), None, ("death",)), None),
        (
            Approach("letter", "outbound", "guarantor", "pty_1"),
            Facts(720, 0, 0, (), None, ("dispute",)),
            "debtor_reachable",
        ),
        (
            Approach("letter", "outbound", "other", "pty_1"),
            Facts(720, 0, 0, ("pty_1",), None, ("death",)),
            "party_refused",
        ),
        (
            Approach("letter", "outbound", "other", "pty_1"),
            Facts(720, 0, 9, ("pty_1",), None),
            "party_refused",
        ),
        (
            Approach("call", "outbound", "other", "pty_1"),
            Facts(479, 0, 3, (), AgreedHours(from_minute=470, to_minute=480)),
            "contact_hours",
        ),
    ],
)
def test_what_the_gate_objects_to(approach: Approach, facts: Facts, code: str | None) -> None:
    """Each limit by its name; the debtor's agreement holds for him alone; post has no hours."""
    assert objection(CHINA, approach, facts) == code
