"""The whole replay as a calendar, computed before anything runs: who does what on which business date.

Pure: the same loans and first date give the same plan, with the same idempotency keys. Investors are a shared pool, so
that each holds parts of many loans. People have names of the plan here; the platform gives them their ids.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Final, TypeGuard
from uuid import UUID, uuid5

from services.bidding.domain.profile import profile_named
from tools.replay.actions import Action, Assess, Bid, Join, TopUp, in_steps
from tools.replay.book import BookLoan, Completed
from tools.replay.people import invent
from tools.replay.staff import Staff
from tools.replay.story import BIDDERS_MAX, Story, make_story, terms_of
from tools.replay.timeline import APPLICATION_DAYS, make_timeline

INVESTORS_MAX: Final = 1000
#: Investors bring money in multiples of this, once per month in which they bid.
_TOP_UP_STEP_FEN: Final = 1_000_00
#: A questionnaire's answers: as many, all the same here, from 1 (shuns risk) to 5, which is the number of the level.
_QUESTIONS: Final = 8
#: An assessment is good for a year (services/onboarding/domain/profile.py); it is made again when this old.
_ASSESSED_DAYS: Final = timedelta(days=360)
#: Investors join so long before their first bid.
_JOINED_DAYS: Final = timedelta(days=2)
#: The namespace of the keys under which people register: without a token a key is a UUID.
_KEYS: Final = UUID("0a4e6a57-6c1f-5d0c-9d3a-5b8f2f1c7e21")
#: The rules that the replay's questionnaires have in mind: the demo's.
_PROFILE: Final = profile_named("demo")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One business date: its actions by step, what people bring for the next one while it is closed (`ahead`), and whether
    it is closed without any of that and without work on any loan (`quiet`)."""

    business_date: date
    steps: tuple[tuple[Action, ...], ...]
    ahead: tuple[TopUp, ...]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay. The calendar opens on `first_date`, on which the staff is appointed and whose close gives every partition a
    date; people act from the next. `people` are all who register."""

    first_date: date
    last_date: date
    staff: Staff
    investors: tuple[str, ...]
    people: tuple[str, ...]
    stories: tuple[Story, ...]
    _actions: Mapping[date, Sequence[Action]]
    _wakes: frozenset[date]

    @property
    def business_days(self) -> int:
        """How many dates are closed."""
        return (self.last_date - self.first_date).days + 1

    @property
    def told(self) -> Story:
        """The story that is shown as a time-line: one with a promise that was kept and an end, of those the shortest."""

        def rank(story: Story) -> tuple[bool, bool, int]:
            has_kept = any(promise.keeps for promise in story.promises)
            return not has_kept, not isinstance(story.loan.outcome, Completed), len(story.actions)

        return min(self.stories, key=rank)

    def days(self) -> Iterator[Day]:
        """Every date from the first to the last, empty ones too: a calendar skips none."""
        for offset in range(self.business_days):
            on = self.first_date + timedelta(days=offset)
            actions = [action for action in self._actions.get(on, ()) if not _is_ahead(action)]
            tomorrow = self._actions.get(on + _DAY, ())
            ahead = tuple(action for action in tomorrow if _is_ahead(action))
            yield Day(on, in_steps(actions), ahead, quiet=not actions and not ahead and on not in self._wakes)


def _is_ahead(action: Action) -> TypeGuard[TopUp]:
    return isinstance(action, TopUp) and action.ahead


def make_plan(loans: Sequence[BookLoan], first_date: date) -> Plan:
    """The plan of a replay that starts on the open business date `first_date`."""
    timeline = make_timeline(loans, first_date + _DAY * (1 + APPLICATION_DAYS))
    staff = Staff(_tag(loans, first_date))
    pool = min(INVESTORS_MAX, BIDDERS_MAX + len(loans) // 2)
    investors = tuple(f"inv{number:0{len(str(pool))}}" for number in range(1, pool + 1))
    stories = tuple(
        make_story(loan, f"b{loan.number}", investors, timeline.funded_on[loan.number], timeline.horizon)
        for loan in loans
    )
    actions: dict[date, list[Action]] = defaultdict(list)
    arrivals = {story.borrower: story.funded_on - _DAY * APPLICATION_DAYS for story in stories}
    for on, action in _financing(stories, arrivals):
        actions[on].append(action)
    joins = tuple(_joins(staff, arrivals))
    for on, join in joins:
        actions[on].append(join)
    for story in stories:
        for on, action in story.actions:
            actions[on].append(action)
    wakes = frozenset[date]().union(*(story.wakes for story in stories))
    people = tuple(join.user for _, join in joins)
    return Plan(first_date, timeline.horizon, staff, investors, people, stories, actions, wakes)


def _joins(staff: Staff, arrivals: Mapping[str, date]) -> Iterator[tuple[date, Join]]:
    """Everybody's registration, in the order in which they come: one in four brought by an earlier customer, one in five
    taken in at the desk."""
    before: list[str] = []
    today: list[str] = []
    latest = date.min
    for index, (user, on) in enumerate(sorted(arrivals.items(), key=lambda arrival: arrival[1])):
        if on > latest:
            before, today, latest = before + today, [], on
        yield (
            on,
            Join(
                key=str(uuid5(_KEYS, f"{staff.tag}:{user}")),
                user=user,
                person=invent(staff.tag, index),
                referrer=before[index * 7 % len(before)] if index % 4 == 1 and before else None,
                helper=staff.of("desk") if index % 5 == 2 else None,
            ),
        )
        today.append(user)


def _financing(stories: Sequence[Story], arrivals: dict[str, date]) -> Iterator[tuple[date, Action]]:
    """What investors do for their bids: an assessment, and each month's money before its first bid. Their arrivals are added
    to those of the borrowers."""
    bids: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    levels: dict[str, int] = defaultdict(lambda: 1)
    for story in stories:
        level = int(_PROFILE.level_needed(terms_of(story.loan).grade, story.funded_on)[1])
        for on, action in story.actions:
            if isinstance(action, Bid):
                bids[action.user][on] += action.amount_fen
                levels[action.user] = max(levels[action.user], level)
    for user, by_date in bids.items():
        arrivals[user] = assessed_on = min(by_date) - _JOINED_DAYS
        yield assessed_on, _assessment(user, levels[user], assessed_on)
        for on in sorted(by_date):
            if on > assessed_on + _ASSESSED_DAYS:
                assessed_on = on
                yield on, _assessment(user, levels[user], on)
        left_fen = 0
        for month in sorted({(on.year, on.month) for on in by_date}):
            within = {on: fen for on, fen in by_date.items() if (on.year, on.month) == month}
            missing_fen = sum(within.values()) - left_fen
            brought_fen = -(-max(0, missing_fen) // _TOP_UP_STEP_FEN) * _TOP_UP_STEP_FEN
            left_fen = brought_fen - missing_fen
            if brought_fen:
                yield min(within), TopUp(f"{month[0]}-{month[1]:02}", user, brought_fen)


def _assessment(user: str, level: int, on: date) -> Assess:
    """Answers of somebody who stands the risk of the worst loan that he is going to bid on."""
    return Assess(f"assess-{on}", user, (level,) * _QUESTIONS)


def _tag(loans: Sequence[BookLoan], first_date: date) -> str:
    """What keeps the users of two different replays on one stack apart."""
    return sha256(repr((first_date, tuple(loans))).encode()).hexdigest()[:12]
