"""One loan's life as actions on dates: applied for, bid for, funded, paid month by month, and ended as the book says.

An application takes its days before the funding: each step on a date of its own, by whom it concerns, while the steps of
other applications go on beside it.

A borrower takes his money out at once and brings each instalment when it is due, so a debit finds exactly what he brought:
a default is an account without money, as in life.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from random import Random
from typing import Final
from zlib import crc32

from libs.events.money import split_fen
from libs.events.repayment import ScheduleRow
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import PLAIN
from services.bidding.domain.opening import BID_STEP_FEN, bid_min_fen
from services.repayment.domain.profile import FIVE_CLASSES, Rules, profile_named
from services.repayment.domain.schedule import daily_interest_fen, last_of_month
from tools.replay.actions import (
    Action,
    Apply,
    AwaitFunded,
    Bid,
    CallIn,
    Pay,
    Stage,
    Terms,
    TopUp,
    Withdraw,
)
from tools.replay.arrears import dunned, is_missed, promised
from tools.replay.book import BookLoan, Completed, Current, Defaulted
from tools.replay.timeline import ends_on, missed_from

#: At most so many of a loan's investors bid in the replay.
BIDDERS_MAX: Final = 25

#: The up-front fee in per-mille of the amount (chosen; Prosper took 0.5 to 5 %).
_ORIGINATION_FEE_PERMILLE: Final = 10

#: The platform's grade of each of the book's, whose best and worst it does not tell apart; E for one that it does not know.
_GRADES: Final = {"AA": "A", "A": "A", "B": "B", "C": "C", "D": "D"}

#: Days after a due date on which an unpaid rest is asked for again or said to be missed, and on which buckets change:
#: days on which the platform has work although nobody does anything.
_WORK_AFTER_MISS: Final = (1, 2, 3, 31, 61, 91, 121, 151, 181, 271, 361)

#: Months after a miss in which penalty is charged at the month's end.
_MONTHS_CHARGED: Final = FIVE_CLASSES[-1][1] // 28

#: The rules that the replay's penalties follow: the demo's.
_PROFILE: Final = profile_named("demo")

_DAY: Final = timedelta(days=1)


class Habit(Enum):
    """How a borrower pays: lets the platform debit him, pays by himself, or is sometimes a day or two late."""

    DEBIT = "debit"
    OWN = "own"
    TARDY = "tardy"


_HABITS: Final = (Habit.DEBIT,) * 6 + (Habit.OWN,) * 2 + (Habit.TARDY,) * 2


@dataclass(frozen=True, slots=True)
class Story:
    """What the replay does for one loan. `actions` and `wakes` are dated; `bids` are (investor's index, amount).

    `is_late`: whether an instalment is missed, so that there is a case.
    """

    loan: BookLoan
    borrower: str
    funded_on: date
    rows: tuple[ScheduleRow, ...]
    bids: tuple[tuple[int, int], ...]
    actions: tuple[tuple[date, Action], ...]
    wakes: frozenset[date]
    is_late: bool

    @property
    def promises(self) -> tuple[CallIn, ...]:
        """What the borrower promises."""
        return tuple(action for _, action in self.actions if isinstance(action, CallIn))


def make_story(
    loan: BookLoan, borrower: str, investors: Sequence[str], funded_on: date, horizon: date
) -> Story:
    """Everything that happens to a loan from its funding to the horizon, apart from what its investors bring along."""
    plan = schedule(
        PLAIN,
        amount_fen=loan.amount_fen,
        annual_rate=loan.annual_rate,
        months=loan.tenor_months,
        funded_on=funded_on,
    )
    bids = make_bids(loan, len(investors))
    paid = list(_payments(loan, borrower, plan.rows, funded_on, horizon))
    begun = [*_application(loan, borrower, funded_on)]
    begun += [(funded_on, action) for action in _beginning(loan, borrower, investors, bids)]
    late, first_open = _misses(plan.rows, paid, horizon)
    talked = [call for row, on in late for call in promised(borrower, loan.number, row, on, horizon)]
    written = [] if first_open is None else [*dunned(borrower, loan.number, first_open, horizon)]
    return Story(
        loan,
        borrower,
        funded_on,
        plan.rows,
        bids,
        (*begun, *paid, *talked, *written),
        _wakes(plan.rows, paid, horizon),
        is_late=bool(late),
    )


def make_bids(loan: BookLoan, pool: int) -> tuple[tuple[int, int], ...]:
    """Bids (investor's index below `pool`, amount in fen) that fill the loan exactly, the odd rest in the last one.

    All but the last are multiples of the bid step and at least the listing's minimum. The same loan gives the same bids.
    """
    random = Random(loan.number)
    smallest = bid_min_fen(loan.amount_fen) // BID_STEP_FEN
    steps, odd_fen = divmod(loan.amount_fen, BID_STEP_FEN)
    bidders = max(1, min(BIDDERS_MAX, loan.investors, pool, steps // smallest))
    if bidders == 1:
        return ((random.randrange(pool), loan.amount_fen),)
    extra = split_fen(steps - bidders * smallest, [random.randrange(1, 100) for _ in range(bidders)])
    amounts = [(smallest + more) * BID_STEP_FEN for more in extra]
    amounts[-1] += odd_fen
    return tuple(zip(random.sample(range(pool), bidders), amounts, strict=True))


def habit_of(loan: BookLoan) -> Habit:
    """A borrower's habit, from the loan's number alone."""
    return _HABITS[crc32(loan.number.encode()) % len(_HABITS)]


def terms_of(loan: BookLoan) -> Terms:
    """What is asked for and granted: the book's loan, with the platform's own grade and up-front fee."""
    return Terms(
        amount_fen=loan.amount_fen,
        annual_rate=loan.annual_rate,
        tenor_months=loan.tenor_months,
        grade=_GRADES.get(loan.grade, "E"),
        origination_fee_fen=_fee_fen(loan),
        interest_fee_permille=loan.interest_fee_permille,
    )


def _fee_fen(loan: BookLoan) -> int:
    return loan.amount_fen * _ORIGINATION_FEE_PERMILLE // 1000


def _application(loan: BookLoan, borrower: str, funded_on: date) -> Iterator[tuple[date, Action]]:
    """One step a day, the last on the eve of the funding; the days before are his registration."""
    terms = terms_of(loan)
    for before, stage in enumerate(reversed(Stage), 1):
        yield funded_on - before * _DAY, Apply(f"{stage.value}", borrower, loan.number, stage, terms)


def _beginning(
    loan: BookLoan, borrower: str, investors: Sequence[str], bids: Sequence[tuple[int, int]]
) -> Iterator[Action]:
    last = len(bids) - 1
    for order, (investor, amount_fen) in enumerate(bids):
        closing = order == last > 0 and amount_fen % BID_STEP_FEN > 0
        yield Bid(f"{borrower}.bid", investors[investor], loan.number, amount_fen, closing)
    yield AwaitFunded(f"{borrower}.funded", loan.number)
    yield Withdraw("proceeds", borrower, loan.number, loan.amount_fen - _fee_fen(loan))


# --- paying --------------------------------------------------------------------------------------------------------


def _payments(
    loan: BookLoan, borrower: str, rows: Sequence[ScheduleRow], funded_on: date, horizon: date
) -> Iterator[tuple[date, Action]]:
    """What the borrower brings and pays; he never brings anything for an instalment that the book says he missed."""
    match loan.outcome:
        case Completed(early=True):
            settled_on = ends_on(loan, funded_on)
            before = [row for row in rows if row.due_on < settled_on]
            yield from _as_due(loan, borrower, before, settled_on)
            yield from _settled(loan, borrower, rows[len(before) :], settled_on)
        case Completed():
            late = ends_on(loan, funded_on) > rows[-1].due_on
            yield from _as_due(loan, borrower, rows[:-1] if late else rows, horizon + _DAY)
            if late:
                ended_on = ends_on(loan, funded_on)
                penalty_fen = _penalty_fen(loan, rows[-1], ended_on, _PROFILE.on(funded_on))
                yield from _own(loan, borrower, rows[-1], ended_on, penalty_fen)
        case Defaulted(cycle):
            yield from _as_due(loan, borrower, rows[: cycle - 1], horizon + _DAY)
        case Current() as state:
            paying = rows[: missed_from(loan, state) - 1] if state.days_past_due else rows
            due = [row for row in paying if row.due_on <= horizon]
            yield from _as_due(loan, borrower, due, horizon + _DAY)


def _as_due(
    loan: BookLoan, borrower: str, rows: Sequence[ScheduleRow], until: date
) -> Iterator[tuple[date, Action]]:
    """Each instalment in the way of the borrower's habit; whoever is late still pays before `until`.

    What is paid when it is due may be brought the evening before: the instalment before it is settled by then.
    """
    habit = habit_of(loan)
    for row in rows:
        amount_fen = row.principal_fen + row.interest_fen
        if amount_fen == 0:
            continue
        if habit is Habit.OWN:
            yield from _own(loan, borrower, row, row.due_on)
            continue
        tardy = habit is Habit.TARDY and row.due_on + 2 * _DAY < until
        if tardy and row.number % 5 == 0:
            yield row.due_on + 2 * _DAY, TopUp(f"{row.number}", borrower, amount_fen)
        elif tardy and row.number % 3 == 0 and amount_fen > 1:
            yield row.due_on, TopUp(f"{row.number}a", borrower, amount_fen // 2)
            yield row.due_on + _DAY, TopUp(f"{row.number}b", borrower, amount_fen - amount_fen // 2)
        else:
            yield row.due_on, TopUp(f"{row.number}", borrower, amount_fen, ahead=True)


def _penalty_fen(loan: BookLoan, row: ScheduleRow, on: date, rules: Rules) -> int:
    """Enough for the penalty of an instalment that is paid late: a fen more per charge, which may round up; none in the
    grace. What is too much comes back."""
    late_days = (on - row.due_on).days
    open_fen = row.principal_fen + row.interest_fen
    if late_days <= rules.penalty_grace_days or not open_fen:
        return 0
    rate = rules.penalty_rate(loan.annual_rate)
    penalty_fen = daily_interest_fen(open_fen, rate, late_days, rules.day_basis, rules.rounding)
    return penalty_fen + 2 * (late_days // 28 + 1)


def _own(
    loan: BookLoan, borrower: str, row: ScheduleRow, on: date, penalty_fen: int = 0
) -> Iterator[tuple[date, Action]]:
    """The borrower pays one instalment by himself, before the day's debit would."""
    amount_fen = row.principal_fen + row.interest_fen + penalty_fen
    if amount_fen:
        yield on, TopUp(f"{row.number}", borrower, amount_fen, ahead=on == row.due_on)
        yield on, Pay(f"{row.number}", borrower, loan.number, amount_fen, settle=False)


def _settled(
    loan: BookLoan, borrower: str, rows: Sequence[ScheduleRow], on: date
) -> Iterator[tuple[date, Action]]:
    """One payment for everything that is left: what is due today, all principal, and at most a month's interest.

    The loan takes interest to the day only; what was too much comes back to the borrower's account.
    """
    due_fen = sum(row.interest_fen for row in rows if row.due_on <= on)
    undue = [row for row in rows if row.due_on > on]
    amount_fen = sum(row.principal_fen for row in rows) + due_fen + undue[0].interest_fen
    if amount_fen:
        yield on, TopUp("settle", borrower, amount_fen)
        yield on, Pay("settle", borrower, loan.number, amount_fen, settle=True)


def _misses(
    rows: Sequence[ScheduleRow], paid: Sequence[tuple[date, Action]], horizon: date
) -> tuple[list[tuple[ScheduleRow, date | None]], ScheduleRow | None]:
    """The instalments that will be said to be missed and talked about, with the date on which each is paid; and the first of
    those that are never paid, for which only one call is expected."""
    settled_on = next((on for on, action in paid if isinstance(action, Pay) and action.settle), date.max)
    brought = {action.key: on for on, action in paid if isinstance(action, TopUp)}
    found: list[tuple[ScheduleRow, date | None]] = []
    for row in rows:
        if row.due_on >= min(settled_on, horizon) or row.principal_fen + row.interest_fen == 0:
            continue
        paid_on = brought.get(f"{row.number}", brought.get(f"{row.number}b"))
        if not is_missed(row, paid_on, horizon):
            continue
        found.append((row, paid_on))
        if paid_on is None:
            return found, row
    return found, None


def _wakes(
    rows: Sequence[ScheduleRow], paid: Sequence[tuple[date, Action]], horizon: date
) -> frozenset[date]:
    """Dates on which closing the day has work with this loan: what falls due, and what follows where it is not paid."""
    settled_on = next((on for on, action in paid if isinstance(action, Pay) and action.settle), date.max)
    topped_up = {on for on, _ in paid}
    found: set[date] = set()
    for row in rows:
        if row.due_on > min(horizon, settled_on):
            break
        found.add(row.due_on)
        if row.due_on not in topped_up:
            found |= {row.due_on + timedelta(days=after) for after in _WORK_AFTER_MISS}
            found |= _month_ends(row.due_on)
    return frozenset(found)


def _month_ends(due_on: date) -> set[date]:
    """The ends of the months in which an unpaid instalment is charged penalty."""
    ends: set[date] = set()
    day = due_on
    for _ in range(_MONTHS_CHARGED):
        day = last_of_month(day + _DAY)
        ends.add(day)
    return ends
