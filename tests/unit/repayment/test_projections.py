"""The views of repayment: whole documents, the same in any interleaving, and sums that their rows explain."""

from dataclasses import replace

from libs.events.repayment import (
    InstallmentDue,
    PaymentMissed,
    ScheduleRow,
)
from libs.events.rescheduling import ScheduleChanged
from libs.events.views import Add, SetOnce, View
from services.repayment.api.portfolio_shapes import open_rows
from services.repayment.api.shapes import LoanOut
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as SCHEDULES
from services.repayment.projections.measures import VIEW as MEASURES
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history, nested, turn_about
from tests.unit.given import given as given_events
from tests.unit.repayment.measure_story import CARRIED, EXECUTED, IN_WORK, NO, PROPOSED, RIA
from tests.unit.repayment.measure_story import failed as stopped
from tests.unit.repayment.stories import (
    CONTRACTED,
    FIRST_DUE,
    FIRST_PAID,
    INSTALLMENT,
    LOAN,
    OPENED,
    SECOND_DUE,
    amended,
    days,
    due,
    failed,
    misses,
    on,
    pays,
)
from tests.unit.repayment.test_trading import PART, TRANSFERRED, freed
from tests.unit.repayment.test_troubled import CHARGED, FINED, LOSS, LOST, LOST_ON, waived
from tests.unit.repayment.views_story import (
    LATE,
    LATE_ONCE,
    OTHER,
    SETTLEMENT,
    STORY,
    TERMS,
    moved,
    paid,
    row,
    without_source,
)

# --- repayment.loans -----------------------------------------------------------------------------------------


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


# --- repayment.overdue-buckets ---------------------------------------------------------------------------------------


def test_buckets_count_loans_and_their_whole_outstanding_principal() -> None:
    """One loan in M1 after a part payment, one in M2; nobody is current any more."""
    shown = documents(BUCKETS, [*history("loan_7", *STORY), *history("loan_8", *OTHER)])
    assert {doc: fields for doc, fields in shown.items() if doc.startswith("bucket:")} == {
        f"bucket:{name}": {
            "kind": "bucket",
            "bucket": name,
            "loans": loans,
            "principal_fen": principal_fen,
            "overdue_principal_fen": late_fen,
            "overdue_fen": 0,  # collections says it
        }
        for name, loans, principal_fen, late_fen in (
            ("current", 0, 0, 0),
            ("M1", 1, 66_668, 33_002),
            ("M2", 1, 100_000, 0),
        )
    }


def test_a_row_stands_behind_every_counted_loan() -> None:
    """With what it owes, since when it is counted there, and the last event behind it."""
    events = history("loan_7", *STORY)
    assert documents(BUCKETS, events)["loan:loan_7"] == {
        "kind": "loan",
        "loan_id": "loan_7",
        "borrower": "usr_bo",
        "bucket": "M1",
        "region": "",
        "branch": "",
        "moved": False,
        "product": "",
        "since": "2024-04-01",
        "principal_fen": 66_668,
        "overdue_principal_fen": 33_002,
        "overdue_fen": 33_002,
        "src.loan_7": events[-2].address,
    }


def test_a_repaid_loan_is_counted_nowhere() -> None:
    """Its row is gone and no bucket keeps a rest of it."""
    shown = documents(BUCKETS, history("loan_7", *STORY, *SETTLEMENT))
    sums = ["bucket:M1", "bucket:current", "product:", "region:", "segment:::M1", "segment:::current"]
    assert sorted(shown) == sums
    counts = ("loans", "principal_fen", "late_loans", "late_principal_fen")
    assert all(fields.get(count, 0) == 0 for fields in shown.values() for count in counts)


def test_segments_count_by_region_and_product() -> None:
    """The same sums, of the loans of one region and product."""
    here = {"region": "sh", "product": "credit"}
    last = replace(moved("M1", "M6+", 100_000, INSTALLMENT, loan="loan_8"), **here)
    other = (
        amended(OPENED, loan_id="loan_8", **here),
        replace(moved("current", "M1", 100_000, INSTALLMENT, loan="loan_8"), **here),
        last,
    )
    shown = documents(BUCKETS, [*history("loan_7", *STORY), *history("loan_8", *other)])
    counted = {
        doc: (f["loans"], f["principal_fen"]) for doc, f in shown.items() if doc.startswith("segment:")
    }
    assert counted == {
        "segment:::current": (0, 0),
        "segment:::M1": (1, 66_668),
        "segment:sh:credit:current": (0, 0),
        "segment:sh:credit:M1": (0, 0),
        "segment:sh:credit:M6+": (1, 100_000),
    }
    assert shown["segment:sh:credit:M6+"]["bucket"] == "M6+"
    late = {"kind": "region", "region": "sh", "loans": 1, "principal_fen": 100_000}
    sums = {"late_principal_fen": 100_000, "overdue_principal_fen": 0, "overdue_fen": 0}
    assert shown["region:sh"] == late | {"late_loans": 1} | sums
    assert (shown["product:"]["loans"], shown["product:"]["late_principal_fen"]) == (1, 66_668)


def test_what_is_late_of_a_region_is_what_its_rows_say() -> None:
    """At every event: all loans of a region or product, and of these the ones that are in no `current` bucket."""
    events = [*history("loan_7", *STORY, *SETTLEMENT), *history("loan_8", *OTHER)]
    for length in range(1, len(events) + 1):
        shown = documents(BUCKETS, events[:length])
        rows = [fields for doc, fields in shown.items() if doc.startswith("loan:")]
        late = [row for row in rows if row["bucket"] != "current"]
        for doc in ("region:", "product:"):
            assert (shown[doc]["loans"], shown[doc]["late_loans"]) == (len(rows), len(late)), length
            assert shown[doc]["principal_fen"] == sum(row["principal_fen"] for row in rows)
            assert shown[doc]["late_principal_fen"] == sum(row["principal_fen"] for row in late)


# --- repayment.claims ------------------------------------------------------------------------------------------------


def test_a_claim_shows_what_is_owed_and_what_came_back() -> None:
    """Half of the loan: half of each distribution, its fee beside it."""
    shown = without_source(documents(CLAIMS_HELD, history("loan_7", *STORY))["clm_7_1"])
    assert shown == {
        "claim_id": "clm_7_1",
        "loan_id": "loan_7",
        "investor": "usr_1",
        "account_id": "acc_1",
        "principal_fen": 50_000,
        "outstanding_fen": 50_000 - 16_501 - 165,
        "principal_back_fen": 16_501 + 165,
        "interest_fen": 500 + 335,
        "penalty_fen": 0,
        "fee_fen": 50 + 34,
        "sold_fen": 0,
        "offer_id": None,
        "received.2024-02-29.principal_fen": 16_501,
        "received.2024-02-29.interest_fen": 500,
        "received.2024-02-29.fee_fen": 50,
        "received.2024-04-01.principal_fen": 165,
        "received.2024-04-01.interest_fen": 335,
        "received.2024-04-01.fee_fen": 34,
    }


def test_a_claim_that_is_sold_goes_on_as_its_buyers() -> None:
    """While it is reserved it names its offer; what was sold is the buyer's new claim, and the seller keeps what it brought him."""
    story = (*STORY[:1], PART)
    assert documents(CLAIMS_HELD, history("loan_7", *story))["clm_7_1"]["offer_id"] == "offer_1"
    sale = replace(TRANSFERRED, left_fen=30_000, claim=replace(TRANSFERRED.claim, principal_fen=20_000))
    shown = documents(CLAIMS_HELD, history("loan_7", *story, sale))
    seller, buyer = shown["clm_7_1"], shown["clm_7_4"]
    assert (seller["outstanding_fen"], seller["sold_fen"], seller["offer_id"]) == (30_000, 20_000, None)
    assert (buyer["investor"], buyer["outstanding_fen"], buyer["principal_fen"]) == ("usr_9", 20_000, 20_000)
    free = documents(CLAIMS_HELD, history("loan_7", *story, freed("offer_expired")))
    assert free["clm_7_1"]["offer_id"] is None


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


# --- all ---------------------------------------------------------------------------------------------------------------


def test_other_events_change_nothing() -> None:
    """A due date alone changes no document, and is not even read."""
    for view in (SCHEDULES, CLAIMS_HELD, BUCKETS):
        assert view.project(history("loan_7", due(1))[0]) == []
        assert InstallmentDue not in view.reads


def test_any_interleaving_of_two_loans_gives_the_same_documents() -> None:
    """Loan after loan, turn about, and the second first."""
    one, other = history("loan_7", *STORY, *SETTLEMENT), history("loan_8", *OTHER)
    for view in (SCHEDULES, BUCKETS):
        in_order = documents(view, [*one, *other])
        assert in_order == documents(view, turn_about(one, other)) == documents(view, [*other, *one])


def test_only_sums_are_shared_between_loans() -> None:
    """What a loan changes of a bucket is an addition, or the bucket's own name, said once."""
    for event in history("loan_7", *STORY, *SETTLEMENT):
        for op in BUCKETS.project(event):
            if not op.doc.startswith("loan:"):
                assert isinstance(op, Add | SetOnce)


def test_a_further_missed_instalment_is_overdue_even_if_the_bucket_stays() -> None:
    """29 February and 31 March missed: on 1 April the loan is in M2 already, the second instalment is counted all the same."""
    missed = PaymentMissed(
        loan_id="loan_7",
        borrower="usr_bo",
        number=2,
        due_on=SECOND_DUE,
        open_fen=INSTALLMENT,
        dpd=32,
        overdue_after_fen=2 * INSTALLMENT,
    )
    events = history("loan_7", OPENED, moved("current", "M1", 100_000, INSTALLMENT), missed)
    assert documents(SCHEDULES, events)["loan_7"]["overdue_fen"] == 2 * INSTALLMENT
    assert documents(BUCKETS, events)["loan:loan_7"]["overdue_fen"] == 2 * INSTALLMENT
    from_before_it_was_said = history(
        "loan_7", *(event.data for event in events[:2]), replace(missed, overdue_after_fen=None)
    )
    assert documents(SCHEDULES, from_before_it_was_said)["loan_7"]["overdue_fen"] == INSTALLMENT
    assert documents(BUCKETS, from_before_it_was_said)["loan:loan_7"]["overdue_fen"] == INSTALLMENT


def test_views_declare_whose_documents_they_are() -> None:
    """A borrower owns his loan's document, an investor his claim's; the book's buckets are nobody's."""
    views: tuple[View, ...] = (SCHEDULES, CLAIMS_HELD, BUCKETS)
    assert [view.owner_field for view in views] == ["borrower", "investor", None]


# --- measures ------------------------------------------------------------------------------------------------------


def test_a_written_off_loan_leaves_the_running_book_and_stands_beside_it() -> None:
    """No bucket, region or product counts it; what came back since is a sum of its own, and nothing is left of it when all is paid."""
    events = [*LOST, *LOSS]
    shown = documents(BUCKETS, history("loan_7", *events))
    assert (shown["bucket:M6+"]["loans"], shown["bucket:M6+"]["principal_fen"]) == (0, 0)
    assert (shown["region:"]["loans"], shown["region:"]["late_principal_fen"]) == (0, 0)
    assert shown["written_off"] == {
        "kind": "written_off_sum",
        "loans": 1,
        "principal_fen": 100_000,
        "recovered_fen": 0,
    }
    row = shown["loan:loan_7"]
    assert (row["kind"], row["bucket"], row["principal_fen"]) == ("written_off", "written_off", 100_000)
    loan = documents(SCHEDULES, history("loan_7", *events))["loan_7"]
    standing = ("accrual", "written_off_on", "bucket", "loan_class", "penalty_rate", "measures.msr_1")
    assert [loan[name] for name in standing] == [
        "non_accrual",
        str(LOST_ON),
        "written_off",
        "loss",
        "0",
        "write_off",
    ]
    paid = given_events(LOAN, *events).when(pays(LOST_ON, 102_007), on(LOST_ON))
    shown = documents(BUCKETS, history("loan_7", *events, *paid.events))
    assert shown["written_off"] == {
        "kind": "written_off_sum",
        "loans": 0,
        "principal_fen": 0,
        "recovered_fen": 102_007,
    }
    assert "loan:loan_7" not in shown
    assert all(document["loans"] == 0 for name, document in shown.items() if name != "written_off")


def test_a_waiver_is_taken_off_what_is_owed() -> None:
    """Of the instalment, of the loan, and of what is overdue; what was given up stands beside it."""
    loan = documents(SCHEDULES, history("loan_7", *FINED, CHARGED, waived(100, 100)))["loan_7"]
    names = ("penalty_fen", "waived_fen", "overdue_fen", "rows.1.penalty_fen")
    assert [loan[name] for name in names] == [152, 100, INSTALLMENT + 152, 152]


def test_a_measure_is_shown_by_what_it_waits_for() -> None:
    """A post, its lenders, its loan, its end."""
    whole = (*CARRIED, EXECUTED)
    stages = [
        documents(MEASURES, history("msr_1", *whole[:length]))["msr_1"]["stage"]
        for length in range(1, len(whole) + 1)
    ]
    assert stages == [
        "loan",
        "risk",
        "general_manager",
        "general_manager",
        *["vote"] * 3,
        "execution",
        "executed",
    ]
    shown = documents(MEASURES, history("msr_1", *CARRIED))["msr_1"]
    assert (shown["voters"], shown["of_fen"], shown["for_fen"]) == (
        ["usr_1", "usr_2", "usr_3"],
        100_000,
        70_000,
    )
    assert (shown["signers.risk"], shown["votes.usr_1"], shown["mandate"]) == ("stf_ria", True, "vote")
    assert documents(MEASURES, history("msr_1", *IN_WORK, RIA, NO))["msr_1"]["code"] == "not_proven"
    assert (
        documents(MEASURES, history("msr_1", PROPOSED, stopped("nothing_to_extend")))["msr_1"]["stage"]
        == "failed"
    )
