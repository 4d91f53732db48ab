"""The view of a loan: its terms, what each instalment has received, its penalty and class."""

from libs.events.repayment import ScheduleRow
from libs.events.rescheduling import ScheduleChanged
from services.repayment.api.portfolio_shapes import open_rows
from services.repayment.api.shapes import LoanOut
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as SCHEDULES
from tests.unit.documents import documents, history, nested
from tests.unit.given import given as given_events
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    INSTALLMENT,
    LOAN,
    OPENED,
    SECOND_DUE,
    days,
    due,
    failed,
    misses,
    on,
    pays,
)
from tests.unit.repayment.views_story import (
    LATE,
    LATE_ONCE,
    SETTLEMENT,
    STORY,
    TERMS,
    paid,
    row,
    without_source,
)


def test_a_loan_is_shown_with_what_each_instalment_has_received() -> None:
    """One paid in time, one missed and partly paid, one to come."""
    assert without_source(documents(SCHEDULES, history("loan_7", *STORY))["loan_7"]) == {
        **TERMS,
        "state": "running",
        "bucket": "M1",
        "outstanding_fen": 66_668,
        "overdue_fen": 33_002,
        "early.principal_fen": 0,
        "early.interest_fen": 0,
        **LATE_ONCE,
        **row(1, "2024-02-29", (33_002, 1_000), (33_002, 1_000), False),
        **row(2, "2024-03-31", (33_332, 670), (330, 670), True),
        **row(3, "2024-04-30", (33_666, 337), (0, 0), False),
        "held.clm_7_1": 50_000 - 16_501 - 165,
        "held.clm_7_2": 30_000 - 9_901 - 99,
        "held.clm_7_3": 20_000 - 6_600 - 66,
        "shared": {"clm_7_1": 165, "clm_7_2": 99, "clm_7_3": 66},
    }


def test_a_settled_loan_shows_what_was_paid_before_its_time_beside_the_rows() -> None:
    """The rows keep what the contract named; the early part stands alone."""
    assert without_source(documents(SCHEDULES, history("loan_7", *STORY, *SETTLEMENT))["loan_7"]) == {
        **TERMS,
        "state": "repaid",
        "repaid_on": "2024-04-01",
        "repaid_early": True,
        "bucket": "current",
        "outstanding_fen": 0,
        "overdue_fen": 0,
        "early.principal_fen": 33_666,
        "early.interest_fen": 11,
        **(LATE_ONCE | {"dpd": 0}),
        **paid("pay_2", "2024-04-01", (0, 11, 66_668), early=True),
        **row(1, "2024-02-29", (33_002, 1_000), (33_002, 1_000), False),
        **row(2, "2024-03-31", (33_332, 670), (33_332, 670), True),
        **row(3, "2024-04-30", (33_666, 337), (0, 0), False),
    }


def test_a_changed_schedule_is_what_is_shown() -> None:
    """Its rows in place of those that were not due, and none behind them; what was received stays where it was."""
    change = ScheduleChanged(
        loan_id="loan_7",
        borrower="usr_bo",
        change_id="pay_9",
        reason="partial_prepayment_shortened",
        changed_on=LATE,
        outstanding_fen=66_998,
        rows=(ScheduleRow(number=2, due_on=SECOND_DUE, principal_fen=66_998, interest_fen=670),),
    )
    shown = nested("loan_7", documents(SCHEDULES, history("loan_7", OPENED, *FIRST_PAID, change))["loan_7"])
    loan = LoanOut.of(shown)
    assert [(row.number, row.principal_fen, row.paid_principal_fen) for row in loan.rows] == [
        (1, 33_002, 33_002),
        (2, 66_998, 0),
    ]
    assert [(row.due_on, row.principal_fen) for row in open_rows(shown)] == [(SECOND_DUE, 66_998)]
    assert loan.book().rows[1] == change.rows[0]


def test_a_loan_names_the_last_event_behind_it() -> None:
    """A number can be followed down to the log."""
    events = history("loan_7", *STORY)
    assert documents(SCHEDULES, events)["loan_7"]["src.loan_7"] == events[-1].address


def test_penalty_and_class_are_shown_where_they_were_charged() -> None:
    """Ten days late, 168 charged on the first instalment and paid first; the class, and the days when it was said."""
    day = days(FIRST_DUE, 10)
    unpaid = (CONTRACTED, due(1), failed(FIRST_DUE))
    late = given_events(LOAN, *unpaid).when(misses(days(FIRST_DUE, 1)), on(days(FIRST_DUE, 1))).events
    late = (*late, failed(days(FIRST_DUE, 1)))
    paid_late = given_events(LOAN, *unpaid, *late).when(pays(day, 1_500), on(day)).events
    events = history("loan_7", *unpaid, *late, *paid_late)
    shown = documents(SCHEDULES, events)["loan_7"]
    named = ("penalty_rate", "penalty_fen", "loan_class", "dpd", "dpd_on", "overdue_fen")
    assert {name: shown[name] for name in named} == {
        "penalty_rate": "0.18",
        "penalty_fen": 0,
        "loan_class": "special_mention",
        "dpd": 10,
        "dpd_on": "2024-03-10",
        "overdue_fen": INSTALLMENT + 168 - 1_500,
    }
    assert (shown["rows.1.penalty_fen"], shown["rows.1.paid_penalty_fen"]) == (168, 168)
    assert shown["rows.1.penalty_to"] == "2024-03-10"
    assert documents(CLAIMS_HELD, events)["clm_7_1"]["penalty_fen"] == 84
