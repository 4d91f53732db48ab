"""The replay's plan played on the loan's own aggregate: every loan lives as the book says, and nothing planned surprises it."""

from datetime import date

from hypothesis import given

from libs.events.repayment import (
    InstallmentDue,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
)
from tests.simulation.played import Played
from tests.unit.tools.books import books
from tools.replay.actions import CallIn
from tools.replay.book import BookLoan, Completed, Current, Defaulted
from tools.replay.generated import generated_book
from tools.replay.plan import make_plan

FIRST = date(2011, 12, 31)


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


@given(books())
def test_played_misses_are_talked_about_as_planned(loans: tuple[BookLoan, ...]) -> None:
    """A loan has a case exactly when it misses an instalment; a promise is of a missed one, and kept when the loan takes as
    much by its date."""
    plan = make_plan(loans, FIRST)
    for story in plan.stories:
        played = Played(story, plan.last_date)
        missed = {event.number: event for event in played.events if isinstance(event, PaymentMissed)}
        assert story.is_late == bool(missed)
        for called_on, promise in ((on, call) for on, call in story.actions if isinstance(call, CallIn)):
            assert missed[promise.number].due_on < called_on <= promise.promised_on
            assert promise.amount_fen <= missed[promise.number].open_fen
            paid_fen = sum(
                event.amount_fen
                for event in played.events
                if isinstance(event, PaymentReceived) and called_on <= event.value_date <= promise.promised_on
            )
            assert promise.keeps == (paid_fen >= promise.amount_fen)


def test_money_that_comes_the_evening_before_changes_nothing() -> None:
    """Whatever may be brought while the day before is closed leaves a loan's life as it is, event by event."""
    plan = make_plan(generated_book(40), FIRST)
    assert any(day.ahead for day in plan.days())
    for story in plan.stories:
        on_the_day = Played(story, plan.last_date)
        assert Played(story, plan.last_date, ahead=True).events == on_the_day.events


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
