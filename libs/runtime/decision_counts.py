"""What the log accepted of a replica, counted by outcome; the alarm for what a person must look at; how a partition stands."""

import time
from datetime import date

import structlog

from libs.events.chain import Checkpoint
from libs.events.records import RawRecord, parse_decision
from libs.runtime import observability as metrics
from libs.runtime.deciding import PartitionDecider
from libs.runtime.service import Service
from libs.runtime.unexpected import expected_refusals, is_from_policy, unexpected

log = structlog.get_logger()

_DAY_ZERO = date(1970, 1, 1)


def gauge_partition(
    service: str, partition: int, decider: PartitionDecider, waiting_since_ms: int | None
) -> None:
    """Tell how a partition stands: what is unconfirmed, how long the oldest command waits, and its date."""
    labels = (service, str(partition))
    metrics.UNCONFIRMED.labels(*labels).set(decider.unconfirmed)
    age_s = max(0.0, time.time() - waiting_since_ms / 1000) if waiting_since_ms else 0.0
    metrics.COMMAND_AGE_SECONDS.labels(*labels).set(age_s)
    if decider.business_date is not None:
        metrics.BUSINESS_DAY.labels(*labels).set((decider.business_date - _DAY_ZERO).days)


class DecisionCounts:
    """Counts of one partition: each decision once, by the replica whose name is on it, however often it is folded."""

    def __init__(self, service: Service, partition: int, replica: str) -> None:
        self._service = service.name
        self._partition = partition
        self._expected = expected_refusals(service)
        self._replica = replica.encode()
        self._counted_to = -1

    def accepted(self, raw: RawRecord, head: Checkpoint) -> None:
        """The log has accepted this record, which is its head now. Who folds a lost timeline anew has counted its beginning."""
        if head.position > self._counted_to:
            self._counted_to = head.position
            if raw.headers.get("by") == self._replica:
                _count(self._service, self._partition, raw, self._expected)


def _count(service: str, partition: int, raw: RawRecord, expected: frozenset[str]) -> None:
    """Count a decision by outcome, and alarm for what a person must look at. Most is known from the first bytes."""
    events = raw.value[raw.value.find(b'"events":[') :]
    first = events[:80]
    outcome = "no_effect" if b"system.CommandHadNoEffect" in first else "events"
    if b"system.CommandRefused" in first:
        outcome = "refused"
        _alarm(service, partition, raw, expected)
    elif b"system.CommandRepeated" in first:
        outcome = "repeated"
    elif b"system.PolicyFailed" in first:
        _alarm(service, partition, raw, expected)
    else:
        failures = events.count(b'"type":"system.WakeFailed.')
        if failures:
            metrics.WAKE_FAILURES.labels(service).inc(failures)
    metrics.DECISIONS.labels(service, outcome).inc()


def _alarm(service: str, partition: int, raw: RawRecord, expected: frozenset[str]) -> None:
    """Count and tell what the view of parked commands will show of a decision."""
    for stored in parse_decision(raw.value).events:
        kind = unexpected(stored, from_policy=is_from_policy(raw.headers), expected=expected)
        if kind is not None:
            code = stored.data["code"] if kind == "refused" else kind
            metrics.PARKED.labels(service, code).inc()
            log.error(
                "decision_parked",
                service=service,
                partition=partition,
                position=int(raw.headers["position"]),
                code=code,
                command_type=raw.headers.get("type", b"").decode(),
            )
