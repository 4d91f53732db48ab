"""What a process says about itself: JSON log lines and `loanstream_*` metrics, all declared here.

One place, so that a dashboard's author finds every name, unit and label at once. No id of a person, stream or command is
ever a label or a log field's name; personal data is never logged (design section 2.10).
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

BUILD = Info(
    "loanstream_build", "Which service, roles, rules and profile this process runs", registry=REGISTRY
)

# deciding
DECISIONS = Counter(
    "loanstream_decisions_total",
    "Decisions accepted by the log, by outcome: events, refused, repeated, no_effect",
    ("service", "outcome"),
    registry=REGISTRY,
)
DECIDE_SECONDS = Histogram(
    "loanstream_decide_seconds",
    "Seconds from taking a command to having its decision encoded",
    ("service",),
    buckets=(0.0001, 0.00025, 0.0005, *_FAST),
    registry=REGISTRY,
)
UNCONFIRMED = Gauge(
    "loanstream_unconfirmed_decisions",
    "Decisions sent and not yet read back",
    ("service", "partition"),
    registry=REGISTRY,
)
COMMAND_AGE_SECONDS = Gauge(
    "loanstream_command_age_seconds",
    "Age of the oldest command that has no decision yet; 0 when none waits",
    ("service", "partition"),
    registry=REGISTRY,
)
PARTITION_RESTARTS = Counter(
    "loanstream_partition_restarts_total",
    "Partition loops of the decider rebuilt with a new producer",
    ("service", "partition"),
    registry=REGISTRY,
)
PARTITION_HALTED = Gauge(
    "loanstream_partition_halted",
    "1 while a decider does not decide a partition because its commands are not those that were decided: an alarm",
    ("service", "partition"),
    registry=REGISTRY,
)
PARTITION_ACTIVE = Gauge(
    "loanstream_partition_active",
    "1 while this replica decides the partition, 0 while it follows another one",
    ("service", "partition"),
    registry=REGISTRY,
)
PARTITION_HELD_BACK = Gauge(
    "loanstream_partition_held_back",
    "1 while nobody decides a partition and this replica may not, because its rules are older than the log's: an alarm",
    ("service", "partition"),
    registry=REGISTRY,
)
TAKE_OVERS = Counter(
    "loanstream_take_overs_total",
    "Times this replica took a partition over because commands waited and the chain did not move",
    ("service", "partition"),
    registry=REGISTRY,
)
COMMANDS_LOST = Gauge(
    "loanstream_commands_lost",
    "1 while the API sees fewer commands than were decided, and answers 503: an alarm",
    ("service", "partition"),
    registry=REGISTRY,
)
HEADS_NOT_SIGNED = Counter(
    "loanstream_heads_not_signed_total",
    "Times that a decider could not keep its signed heads: an alarm",
    ("service",),
    registry=REGISTRY,
)
PARKED = Counter(
    "loanstream_parked_total",
    "Refusals malformed or internal, refusals of a policy that no saga expects, and policies that raised: an alarm",
    ("service", "code"),
    registry=REGISTRY,
)
WAKE_FAILURES = Counter(
    "loanstream_wake_failures_total",
    "Streams moved to stuck because waking them failed",
    ("service",),
    registry=REGISTRY,
)

# reading the chain
RECORDS_REPEATED = Counter(
    "loanstream_records_repeated_total",
    "Records below the head that a reader met again: harmless",
    ("reader", "service"),
    registry=REGISTRY,
)
RECORDS_FOREIGN = Counter(
    "loanstream_records_foreign_total",
    "Records that do not fit the chain: an alarm",
    ("reader", "service"),
    registry=REGISTRY,
)

# policies and views
POLICY_COMMANDS = Counter(
    "loanstream_policy_commands_total", "Commands stored by a policy group", ("policy",), registry=REGISTRY
)
POLICY_RESTARTS = Counter(
    "loanstream_policy_restarts_total",
    "Starts of a policy group from its last commit after a failure",
    ("policy",),
    registry=REGISTRY,
)
POLICY_SENDS = Gauge(
    "loanstream_policy_sends",
    "1 while this replica sends what a policy group makes of a source partition, 0 while it watches another one",
    ("policy", "partition"),
    registry=REGISTRY,
)
POLICY_FORKED = Gauge(
    "loanstream_policy_forked",
    "1 while a policy group stands still on a source partition that was decided otherwise than before: an alarm",
    ("policy", "partition"),
    registry=REGISTRY,
)
POLICY_TAKE_OVERS = Counter(
    "loanstream_policy_take_overs_total",
    "Times this replica took a source partition over because events waited and the commit did not move",
    ("policy", "partition"),
    registry=REGISTRY,
)
POLICY_AGE_SECONDS = Gauge(
    "loanstream_policy_age_seconds",
    "Age of the oldest event that a policy group has not handled; 0 when none waits",
    ("policy",),
    registry=REGISTRY,
)
COMMIT_AGE_SECONDS = Gauge(
    "loanstream_commit_age_seconds",
    "Seconds since a policy group's commit last moved while events wait",
    ("policy",),
    registry=REGISTRY,
)
PROJECTION_EVENTS = Counter(
    "loanstream_projection_events_total", "Events applied to a view", ("view",), registry=REGISTRY
)
PROJECTION_AGE_SECONDS = Gauge(
    "loanstream_projection_age_seconds",
    "Age of the oldest event that a view has not applied; 0 when none waits",
    ("view",),
    registry=REGISTRY,
)
PROJECTION_BATCH_SECONDS = Histogram(
    "loanstream_projection_batch_seconds",
    "Seconds of one batch's transaction",
    buckets=_FAST,
    registry=REGISTRY,
)
VIEWS_BROKEN = Gauge(
    "loanstream_views_broken",
    "1 while a view stands still because its projection raised",
    ("view",),
    registry=REGISTRY,
)

# answering
HTTP_SECONDS = Histogram(
    "loanstream_http_request_seconds",
    "Seconds of a request, by route template and status",
    ("service", "route", "method", "status"),
    buckets=_FAST,
    registry=REGISTRY,
)
DECISION_WAIT_SECONDS = Histogram(
    "loanstream_decision_wait_seconds",
    "Seconds from sending a command to reading its decision, as the API sees it",
    ("service",),
    buckets=_FAST,
    registry=REGISTRY,
)
BUSINESS_DAY = Gauge(
    "loanstream_business_day",
    "Open business date of a partition, as days since 1970-01-01",
    ("service", "partition"),
    registry=REGISTRY,
)

# the custodian bank
BANK_CALLS = Counter(
    "loanstream_bank_calls_total",
    "Calls of the courier to the bank: collect, pay_out, query; accepted, refused, unavailable, unknown, pending, answered",
    ("call", "outcome"),
    registry=REGISTRY,
)
BANK_REQUESTS_OPEN = Gauge(
    "loanstream_bank_requests_open",
    "Top-ups and withdrawals that the bank has not answered",
    registry=REGISTRY,
)
BANK_REQUEST_AGE_SECONDS = Gauge(
    "loanstream_bank_request_age_seconds",
    "Age of the oldest top-up or withdrawal that the bank has not answered; 0 when none is open",
    registry=REGISTRY,
)
BANK_BREAKS_OPEN = Gauge(
    "loanstream_bank_breaks_open",
    "Differences between the bank's files and our books that are not resolved, by kind",
    ("kind",),
    registry=REGISTRY,
)
BANK_UNBALANCED_FEN = Gauge(
    "loanstream_bank_unbalanced_fen",
    "What balances, accounts or claims differ by and no booking explains, in fen; 0 when all is in balance",
    registry=REGISTRY,
)


def metrics_text() -> bytes:
    """Everything above in Prometheus' text format, for `/metrics`."""
    return generate_latest(REGISTRY)


def configure_logging(service: str, role: str, level: str = "info") -> None:
    """Send structlog and the standard library's logging to stderr as JSON lines that carry service and role.

    Call once per process, before anything logs. The supervisor puts stderr into a file.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _constant(service=service, role=role),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # aiokafka tells of every reconnect and Faust of every start at info: noise beside our own lines.
    for chatty in ("aiokafka", "faust", "mode", "pymongo", "uvicorn.access", "httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _constant(**fields: str) -> structlog.typing.Processor:
    """A processor that puts the same fields on every line."""

    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.update(fields)
        return event

    return add
