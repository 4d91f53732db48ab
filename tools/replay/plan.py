"""The whole replay as a calendar, computed before anything runs: who does what on which business date.

Pure: the same loans and first date give the same plan, with the same idempotency keys. Investors are a shared pool, so
that each holds parts of many loans.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from tools.replay.actions import Action, Bid, OpenAccount, TopUp, in_steps
from tools.replay.book import BookLoan
from tools.replay.story import BIDDERS_MAX, Story, make_story
from tools.replay.timeline import make_timeline

INVESTORS_MAX: Final = 1000
#: Investors bring money in multiples of this, once per month in which they bid.
_TOP_UP_STEP_FEN: Final = 1_000_00


@dataclass(frozen=True, slots=True)
class Day:
    """One business date: its actions by step, and whether closing it has no work with any loan either (`quiet`)."""

    business_date: date
    steps: tuple[tuple[Action, ...], ...]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay. The calendar opens on `first_date`, whose close gives every partition a date; people act from the next."""

    first_date: date
    last_date: date
    investors: tuple[str, ...]
    stories: tuple[Story, ...]
    _actions: Mapping[date, Sequence[Action]]
    _wakes: frozenset[date]

    @property
    def business_days(self) -> int:
        """How many dates are closed."""
        return (self.last_date - self.first_date).days + 1

    def days(self) -> Iterator[Day]:
        """Every date from the first to the last, empty ones too: a calendar skips none."""
        for offset in range(self.business_days):
            on = self.first_date + timedelta(days=offset)
            actions = self._actions.get(on, ())
            yield Day(on, in_steps(actions), quiet=not actions and on not in self._wakes)


def make_plan(loans: Sequence[BookLoan], first_date: date) -> Plan:
    """The plan of a replay that starts on the open business date `first_date`."""
    timeline = make_timeline(loans, first_date + timedelta(days=1))
    tag = _tag(loans, first_date)
    pool = min(INVESTORS_MAX, BIDDERS_MAX + len(loans) // 2)
    investors = tuple(f"usr_{tag}_inv{number:0{len(str(pool))}}" for number in range(1, pool + 1))
    stories = tuple(
        make_story(
            loan, f"usr_{tag}_b{loan.number}", investors, timeline.funded_on[loan.number], timeline.horizon
        )
        for loan in loans
    )
    actions: dict[date, list[Action]] = defaultdict(list)
    for on, action in _financing(stories):
        actions[on].append(action)
    for story in stories:
        for on, action in story.actions:
            actions[on].append(action)
    wakes = frozenset[date]().union(*(story.wakes for story in stories))
    return Plan(first_date, timeline.horizon, investors, stories, actions, wakes)


def _financing(stories: Sequence[Story]) -> Iterator[tuple[date, Action]]:
    """What investors bring for their bids: an account before the first, and each month's money before its first bid."""
    bids: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for story in stories:
        for on, action in story.actions:
            if isinstance(action, Bid):
                bids[action.user][on] += action.amount_fen
    for user, by_date in bids.items():
        yield min(by_date), OpenAccount("open", user)
        left_fen = 0
        for month in sorted({(on.year, on.month) for on in by_date}):
            within = {on: fen for on, fen in by_date.items() if (on.year, on.month) == month}
            missing_fen = sum(within.values()) - left_fen
            brought_fen = -(-max(0, missing_fen) // _TOP_UP_STEP_FEN) * _TOP_UP_STEP_FEN
            left_fen = brought_fen - missing_fen
            if brought_fen:
                yield min(within), TopUp(f"{month[0]}-{month[1]:02}", user, brought_fen)


def _tag(loans: Sequence[BookLoan], first_date: date) -> str:
    """What keeps the users of two different replays on one stack apart."""
    return sha256(repr((first_date, tuple(loans))).encode()).hexdigest()[:12]
