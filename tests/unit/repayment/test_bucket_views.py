"""The view of the overdue book: sums by bucket, region and product that the rows of their loans explain."""

from dataclasses import replace

from libs.events.repayment import PaymentMissed
from services.repayment.projections.loans import VIEW as SCHEDULES
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history
from tests.unit.given import given as given_events
from tests.unit.repayment.stories import INSTALLMENT, LOAN, OPENED, SECOND_DUE, amended, on, pays
from tests.unit.repayment.troubled_story import LOSS, LOST, LOST_ON
from tests.unit.repayment.views_story import OTHER, SETTLEMENT, STORY, moved


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
