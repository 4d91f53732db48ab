"""The thread on the simulated log: many seeds, the same log for the same seed, and faults that the auditor must find.

A failing seed is in the test's name; `loanstream sim --seeds 1 --seed SEED` runs it again, step by step the same.
"""

from collections import Counter
from dataclasses import replace

import pytest

from libs.runtime import day
from tests.simulation.reports import SEEDS, report
from tools.simulator.config import Config
from tools.simulator.log import LogFaults
from tools.simulator.plan import Plan
from tools.simulator.planted.corrections import AGAIN
from tools.simulator.planted.lateness import ANSWERED_LATE
from tools.simulator.planted.plant import LATE, ROUGH_LOG
from tools.simulator.planted.settling import RESTRUCTURED
from tools.simulator.run import services, simulate

#: One that loses tails of both topics.
CUT = 3

#: Many loans that fall due on the same days.
TICKS = Config(
    partitions=2,
    plan=Plan(
        people=6,
        listings=20,
        days=34,
        busy_days=2,
        actions_on_busy_days=200,
        actions_on_quiet_days=0,
        tenor_months_max=1,
    ),
    log_faults=LogFaults(
        fails=0.01, stored_told_failed=0.01, acknowledged_late=0.2, duplicated=0.02, blind=0.1
    ),
    crashes=0.002,
    slow_twins=0.3,
    new_release=True,
)

#: What people, their staff and their collectors must have done in the seeds that play all services.
WHOLE = {
    "bidding.AccountClosed.v1",
    "bidding.ListingChecked.v1",
    "bidding.ListingPrepared.v1",
    "bidding.PayoutApproved.v1",
    "bidding.RelationRecorded.v1",
    "collections.CaseClosed.v1",
    "collections.CaseOpened.v1",
    "collections.ContactLogged.v1",
    "collections.DebtorClaimed.v1",
    "onboarding.ApplicationApproved.v1",
    "onboarding.ApplicationDeclined.v1",
    "onboarding.ErasureDeclined.v1",
    "onboarding.ExposureConfirmed.v1",
    "onboarding.ExposureReleased.v1",
    "onboarding.ExposureRevoked.v1",
    "onboarding.TermsAccepted.v1",
    "onboarding.UserErased.v1",
}
#: What the seeds together must have seen, so that a simulation in which nothing happens does not pass.
SEEN = {
    "bidding.BankBreakClosed.v1",
    "bidding.BankBreakExplained.v1",
    "bidding.BankBreakOpened.v1",
    "bidding.BankBreakResolved.v1",
    "bidding.BankBreakInFlight.v1",
    "bidding.BankDayReconciled.v1",
    "bidding.BidDeclined.v1",
    "bidding.BidPlaced.v1",
    "bidding.FeeCredited.v1",
    "bidding.FundsWithdrawn.v1",
    "bidding.HoldReduced.v1",
    "bidding.HoldReleased.v1",
    "bidding.InstallmentDebitFailed.v1",
    "bidding.InstallmentDebited.v1",
    "bidding.InvestorCredited.v1",
    "bidding.ListingCancelled.v1",
    "bidding.ListingExpired.v1",
    "bidding.LoanPaymentReturned.v1",
    "bidding.LoanProceedsCredited.v1",
    "bidding.TopUpFailed.v1",
    "bidding.WithdrawalFailed.v1",
    "repayment.BusinessDayClosed.v1",
    "repayment.DebitRequested.v1",
    "repayment.InstallmentDue.v1",
    "repayment.LoanClassified.v1",
    "repayment.LoanRepaid.v1",
    "repayment.OverdueBucketChanged.v1",
    "repayment.OverpaymentReturned.v1",
    "repayment.PaymentMissed.v1",
    "repayment.PaymentReceived.v1",
    "repayment.PenaltyCharged.v1",
    "system.CommandHadNoEffect.v1",
    "system.CommandRepeated.v1",
}
REFUSED = {
    "amount_differs",
    "bid_accepted",
    "break_not_explained",
    "fee_not_published",
    "file_differs",
    "forbidden_same_person",
    "forbidden_second_signature",
    "insufficient_available",
    "invalid_rate",
    "key_reused",
    "listing_filled",
    "malformed",
    "no_business_date",
    "top_up_already_answered",
    "unknown_account",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken(seed: int) -> None:
    """Whatever crashes, repeats and arrives late: every rule holds on every prefix, and all comes to rest."""
    done = report(seed)
    assert done.auditor.closed, "no day was closed: the seed proves nothing"


def test_the_seeds_together_see_the_whole_thread() -> None:
    """Dues, debits that find all, a part and nothing, misses, buckets, returns and every kind of refusal happened."""
    events: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    for done in (*map(report, SEEDS), simulate(0, services(thread_only=True), LATE)):
        events += done.auditor.events
        refusals += done.auditor.refusals
    assert not (SEEN | WHOLE) - set(events)
    assert not REFUSED - set(refusals)
    assert sum(report(seed).auditor.repeats for seed in SEEDS) > 50
    assert sum(report(seed).auditor.foreign for seed in SEEDS) > 10


def test_what_ends_a_loan_early_after_a_restructuring_is_what_its_contract_says() -> None:
    """Late loans are restructured and ended before their new rows are due: with penalty of before, and without it."""
    done = [simulate(seed, services(thread_only=True), RESTRUCTURED) for seed in (0, 2, 4)]
    assert all(each.auditor.beside.settled.with_arrears for each in done)


def test_a_debit_that_is_answered_late_makes_no_false_miss_and_hides_none() -> None:
    """Some debits are decided or told days later, when somebody has sent again what was parked: with money, and what was late is said."""
    done = [simulate(seed, services(thread_only=True), ANSWERED_LATE).auditor for seed in (11, 14, 83)]
    rough = replace(ANSWERED_LATE, partitions=2, log_faults=ROUGH_LOG, crashes=0.002, replicas=True)
    done.append(simulate(8, services(thread_only=True), rough).auditor)
    assert all(each.refusals["internal"] and each.events["system.PolicyFailed.v1"] for each in done)
    assert all(each.events["repayment.LatenessJudged.v1"] and each.parked.paid for each in done)


def test_a_voided_payment_is_entered_again_once_and_both_are_marked() -> None:
    """Payers name what they replace, and what they must not: it goes back by its name."""
    done = [simulate(seed, services(thread_only=True), AGAIN).auditor.beside.pages.again for seed in (5, 7)]
    assert all(each.entered and len(each.asked) > len(each.entered) for each in done)


def test_phases_of_many_ticks_end_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one stream to a tick, each phase goes through its ticks under faults and crashes and is done exactly once."""
    monkeypatch.setattr(day, "WOKEN_PER_TICK_MAX", 1)
    done = simulate(5, services(thread_only=True), TICKS)
    assert done.auditor.events["system.TickProgressed.v1"] > 5


def test_the_same_seed_gives_the_same_log() -> None:
    """Every byte of every topic, in the order of storing, and every fault follows from the seed."""
    again = simulate(CUT)
    assert (again.digest, again.steps, again.faults) == (
        report(CUT).digest,
        report(CUT).steps,
        report(CUT).faults,
    )
