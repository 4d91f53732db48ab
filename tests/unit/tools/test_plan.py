"""The plan leads every loan to the end that the book says, and never asks for what the platform would refuse."""

from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given

from libs.events.repayment import InstallmentDue, OverpaymentReturned, PaymentReceived, PaymentReturned
from services.bidding.domain.listing import BID_STEP_FEN, bid_min_fen
from tests.unit.tools.books import book_loans, books
from tests.unit.tools.played import Played
from tools.replay.actions import Action, AwaitFunded, Bid, OpenAccount, OpenListing, Pay, TopUp, Withdraw
from tools.replay.book import BookLoan, Completed, Current, Defaulted
from tools.replay.generated import generated_book
from tools.replay.plan import Plan, make_plan
from tools.replay.story import BIDDERS_MAX, Habit, habit_of, make_bids

FIRST = date(2011, 12, 31)


def _sequence(plan: Plan) -> list[tuple[date, Action]]:
    """All actions in the order in which the driver does them."""
    return [(day.business_date, action) for day in plan.days() for step in day.steps for action in step]


@given(book_loans())
def test_bids_fill_a_loan_exactly_and_only_the_last_is_odd(loan: BookLoan) -> None:
    """Bids sum to the amount, by at most 25 different investors; all but the last are multiples and at least the minimum."""
    bids = make_bids(loan, 30)
    amounts = [amount for _, amount in bids]
    assert sum(amounts) == loan.amount_fen
    assert len(bids) <= min(BIDDERS_MAX, loan.investors)
    assert len({investor for investor, _ in bids}) == len(bids)
    assert all(0 <= investor < 30 for investor, _ in bids)
    assert all(amount % BID_STEP_FEN == 0 for amount in amounts[:-1])
    if len(bids) > 1:
        assert min(amounts) >= bid_min_fen(loan.amount_fen)


@given(books())
def test_every_date_is_a_day_and_every_action_lies_on_one(loans: tuple[BookLoan, ...]) -> None:
    """The calendar has no gap, its first date is empty, and no action is lost outside it."""
    plan = make_plan(loans, FIRST)
    days = list(plan.days())
    assert [day.business_date for day in days] == [
        FIRST + timedelta(days=n) for n in range(plan.business_days)
    ]
    assert days[0].steps == ()
    assert days[-1].business_date == plan.last_date
    planned = sum(len(story.actions) for story in plan.stories)
    done = _sequence(plan)
    assert sum(not _is_investors(plan, action) for _, action in done) == planned - sum(
        isinstance(action, Bid) for story in plan.stories for _, action in story.actions
    )
    assert all(not day.steps for day in days if day.quiet)


def _is_investors(plan: Plan, action: Action) -> bool:
    return isinstance(action, OpenAccount | TopUp | Bid) and action.user in plan.investors


@given(books())
def test_nobody_spends_what_he_does_not_have(loans: tuple[BookLoan, ...]) -> None:
    """In the order of the plan no account is used before it is open, and no bid or payment exceeds what was brought."""
    opened: set[str] = set()
    brought: defaultdict[str, int] = defaultdict(int)
    for _, action in _sequence(make_plan(loans, FIRST)):
        match action:
            case OpenAccount():
                opened.add(action.user)
            case TopUp():
                assert action.user in opened
                brought[action.user] += action.amount_fen
            case Bid() | Pay():
                brought[action.user] -= action.amount_fen
                assert brought[action.user] >= 0
            case OpenListing():
                assert action.borrower in opened
            case Withdraw() | AwaitFunded():
                pass


@given(books())
def test_keys_are_never_used_for_two_wishes(loans: tuple[BookLoan, ...]) -> None:
    """The platform tells wishes apart by who asks what under which key, so the three together occur once."""
    wishes = Counter(
        (type(action), getattr(action, "user", "operator"), action.key)
        for _, action in _sequence(make_plan(loans, FIRST))
    )
    assert not [wish for wish, count in wishes.items() if count > 1]


@given(books())
def test_a_plan_follows_from_its_book_and_first_date(loans: tuple[BookLoan, ...]) -> None:
    """Planned twice, it is the same plan with the same keys; on another date the users are others."""
    assert make_plan(loans, FIRST) == make_plan(loans, FIRST)
    other = make_plan(loans, FIRST + timedelta(days=1))
    assert not set(other.investors) & set(make_plan(loans, FIRST).investors)


@given(books())
def test_running_loans_are_as_old_and_as_late_at_the_end_as_in_the_book(loans: tuple[BookLoan, ...]) -> None:
    """On the last date a loan that runs has as many instalments behind it as the book has months."""
    plan = make_plan(loans, FIRST)
    for story in plan.stories:
        assert story.funded_on > FIRST
        state = story.loan.outcome
        if isinstance(state, Current) and not state.days_past_due:
            assert sum(row.due_on <= plan.last_date for row in story.rows) == state.months


@given(books())
def test_played_every_loan_ends_as_the_book_says(loans: tuple[BookLoan, ...]) -> None:
    """On the loan's own rules the plan's money repays what was repaid, leaves late what was late, and returns no payment."""
    plan = make_plan(loans, FIRST)
    for story in plan.stories:
        played = Played(story, plan.last_date)
        assert played.count(PaymentReturned) == 0
        match story.loan.outcome:
            case Completed(early=early):
                assert played.where == "repaid"
                assert played.balance_fen == sum(
                    event.amount_fen for event in played.events if isinstance(event, OverpaymentReturned)
                )
                assert (
                    any(event.early for event in played.events if isinstance(event, PaymentReceived)) == early
                )
            case Current(days_past_due=0):
                assert (played.where, played.balance_fen) == ("current", 0)
            case Current() | Defaulted():
                assert played.where not in ("repaid", "current")
                assert played.balance_fen == 0


def test_days_are_quiet_only_when_no_loan_has_anything_to_do() -> None:
    """Whatever a loan decides while a day is closed lies on a day that is not called quiet."""
    plan = make_plan(generated_book(40), FIRST)
    quiet = {day.business_date for day in plan.days() if day.quiet}
    assert quiet
    for story in plan.stories:
        due = {
            event.value_date
            for event in Played(story, plan.last_date).events
            if isinstance(event, InstallmentDue)
        }
        assert not due & quiet


def test_borrowers_have_habits() -> None:
    """Forty loans show debits, own payments and late payers."""
    assert {habit_of(loan) for loan in generated_book(40)} == set(Habit)
