"""What the log accepted, counted by outcome; and the alarm for what a person must look at."""

import structlog

from libs.events.records import RawRecord, parse_decision
from libs.runtime import observability as metrics
from libs.runtime.unexpected import unexpected

log = structlog.get_logger()


def count_decision(service: str, partition: int, raw: RawRecord, expected: frozenset[str]) -> None:
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
        kind = unexpected(stored, from_policy="source" in raw.headers, expected=expected)
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
