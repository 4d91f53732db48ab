"""The plan leads every loan to the end that the book says, and never asks for what the platform would refuse."""

from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given

from services.bidding.domain.opening import BID_STEP_FEN, bid_min_fen
from services.bidding.domain.profile import profile_named
from services.onboarding.domain.profile import level_of
from tests.unit.tools.books import book_loans, books
from tools.replay.actions import (
    Action,
    Apply,
    Assess,
    AwaitFunded,
    Bid,
    CallIn,
    Dun,
    Join,
    Pay,
    Stage,
    TopUp,
    Withdraw,
)
from tools.replay.book import BookLoan, Current
from tools.replay.generated import generated_book
from tools.replay.plan import Plan, make_plan
from tools.replay.staff import OPERATOR
from tools.replay.story import BIDDERS_MAX, Habit, habit_of, make_bids, terms_of

BIDDING = profile_named("demo")
FIRST = date(2011, 12, 31)


def _sequence(plan: Plan) -> list[tuple[date, Action]]:
    """All actions in the order in which the driver does them."""
    return [
        (on, action)
        for day in plan.days()
        for on, actions in (
            *((day.business_date, step) for step in day.steps),
            (day.business_date + timedelta(days=1), day.ahead),
        )
        for action in actions
    ]


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
    planned = Counter(id(action) for story in plan.stories for _, action in story.actions)
    done = Counter(id(action) for _, action in _sequence(plan))
    assert not planned - done
    assert all(
        isinstance(action, Join | Assess | TopUp)
        for _, action in _sequence(plan)
        if id(action) not in planned
    )
    assert all(not day.steps and not day.ahead for day in days if day.quiet)


@given(books())
def test_nobody_spends_what_he_does_not_have(loans: tuple[BookLoan, ...]) -> None:
    """In the order of the plan nobody acts before he has joined, and no bid or payment exceeds what was brought."""
    joined: set[str] = set()
    brought: defaultdict[str, int] = defaultdict(int)
    for _, action in _sequence(make_plan(loans, FIRST)):
        match action:
            case Join():
                assert action.user not in joined
                joined.add(action.user)
            case TopUp():
                assert action.user in joined
                brought[action.user] += action.amount_fen
            case Bid() | Pay():
                brought[action.user] -= action.amount_fen
                assert brought[action.user] >= 0
            case Apply() | Assess() | CallIn() | Dun():
                assert action.user in joined
            case Withdraw() | AwaitFunded():
                pass
    assert joined == set(make_plan(loans, FIRST).people)


@given(books())
def test_an_application_takes_its_steps_on_dates_of_their_own_before_it_is_bid_for(
    loans: tuple[BookLoan, ...],
) -> None:
    """Its borrower joins first, each step comes a day after the one before, and bids come when the listing is open."""
    plan = make_plan(loans, FIRST)
    joined = {action.user: on for on, action in _sequence(plan) if isinstance(action, Join)}
    for story in plan.stories:
        steps = {action.stage: on for on, action in story.actions if isinstance(action, Apply)}
        assert FIRST < joined[story.borrower] < steps[Stage.SUBMIT]
        assert [steps[stage] for stage in Stage] == sorted(set(steps.values()))
        bids = [on for on, action in story.actions if isinstance(action, Bid)]
        assert set(bids) == {story.funded_on}
        assert max(steps.values()) < story.funded_on


@given(books())
def test_bids_come_from_people_who_said_that_they_stand_the_risk(loans: tuple[BookLoan, ...]) -> None:
    """On the date of every bid its investor has an assessment of this year, at the level that the listing's grade needs."""
    plan, assessed = make_plan(loans, FIRST), dict[str, tuple[date, str]]()
    terms = {story.loan.number: terms_of(story.loan) for story in plan.stories}
    for on, action in _sequence(plan):
        if isinstance(action, Assess):
            assessed[action.user] = (on, level_of(action.answers))
        elif isinstance(action, Bid):
            since, level = assessed[action.user]
            assert on <= since + timedelta(days=365)
            assert level >= BIDDING.level_needed(terms[action.loan].grade, on)


@given(books())
def test_who_brings_somebody_came_before_him(loans: tuple[BookLoan, ...]) -> None:
    """A referrer joined on an earlier date, so his id is known and his owner can be passed on."""
    since: dict[str, date] = {}
    for on, action in _sequence(make_plan(loans, FIRST)):
        if isinstance(action, Join):
            since[action.user] = on
            assert action.referrer is None or since[action.referrer] < on


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
    """Planned twice, it is the same plan with the same keys; on another date people and staff are others."""
    plan, other = make_plan(loans, FIRST), make_plan(loans, FIRST + timedelta(days=1))
    assert plan == make_plan(loans, FIRST)
    assert not set(plan.staff.scopes()) & set(other.staff.scopes()) - {OPERATOR}
    here, there = (
        [action for _, action in _sequence(each) if isinstance(action, Join)] for each in (plan, other)
    )
    assert not {join.key for join in here} & {join.key for join in there}
    assert not {join.person.phone for join in here} & {join.person.phone for join in there}


@given(books())
def test_running_loans_are_as_old_and_as_late_at_the_end_as_in_the_book(loans: tuple[BookLoan, ...]) -> None:
    """On the last date a loan that runs has as many instalments behind it as the book has months."""
    plan = make_plan(loans, FIRST)
    for story in plan.stories:
        assert story.funded_on > FIRST
        state = story.loan.outcome
        if isinstance(state, Current) and not state.days_past_due:
            assert sum(row.due_on <= plan.last_date for row in story.rows) == state.months


def test_borrowers_have_habits() -> None:
    """Forty loans show debits, own payments and late payers."""
    assert {habit_of(loan) for loan in generated_book(40)} == set(Habit)
