"""The edges of overdue buckets are a setting (rules.md 1.4): whichever table a profile has, loan, views, class and case follow it alone."""

from datetime import date, timedelta
from functools import reduce
from typing import Any

import pytest

from libs.events.deciding import Context, Wake
from services.bidding.app import build as build_bidding
from services.collections.app import build as build_collections
from services.collections.domain.debtor import debtor_aggregate
from services.collections.domain.profile import profile_named as collecting
from services.collections.policies import on_repayment
from services.collections.projections.queue import VIEW as QUEUE
from services.onboarding.app import build as build_onboarding
from services.repayment.api.overdue import Overdue
from services.repayment.app import build as build_repayment
from services.repayment.commands import RecordDebitFailure
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import PROFILES, profile_named
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.overdue_buckets import VIEW as BUCKETS
from services.reporting.figures import FIGURES
from tests.unit.documents import documents, history, nested, recorded
from tests.unit.given import AT, given
from tests.unit.repayment.stories import FIRST_DUE, OPENED

OTHER = "demo-30-days"
DAY = timedelta(days=1)


class Town:
    """A loan on which nobody pays and its debtor under a profile, the days of both, and what people read of them."""

    def __init__(self, profile: str) -> None:
        self.loan = given(loan_aggregate(profile_named(profile)), OPENED)
        self.debtor = given(debtor_aggregate(collecting(profile)))
        self.told: list[Any] = [OPENED]
        self.cases: list[Any] = []
        self.today = OPENED.funded_on

    def until(self, day: date) -> None:
        """Live through the days up to one, that one's misses too: every debit finds nothing."""
        while self.today <= day:
            for phase in (2, 4):
                self._say(Wake(business_date=self.today, phase=phase))
            self.today += DAY

    def _say(self, command: Any) -> None:
        context = Context(at=AT, business_date=self.today, principal="")
        outcome = self.loan.when(command, context)
        assert outcome.refused is None
        self.loan = type(self.loan)(self.loan.aggregate, outcome.state)
        self.told += outcome.events
        for event in outcome.events:
            for send in on_repayment(recorded(event, "loan_7")):
                answer = self.debtor.when(send.command, context)
                assert answer.refused is None, (send.command, answer.refused)
                self.debtor = type(self.debtor)(self.debtor.aggregate, answer.state)
                self.cases += answer.events
            if (debit_id := getattr(event, "debit_id", "")) and hasattr(event, "debit_fen"):
                failed = RecordDebitFailure(
                    debit_id=debit_id, requested_fen=event.debit_fen, value_date=event.value_date
                )
                self._say(failed)

    def shown(self) -> tuple[str, str, str, str, list[tuple[str, int, int]]]:
        """The loan's bucket and class as its page shows them, its case's bucket and stage in the queue, and the overdue view's buckets."""
        log = history("loan_7", *self.told)
        page = nested("loan_7", documents(LOANS, log)["loan_7"])
        [case] = documents(QUEUE, history("dbt_bo", *self.cases)).values()
        overdue = reduce(_added, documents(BUCKETS, log).values(), Overdue()).shown()
        buckets = [(sums.bucket, sums.loans, sums.principal_fen) for sums in overdue.buckets]
        return page["bucket"], page["loan_class"], case["bucket"], case["stage"], buckets


def _added(overdue: Overdue, document: dict[str, Any]) -> Overdue:
    if document.get("kind") == "segment":
        overdue.add(document)
    return overdue


@pytest.mark.parametrize(
    ("dpd", "profile", "bucket", "loan_class", "stage"),
    [
        (1, OTHER, "1-29", "special_mention", "early"),
        (29, OTHER, "1-29", "special_mention", "early"),
        (30, OTHER, "30-59", "special_mention", "mid"),
        (59, OTHER, "30-59", "special_mention", "mid"),
        (60, OTHER, "60-89", "special_mention", "mid"),
        (89, OTHER, "60-89", "special_mention", "mid"),
        (90, OTHER, "90+", "special_mention", "late"),
        (91, OTHER, "90+", "substandard", "late"),
        (361, OTHER, "90+", "loss", "late"),
        (30, "demo", "M1", "special_mention", "early"),
        (90, "demo", "M3", "special_mention", "mid"),
        (91, "demo", "M4", "substandard", "late"),
    ],
)
def test_loan_views_and_case_follow_the_table(
    dpd: int, profile: str, bucket: str, loan_class: str, stage: str
) -> None:
    """Of a loan that nobody pays, on the days around each edge. A class has edges of its own, which no table of buckets moves."""
    town = Town(profile)
    town.until(FIRST_DUE + dpd * DAY)
    page_bucket, page_class, case_bucket, case_stage, buckets = town.shown()
    assert (page_bucket, page_class, case_bucket, case_stage) == (bucket, loan_class, bucket, stage)
    assert buckets == [(bucket, 1, 100_000)]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_bucket_is_collected_in_a_stage_and_every_service_knows_the_profile(profile: str) -> None:
    """Of each of its dates; a case begins in the first bucket of all."""
    for since, rules in PROFILES[profile]:
        late = [bucket.name for bucket in rules.buckets[1:]]
        stages = collecting(profile).on(since).stages
        assert [name for stage in stages for name in stage.buckets] == late
        assert rules.buckets[0].dpd_from == 0
    for build in (build_bidding, build_repayment, build_collections, build_onboarding):
        build(profile)


def test_no_figure_names_a_bucket_of_one_table() -> None:
    """But `current`, which every table has."""
    names = {bucket.name for dated in PROFILES.values() for _, rules in dated for bucket in rules.buckets[1:]}
    for figure in FIGURES:
        assert figure.rows_where.get("bucket") not in names
        assert (figure.doc or "").rpartition(":")[2] not in names
