"""The views of repayment, each and together: claims, waivers and measures, and the same documents in any interleaving."""

from dataclasses import replace

from libs.events.repayment import InstallmentDue
from libs.events.views import Add, SetOnce, View
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loans import VIEW as SCHEDULES
from services.repayment.projections.measures import VIEW as MEASURES
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from tests.unit.documents import documents, history, turn_about
from tests.unit.repayment.measure_story import CARRIED, EXECUTED, IN_WORK, NO, PROPOSED, RIA
from tests.unit.repayment.measure_story import failed as stopped
from tests.unit.repayment.stories import INSTALLMENT, due
from tests.unit.repayment.test_trading import PART, TRANSFERRED, freed
from tests.unit.repayment.troubled_story import CHARGED, FINED, waived
from tests.unit.repayment.views_story import OTHER, SETTLEMENT, STORY, without_source


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


def test_views_declare_whose_documents_they_are() -> None:
    """A borrower owns his loan's document, an investor his claim's; the book's buckets are nobody's."""
    views: tuple[View, ...] = (SCHEDULES, CLAIMS_HELD, BUCKETS)
    assert [view.owner_field for view in views] == ["borrower", "investor", None]


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
