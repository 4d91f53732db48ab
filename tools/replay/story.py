"""One loan's life as actions on dates: listed, bid for, funded, paid month by month, and ended as the book says.

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

from libs.events.money import Rounding, split_fen
from libs.events.repayment import ScheduleRow
from services.bidding.domain.listing import BID_STEP_FEN, bid_min_fen
from services.repayment.domain.profile import FIVE_CLASSES, Rules, profile_named
from services.repayment.domain.schedule import daily_interest_fen, equal_installments, last_of_month
from tools.replay.actions import Action, AwaitFunded, Bid, OpenAccount, OpenListing, Pay, TopUp, Withdraw
from tools.replay.book import BookLoan, Completed, Current, Defaulted
from tools.replay.timeline import ends_on, missed_from

#: At most so many of a loan's investors bid in the replay.
BIDDERS_MAX: Final = 25

#: The up-front fee in per-mille of the amount (chosen; Prosper took 0.5 to 5 %).
_ORIGINATION_FEE_PERMILLE: Final = 10

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
    """What the replay does for one loan. `actions` and `wakes` are dated; `bids` are (investor's index, amount)."""

    loan: BookLoan
    borrower: str
    funded_on: date
    rows: tuple[ScheduleRow, ...]
    bids: tuple[tuple[int, int], ...]
    actions: tuple[tuple[date, Action], ...]
    wakes: frozenset[date]


def make_story(
    loan: BookLoan, borrower: str, investors: Sequence[str], funded_on: date, horizon: date
) -> Story:
    """Everything that happens to a loan from its funding to the horizon, apart from what its investors bring along."""
    schedule = equal_installments(
        loan.amount_fen, loan.annual_rate, loan.tenor_months, funded_on, Rounding.HALF_UP
    )
    bids = make_bids(loan, len(investors))
    paid = list(_payments(loan, borrower, schedule.rows, funded_on, horizon))
    begun = [(funded_on, action) for action in _beginning(loan, borrower, investors, bids)]
    return Story(
        loan, borrower, funded_on, schedule.rows, bids, (*begun, *paid), _wakes(schedule.rows, paid, horizon)
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


def _beginning(
    loan: BookLoan, borrower: str, investors: Sequence[str], bids: Sequence[tuple[int, int]]
) -> Iterator[Action]:
    fee_fen = loan.amount_fen * _ORIGINATION_FEE_PERMILLE // 1000
    yield OpenAccount("open", borrower)
    yield OpenListing(
        key=f"{borrower}.list",
        loan=loan.number,
        borrower=borrower,
        amount_fen=loan.amount_fen,
        annual_rate=loan.annual_rate,
        tenor_months=loan.tenor_months,
        grade=loan.grade,
        origination_fee_fen=fee_fen,
        interest_fee_permille=loan.interest_fee_permille,
    )
    last = len(bids) - 1
    for order, (investor, amount_fen) in enumerate(bids):
        closing = order == last > 0 and amount_fen % BID_STEP_FEN > 0
        yield Bid(f"{borrower}.bid", investors[investor], loan.number, amount_fen, closing)
    yield AwaitFunded(f"{borrower}.funded", loan.number)
    yield Withdraw("proceeds", borrower, loan.amount_fen - fee_fen)


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
    """Each instalment in the way of the borrower's habit; whoever is late still pays before `until`."""
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
            yield row.due_on, TopUp(f"{row.number}", borrower, amount_fen)


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
        yield on, TopUp(f"{row.number}", borrower, amount_fen)
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
