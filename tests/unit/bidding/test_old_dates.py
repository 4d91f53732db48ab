"""A date that was reconciled and has to be looked at again holds up no later one, however long its file stays away; it is seen that it does."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from services.bidding.custodian import BankRefused
from services.bidding.projections.bank_days import DAYS
from services.bidding.side_by_side import SideBySide
from tests.unit.bidding import bank_day_story as story
from tests.unit.bidding.bank_day_story import MONDAY, TUESDAY
from tests.unit.bidding.specs import OPENED, asked, deposited
from tests.unit.bidding.test_reconciler import Desk, file_of, line_of, show_days

LATER = MONDAY + timedelta(days=90)


def _desk() -> Desk:
    """Monday was reconciled and waits; only the date of ninety days later has no file yet."""
    desk = Desk()
    desk.lives_on(MONDAY)
    desk.happened(MONDAY, OPENED, asked(), deposited())
    desk.lives_on(TUESDAY)
    desk.lives_on(LATER + timedelta(days=1))
    dates = [MONDAY + timedelta(days=number) for number in range(90)]
    show_days(desk, tuple(replace(story.DONE, business_date=day) for day in dates))
    desk.views.documents[DAYS.name][str(MONDAY)]["waits"] = True
    for day in dates[1:]:
        desk.files[day] = file_of(day, before_fen=500_00)
    desk.files[LATER] = file_of(LATER, before_fen=500_00)
    return desk


async def test_an_old_date_that_waits_stops_no_later_one() -> None:
    """The bank serves its file no more, or another one, or the log takes it not: what is new is reconciled, and the old one is named."""
    desk = _desk()
    desk.files[MONDAY] = BankRefused("file_not_ready")
    assert (await desk.reconciler.once())[-1] == LATER
    assert desk.reconciler.unheard == {MONDAY: "file_not_ready"}
    desk.files[MONDAY] = file_of(MONDAY, line_of("B1", 500_00), in_fen=499_00)
    assert (await desk.reconciler.once())[-1] == LATER
    assert desk.reconciler.unheard[MONDAY].endswith("sum_differs")


async def test_an_old_date_that_the_log_refuses_stops_no_later_one() -> None:
    """It is asked again as another command."""
    desk = _desk()
    desk.files[MONDAY] = file_of(MONDAY, line_of("B1", 500_00), line_of("B2", 200_00), in_fen=700_00)
    desk.refuses_of[MONDAY] = "known_differs"
    for _ in range(2):
        assert (await desk.reconciler.once())[-1] == LATER
        assert desk.reconciler.unheard == {MONDAY: "known_differs"}
    mondays = [number for number, each in enumerate(desk.asked) if each.business_date == MONDAY]
    assert [desk.attempts[number] for number in mondays] == [0, 1]
    desk.refuses_of.clear()
    assert MONDAY in await desk.reconciler.once()
    assert desk.reconciler.unheard == {}


async def test_what_a_job_could_not_do_is_seen_until_it_can() -> None:
    """It goes on all the while, and so does the process: to start it again would bring no file."""
    stop, two = asyncio.Event(), SideBySide()
    seen = []

    async def looks(moves: Callable[..., None]) -> None:
        for undone in ("2024-03-11 file_not_ready", ""):
            moves(undone)
            seen.append(two.ready())
        stop.set()

    await asyncio.wait_for(two.run(stop, reconciler=looks), 5)
    assert seen == [(True, "reconciler waits for 2024-03-11 file_not_ready"), (True, "")]


async def test_one_of_two_jobs_that_fails_is_seen_and_does_not_end_the_other() -> None:
    """It begins anew until it moves again; the other goes on all the while."""
    stop, two = asyncio.Event(), SideBySide(again_s=0.0)
    failures, seen = iter((ValueError("x"), None)), []

    async def breaks(moves: Callable[[], None]) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        seen.append(two.ready())
        moves()
        seen.append(two.ready())
        stop.set()

    async def works(moves: Callable[[], None]) -> None:
        moves()
        await stop.wait()

    await asyncio.wait_for(two.run(stop, reconciler=breaks, courier=works), 5)
    assert seen == [(False, "reconciler failed: ValueError"), (True, "")]
