"""A date with more differences than a work list takes: what waits comes when there is room, each once, and none is lost."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.bank_days import (
    BankBreakClosed,
    BankBreakInFlight,
    BankBreakOpened,
    BankBreaksListed,
    BankDayReconciled,
    LineBreak,
    Unlisted,
)
from libs.events.deciding import Refused
from libs.events.system import BusinessDateSet
from services.bidding.bank_file import lines_of
from services.bidding.commands.bank_days import ExplainBreak, Half, MatchBreaks, ResolveBreak
from services.bidding.domain.bank_day_records import Books
from services.bidding.domain.bank_day_sums import break_id_of
from services.bidding.domain.bank_days import AGGREGATE
from services.bidding.domain.buckets import all_kept, number_of
from services.bidding.matching import OurBooking, judged
from services.bidding.projections.bank_bookings import VIEW as BOOKINGS
from services.bidding.projections.bank_days import BREAKS, DAYS
from services.bidding.reconciler import dates_over, days_to_do, reconciliation, says_nothing
from services.bidding.waiting_breaks import Room
from tests.unit.bidding import bank_day_story as story
from tests.unit.bidding.bank_day_story import (
    ALL_DONE,
    DONE,
    FILE,
    FIRST,
    GROWN,
    HERE,
    IN_PARTS,
    LIN,
    MONDAY,
    RECONCILED,
    SECOND,
    THERE,
    TUESDAY,
    UFA,
    T,
    closed,
    explained,
    gone,
    line,
    opened,
    told,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.documents import documents, history, nested
from tests.unit.given import fold, given
from tests.unit.runtime.edge_world import MemoryViews

WAITS = Unlisted(breaks=1, differs_fen=-50_00, alone=-1)
#: Monday with room for one difference.
ONE = replace(FILE, breaks=(HERE,), known=told(), unlisted=WAITS)
ONE_DONE = replace(DONE, opened=1, open_after=1, unlisted=1, unlisted_fen=-50_00, told=told(HERE))
ONE_TOLD = (opened(MONDAY, HERE), ONE_DONE)
#: The same file once more, when there is room for the other one.
NEXT_ONE = replace(FILE, begins_at=2, begins_with=FIRST, breaks=(THERE,), known=told(HERE))
NEXT_DONE = replace(ALL_DONE, revision=2, opened=1)
#: Monday's file grows by B3; it was told, and is settled by people.
SETTLED = (
    *ONE_TOLD,
    opened(MONDAY, THERE),
    NEXT_DONE,
    explained(T, code="bank_error"),
    replace(story.RESOLVED, break_id=T, code="bank_corrected"),
)
WITHOUT = replace(GROWN, breaks=(), known=told(HERE, THERE), gone=(gone(THERE),))
WITHOUT_DONE = replace(
    NEXT_DONE, revision=3, lines_hash=SECOND, bank=GROWN.bank, opened=0, open_after=1, told=told(HERE)
)


def spec(says: str, history: tuple[Any, ...], when: Any, then: Any) -> Spec:
    """A rule of a day that comes bit by bit."""
    return Spec(says, history, when, then, on(principal=UFA))


SPECS = [
    spec("what has no room waits, with its sums", (), ONE, ONE_TOLD),
    spec("the same file says nothing while there is none", ONE_TOLD,
        replace(ONE, begins_at=2, begins_with=FIRST, breaks=(), known=told(HERE)), ()),
    spec("and brings the next when there is", ONE_TOLD, NEXT_ONE, (opened(MONDAY, THERE), NEXT_DONE)),
    spec("once", (*ONE_TOLD, opened(MONDAY, THERE), NEXT_DONE),
        replace(NEXT_ONE, breaks=(), known=told(HERE, THERE)), ()),
    spec("what was told is what was told", ONE_TOLD, replace(NEXT_ONE, known=told(THERE)), "known_differs"),
    spec("and all of it", ONE_TOLD, replace(NEXT_ONE, known=told()), "known_differs"),
    spec("of a day told as a whole, too", RECONCILED, replace(NEXT_ONE, breaks=()), "known_differs"),
    spec("a day told as a whole may go on bit by bit", RECONCILED,
        replace(GROWN, breaks=(), known=told(HERE, THERE), gone=(gone(THERE),)),
        (closed(T), replace(WITHOUT_DONE, revision=2, closed=1))),
    spec("and not the reverse", ONE_TOLD, replace(FILE, begins_at=2, begins_with=FIRST), "invalid_breaks"),
    spec("nothing waits of a day told as a whole", (), replace(ONE, known=None), "invalid_breaks"),
    spec("what waits adds up with the rest", (), replace(ONE, unlisted=None), "breaks_do_not_add_up"),
    spec("none is told twice", (opened(MONDAY, HERE),),
        replace(FILE, breaks=(HERE, THERE), known=told(HERE), unclosed=replace(WAITS, differs_fen=200_00, alone=1)),
        "invalid_breaks"),
    spec("what is gone is closed", (*ONE_TOLD, opened(MONDAY, THERE), NEXT_DONE), WITHOUT,
        (closed(T), replace(WITHOUT_DONE, closed=1))),
    spec("and said of what was over", SETTLED, WITHOUT, (replace(WITHOUT_DONE, gone=(T,)),)),
    spec("or waits to be closed", (*ONE_TOLD, opened(MONDAY, THERE), NEXT_DONE),
        replace(WITHOUT, gone=(), unclosed=WAITS),
        (replace(WITHOUT_DONE, open_after=2, unclosed=1, told=told(HERE, THERE)),)),
    spec("as it was told", (*ONE_TOLD, opened(MONDAY, THERE), NEXT_DONE),
        replace(WITHOUT, gone=(replace(gone(THERE), ledger_fen=49_00),), unlisted=Unlisted(breaks=1, differs_fen=1_00, alone=0)),
        "invalid_breaks"),
    spec("no more at a time than a command takes", (),
        replace(ONE, gone=tuple(gone(replace(HERE, number=n)) for n in range(301)), breaks=()), "too_many_breaks"),
    spec("nor than a decision takes", (),
        replace(IN_PARTS, parts=tuple(replace(IN_PARTS.parts[0], breaks=10_001) for _ in range(2))), "too_many_breaks"),
    spec("a day of long ago has its turn while something of it waits",
        (*ONE_TOLD, replace(DONE, business_date=MONDAY + timedelta(days=90))), NEXT_ONE,
        (opened(MONDAY, THERE), NEXT_DONE)),
]  # fmt: skip


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_a_day_that_comes_bit_by_bit(row: Spec) -> None:
    """Each rule, one row each."""
    row.check(AGGREGATE)


def test_the_state_keeps_nothing_of_what_is_over() -> None:
    """What people settled of a day that comes bit by bit stands in the views alone; its digest tells that it was told."""
    state = fold(AGGREGATE, SETTLED)
    assert (number_of(state.settled), number_of(state.breaks)) == (0, 1)
    assert state.days[str(MONDAY)].told == told(HERE, THERE)


def test_a_half_that_is_gone_leaves_the_other_one_alone() -> None:
    """Settled together with one of another day, which the state does not know: the views do, and it is on the work list again."""
    other = Half(
        business_date=TUESDAY, kind="missing_here", reference="B3", account_id="acc_ann", bank_fen=50_00, ledger_fen=0
    )  # fmt: skip
    late = replace(line("missing_here", "B3", 50_00, 0))
    counterpart = break_id_of(TUESDAY, late)
    tuesday = replace(ONE_DONE, business_date=TUESDAY)
    when = replace(WITHOUT, gone=(gone(THERE, counterpart, other),))
    alone = opened(TUESDAY, late)
    given(AGGREGATE, *SETTLED, tuesday).when(when, on()).then(
        alone, replace(WITHOUT_DONE, opened=1, open_after=2, gone=(T,))
    )
    again = given(AGGREGATE, *SETTLED, tuesday, alone).when(when, on()).events
    assert [type(event) for event in again] == [BankDayReconciled], "it stands there already"


class Town:
    """The bank's two dates and ours, the real reconciler and the real decider, and a work list with room for a few."""

    def __init__(self, ours: Sequence[Sequence[OurBooking]], room: Room) -> None:
        self.days = (MONDAY, TUESDAY)
        self.ours, self.room = ours, room
        self.theirs: tuple[list[OurBooking], ...] = ([], [])
        self.events: list[Any] = []
        self.state: Books = AGGREGATE.initial
        self.views = MemoryViews()
        for partition in (0, 1):
            moved = history(f"~p{partition}", BusinessDateSet(business_date=TUESDAY + timedelta(days=1)))
            self._show(BOOKINGS, documents(BOOKINGS, moved))
        closing = 0
        for day, bookings in zip(self.days, ours, strict=True):
            net = sum(each.moved_fen for each in bookings)
            closing += net
            sums = {"business_date": str(day), "accounts_fen": net, "in_fen": net, "out_fen": 0}
            self.views.documents[BOOKINGS.name][f"day:{day}"] = {"_id": f"day:{day}", **sums}
            for each in bookings:
                name = f"{day}|{each.reference}|{each.account}|"
                row = {"booked_on": str(day), "reference": each.reference, "account_id": each.account}
                self.views.documents[BOOKINGS.name][name] = {
                    "_id": name,
                    **row,
                    "moved_fen": each.moved_fen,
                }

    def _show(self, view: Any, shown: dict[str, dict[str, Any]]) -> None:
        kept = self.views.documents.setdefault(view.name, {})
        for doc, fields in shown.items():
            kept[doc] = kept.get(doc, {}) | nested(doc, fields)

    def decide(self, command: Any, who: str = "reconciler") -> None:
        """Put it on the log, and show what came of it. Raises Refused."""
        events = AGGREGATE.decide(command, self.state, on(principal=who))
        for event in events:
            self.state = AGGREGATE.evolve(self.state, event)
        self.events += events
        for view in (DAYS, BREAKS):
            self._show(view, documents(view, history("bankdays", *events)))

    def look(self, at: int, parts: int = 100) -> bool:
        """Ask the bank for a date once, and die after so many parts; whether there was anything to say."""
        day, before_fen = self.days[at], sum(each.moved_fen for day in self.theirs[:at] for each in day)
        found = asyncio.run(self._found(day, self._file(at, before_fen)))
        known = self.views.documents.get(DAYS.name, {}).get(str(day), {})
        if says_nothing(found.command, known):
            return False
        for command in found.commands[:parts]:
            self.decide(command)
        return True

    async def _found(self, day: date, lines: Any) -> Any:
        dates = await dates_over(self.views, 2)
        return await reconciliation(self.views, day, lines, dates, in_thread=_at_once, room=self.room)

    def _file(self, at: int, before_fen: int) -> Any:
        lines = self.theirs[at]
        in_fen = sum(each.moved_fen for each in lines)
        body = "".join(
            f"B|{each.reference}||{each.account}|in|{each.moved_fen}|2024-03-11T08:00:00Z\n" for each in lines
        )
        head = f"H|loanstream-bank-file|2|{self.days[at]}|{len(lines)}|{before_fen}\n"
        return lines_of([f"{head}{body}T|{len(lines)}|{in_fen}|0|{before_fen + in_fen}\n".encode()])

    def differences(self, at: int) -> dict[str, LineBreak]:
        """What a date differs by, by its id, found the simple way."""
        found: dict[str, LineBreak] = {}
        for reference in {each.reference for each in (*self.ours[at], *self.theirs[at])}:
            ours = sorted(
                (x for x in self.ours[at] if x.reference == reference), key=lambda x: (x.account, x.moved_fen)
            )
            theirs = next((x for x in self.theirs[at] if x.reference == reference), None)
            if theirs is not None and theirs in ours and len(ours) == 1:
                continue
            said: Any = theirs
            for each in judged(said, ours):
                found[break_id_of(self.days[at], each)] = each
        return found

    def told(self) -> list[str]:
        """Every difference of a line that was told, in its order; one that stands alone again counts again."""
        ids = []
        for event in self.events:
            if isinstance(event, BankBreakOpened) and event.reference:
                ids.append(event.break_id)
            elif isinstance(event, BankBreakInFlight):
                ids.append(event.counterpart)
        return ids


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _booking(reference: str) -> OurBooking:
    return OurBooking(reference, "acc_ann", 100 + int(reference[1:]))


@settings(max_examples=30, deadline=None)
@over(st.integers(0, 2**32))
def test_every_difference_is_told_once_and_none_is_lost(seed: int) -> None:
    """Whatever ends in whatever order, whenever a file grows, the machine dies or asks again: at the end all is told that differs,
    nothing was told twice, and never more is open than there is room for."""
    chance = Random(seed)
    monday = [_booking(f"R{number}") for number in range(8)]
    tuesday = [_booking(f"R{number}") for number in range(8, 14)]
    town = Town((monday, tuesday), Room(open=5, listed=3, part=2))
    late = (
        [_booking(f"R{number}") for number in (1, 9, 3, 40, 41)],
        [_booking(f"R{number}") for number in (8, 5, 6, 42, 43)],
    )
    for _ in range(60):
        _play(town, chance, late)
        assert sum(bool(each.reference) for _, each in all_kept(town.state.breaks)) <= 5
    looks = 0
    while town.look(0) | town.look(1) | _end(town, chance):
        looks += 1
        assert looks < 100, "something never comes to its end"
    shown = {**town.differences(0), **town.differences(1)}
    told = town.told()
    assert {*shown} <= {*told}, "none is lost"
    assert len(told) - _stood_alone_again(town.events) == len({*told}), "each is told once"
    assert number_of(town.state.breaks) == 0
    for day in town.days:
        document = town.views.documents[DAYS.name][str(day)]
        assert (document["unlisted"], document["unclosed"]) == (0, 0)


def _play(town: Town, chance: Random, late: tuple[list[OurBooking], ...]) -> None:
    act, at = chance.choice(("look", "look", "die", "grow", "end", "end", "match")), chance.randrange(2)
    if act in ("look", "die"):
        town.look(at, 100 if act == "look" else chance.randrange(3))
    elif act == "grow" and late[at] and chance.random() < 0.4:
        town.theirs[at].append(late[at].pop(chance.randrange(len(late[at]))))
    elif act == "end":
        _end(town, chance)
    elif act == "match":
        town.decide(MatchBreaks(by="reference"), UFA)


def _end(town: Town, chance: Random) -> bool:
    """Two people settle one of what is open."""
    waiting = sorted(name for bucket in town.state.breaks.values() for name in bucket)
    if not waiting:
        return False
    break_id = chance.choice(waiting)
    town.decide(ExplainBreak(break_id=break_id, code="timing"), UFA)
    town.decide(ResolveBreak(break_id=break_id, code="timing"), LIN)
    return True


def _stood_alone_again(events: Sequence[Any]) -> int:
    """How often something was opened that had been over."""
    over: set[str] = set()
    again = 0
    for event in events:
        match event:
            case BankBreakInFlight():
                over |= {event.break_id, event.counterpart}
            case BankBreakOpened():
                again += event.break_id in over
            case _:
                over |= {getattr(event, name) for name in ("here", "there") if hasattr(event, name)}
    return again


def test_a_file_that_mends_everything_closes_what_was_told_and_what_waits_is_gone() -> None:
    """Eight bookings of ours that the bank has not yet, room for three; then the whole file comes."""
    monday = [_booking(f"R{number}") for number in range(8)]
    town = Town((monday, []), Room(open=3, listed=2, part=2))
    while town.look(0):
        pass
    day = town.views.documents[DAYS.name][str(MONDAY)]
    assert (day["unlisted"], day["unlisted_fen"], day["waits"]) == (5, -(103 + 104 + 105 + 106 + 107), True)
    town.theirs[0].extend(monday)
    looks = 0
    while town.look(0):
        looks += 1
    day = town.views.documents[DAYS.name][str(MONDAY)]
    assert (day["unlisted"], day["unclosed"], looks) == (0, 0, 2)
    assert number_of(town.state.breaks) == 0
    assert sum(isinstance(event, BankBreakClosed) for event in town.events) == 3
    parts = [event for event in town.events if isinstance(event, BankBreaksListed)]
    assert parts, "more than one command takes came in parts"


def test_what_a_day_has_on_the_list_takes_no_room_from_it() -> None:
    """Three of Monday's stand there, room for five: with a fourth it is still told as a whole."""
    town = Town(([_booking(f"R{number}") for number in range(3)], []), Room(open=5, listed=2, part=4))
    town.look(0)
    town.theirs[0].append(_booking("R50"))
    town.look(0)
    assert number_of(town.state.breaks) == 4
    assert not town.views.documents[DAYS.name][str(MONDAY)]["bit_by_bit"]


def test_a_look_at_views_that_are_behind_is_refused_and_the_next_one_is_not() -> None:
    """What the views have not shown yet would be told twice: the digest of what was told says so."""
    town = Town(([_booking(f"R{number}") for number in range(8)], []), Room(open=5, listed=2, part=2))
    town.look(0)
    behind = {name: dict(documents) for name, documents in town.views.documents.items()}
    town.look(0)
    now, town.views.documents = town.views.documents, behind
    with pytest.raises(Refused, match="known_differs"):
        town.look(0)
    town.views.documents = now
    assert town.look(0)


def test_a_date_of_which_something_waits_is_looked_at_again_however_old() -> None:
    """Its file stays at the bank."""
    town = Town(([_booking("R1")], []), Room(open=0, listed=2, part=2))
    town.look(0)
    dates = asyncio.run(dates_over(town.views, 2))
    assert dates is not None
    known = {MONDAY: town.views.documents[DAYS.name][str(MONDAY)]}
    later = replace(dates, last=MONDAY + timedelta(days=200))
    known |= {MONDAY + timedelta(days=number): {"revision": 1} for number in range(1, 201)}
    assert MONDAY in days_to_do(known, later)
