"""The auditor has teeth: known mistakes, planted one at a time, are found within a few seeds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from libs.events.records import RecordedEvent
from libs.events.sagas import Send
from libs.runtime.deciding import PartitionDecider
from libs.runtime.policing import OutgoingCommand
from libs.runtime.service import Service
from services.bidding.commands import CreditProceeds, ReleaseHold
from tools.simulator.log import LogFaults, Sender
from tools.simulator.policing import PolicyActor
from tools.simulator.projecting import ProjectorActor
from tools.simulator.run import SeedFailed, services, simulate
from tools.simulator.traffic import Plan
from tools.simulator.world import Config

CROWDED = Plan(
    people=6,
    listings=8,
    days=3,
    busy_days=3,
    actions_on_busy_days=50,
    actions_on_quiet_days=0,
    tenor_months_max=1,
)
FIRST_DUES = replace(CROWDED, listings=10, days=34, busy_days=2, actions_on_busy_days=100)
ROUGH = LogFaults(
    fails=0.03, acknowledged_late=0.2, duplicated=0.05, survives_its_sender=0.7, blind=0.1, vanishes=0.005
)
CONFIG = Config(
    partitions=2, plan=CROWDED, log_faults=ROUGH, crashes=0.004, slow_twins=0.2, new_release=False
)
#: Enough loans for some to be judged, on a log that only takes its time.
DUES_CONFIG = replace(CONFIG, plan=FIRST_DUES, log_faults=LogFaults(acknowledged_late=0.2), crashes=0.0)


def found(
    *sentences: str,
    config: Config = CONFIG,
    seeds: range = range(8),
    chosen: Sequence[Service] | None = None,
) -> None:
    """One of the first seeds must fail with one of these sentences, and with no other: which one, is a matter of order."""
    for seed in seeds:
        try:
            simulate(seed, chosen or services(thread_only=True), config)
        except SeedFailed as failed:
            assert any(sentence in failed.sentence for sentence in sentences), str(failed)  # noqa: PT017 - any other finding fails the test with its own words
            return
    pytest.fail(f"{seeds} did not find it")


def without(policy: Callable[[RecordedEvent], Sequence[Send]], dropped: type) -> Any:
    """A policy that forgets one kind of command."""
    return lambda event: [send for send in policy(event) if not isinstance(send.command, dropped)]


def test_nothing_is_found_where_nothing_is_planted() -> None:
    """The rough log alone breaks no rule."""
    simulate(0, services(thread_only=True), CONFIG)


def test_a_source_rule_that_is_skipped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a policy's command that comes again is decided again."""
    monkeypatch.setattr(PartitionDecider, "_repeated_by_policy", lambda _self, _envelope: None)
    found("is a second effect of", " twice")


def test_a_hold_that_is_never_released_is_found() -> None:
    """A declined bid's money stays held for nothing."""
    bidding, repayment = services(thread_only=True)
    forgetful = replace(
        bidding, policies={**bidding.policies, "bidding": without(bidding.policies["bidding"], ReleaseHold)}
    )
    found("is held for nothing", chosen=[forgetful, repayment])


def test_a_fen_that_is_made_is_found() -> None:
    """A borrower is paid out one fen more than his investors gave."""
    bidding, repayment = services(thread_only=True)
    policy = bidding.policies["bidding"]

    def generous(event: RecordedEvent) -> list[Send]:
        return [
            replace(send, command=replace(send.command, amount_fen=send.command.amount_fen + 1))
            if isinstance(send.command, CreditProceeds)
            else send
            for send in policy(event)
        ]

    generous_bidding = replace(bidding, policies={**bidding.policies, "bidding": generous})
    # Where no fee is still to come, the loan's clearing is overdrawn before the promise is looked at.
    found("promised was", "clearing:loan:", chosen=[generous_bidding, repayment])


def test_a_marker_that_overtakes_facts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent by another producer before what comes earlier, it lets a loan be judged before its debit's answer."""
    post, next_wave = PolicyActor._post, PolicyActor._next_wave
    others: dict[PolicyActor, Sender] = {}

    def hasty(self: PolicyActor) -> None:
        next_wave(self)
        self._to_send.extendleft(self._markers)
        self._markers = ()

    def by_another(self: PolicyActor, command: OutgoingCommand) -> None:
        usual = self._sender
        if b'"system.DayMarker"' in command.value:
            self._sender = others.setdefault(self, self._log.sender(usual.owner))
        post(self, command)
        self._sender = usual

    monkeypatch.setattr(PolicyActor, "_next_wave", hasty)
    monkeypatch.setattr(PolicyActor, "_post", by_another)
    found("is judged before", config=DUES_CONFIG, seeds=range(3, 5))


def test_a_projector_that_forgets_its_position_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents without their triple are added to twice after a crash."""
    commit = ProjectorActor._commit

    def forgetful(self: ProjectorActor, projection: Any, fold: Any) -> None:
        heads = dict(self.database[projection.name].heads)
        commit(self, projection, fold)
        self.database[projection.name].heads = heads

    monkeypatch.setattr(ProjectorActor, "_commit", forgetful)
    found("bidding.balances")
