"""One loan told as a time-line, from its borrower's registration to its last event: read from the log, not from the plan."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from libs.events.records import parse_decision
from libs.events.topics import DECIDING_SERVICES, events_topic, partition_of
from libs.runtime.kafka import Place, read_range
from libs.runtime.settings import Settings
from tools.replay.wording import money

#: Which streams of which service tell of a loan, by the prefix of their ids: those of its borrower, and its own.
_OF_BORROWER: Final = (("onboarding", "usr"), ("bidding", "acc"), ("collections", "dbt"))
_OF_LOAN: Final = (("onboarding", "app"), ("bidding", "lst"), ("repayment", "loan"))

_Data = Mapping[str, Any]
_PAYS: Final = "pays "

#: Event -> what it means for a reader. Events that are not here are steps between these.
_WORDS: Final[Mapping[str, Callable[[_Data], str]]] = {
    "onboarding.UserRegistered.v1": lambda data: (
        "registers, brought by a customer"
        if data["referrer"]
        else "registers at the desk"
        if data["owner"]
        else "registers"
    ),
    "onboarding.UserVerified.v1": lambda _: "is verified",
    "bidding.AccountOpened.v1": lambda _: "has a custody account",
    "onboarding.ApplicationSubmitted.v1": lambda data: (
        f"applies for {money(data['amount_fen'])} over {data['tenor_months']} months"
    ),
    "onboarding.IntakeChecked.v1": lambda _: "papers complete",
    "onboarding.InterviewHeld.v1": lambda _: "interviewed",
    "onboarding.ApplicationReviewed.v1": lambda _: "found eligible by another person",
    "onboarding.InvestigationReported.v1": lambda data: f"report on five aspects: grade {data['grade']}",
    "onboarding.CommitteeConvened.v1": lambda _: "laid before the committee",
    "onboarding.CommitteeAgreed.v1": lambda data: f"committee votes {data['agreed']} to {data['disagreed']}",
    "onboarding.ApplicationApproved.v1": lambda _: "approved",
    "onboarding.TermsAccepted.v1": lambda _: "accepts the terms",
    "onboarding.PrecedentsMet.v1": lambda _: "all conditions met",
    "bidding.ListingOpened.v1": lambda data: f"listed until {data['closes_on']}",
    "bidding.ListingFilled.v1": lambda data: f"filled by {data['bid_count']} bids",
    "bidding.LoanFunded.v1": lambda _: "funded",
    "bidding.FundsWithdrawn.v1": lambda data: f"takes out {money(data['amount_fen'])}",
    "repayment.PaymentReceived.v1": lambda data: f"{_PAYS}{money(data['amount_fen'])}",
    "repayment.PaymentMissed.v1": lambda data: f"misses instalment {data['number']}",
    "repayment.LoanRepaid.v1": lambda _: "repaid",
    "collections.CaseOpened.v1": lambda _: "case opened",
    "collections.CaseStageChanged.v1": lambda data: f"case at stage {data['to_stage']}",
    "collections.ContactLogged.v1": lambda data: (
        "rings up" if data["direction"] == "inbound" else f"is sent a {data['channel']}"
    ),
    "collections.PromiseMade.v1": lambda data: (
        f"promises {money(data['amount_fen'])} by {data['promised_on']}"
    ),
    "collections.PromiseKept.v1": lambda _: "promise kept",
    "collections.PromiseBroken.v1": lambda _: "promise broken",
    "collections.PromiseMended.v1": lambda _: "promise kept after all",
    "collections.PromiseReopened.v1": lambda _: "promise kept by a payment that was corrected: open again",
    "collections.CaseClosed.v1": lambda data: f"case closed ({data['reason']})",
}

_Entry = tuple[date, datetime, int, int, int, str]
"""Business date, time, the service's rank, position and index, words: a saga's steps have the time of their cause, and what
bidding or repayment has decided comes before what collections makes of it."""

Line = tuple[str, str]
"""A date, or a stretch of them, and what happened."""


async def read_chronicle(settings: Settings, user: str, loan_id: str) -> Sequence[Line]:
    """What the log says of a borrower and his loan, a line per date. Raises LogUnavailable."""
    suffixes = ((user.removeprefix("usr_"), _OF_BORROWER), (loan_id.removeprefix("loan_"), _OF_LOAN))
    streams: dict[tuple[str, int], set[str]] = defaultdict(set)
    for suffix, kinds in suffixes:
        for service, prefix in kinds:
            stream = f"{prefix}_{suffix}"
            streams[service, partition_of(stream, settings.partitions)].add(stream)
    found: list[_Entry] = []
    for (service, partition), wanted in streams.items():
        place = Place(events_topic(service, settings.topic_prefix), partition)
        rank = DECIDING_SERVICES.index(service)
        found += [entry async for entry in _entries(settings, place, rank, wanted)]
    return tuple(told((on, words) for on, *_, words in sorted(found)))


async def _entries(settings: Settings, place: Place, rank: int, streams: set[str]) -> AsyncGenerator[_Entry]:
    """Every event of these streams that has words."""
    marks = [stream.encode() for stream in streams]
    async for records in read_range(settings.require_kafka(), place, 0):
        for raw in records:
            if not any(mark in raw.value for mark in marks):
                continue
            decision = parse_decision(raw.value)
            on, at = decision.business_date, decision.at
            for index, event in enumerate(decision.events):
                if event.stream in streams and event.type in _WORDS and on is not None and at is not None:
                    yield on, at, rank, raw.offset, index, _WORDS[event.type](event.data)


def told(entries: Iterator[tuple[date, str]]) -> Iterator[Line]:
    """A line per date, in the order given; dates on which nothing but a payment came are drawn together."""
    by_date: dict[date, list[str]] = defaultdict(list)
    for on, words in entries:
        by_date[on].append(words)
    plain: list[date] = []
    for on, said in by_date.items():
        if all(words.startswith(_PAYS) for words in said):
            plain.append(on)
            continue
        yield from _payments(plain, by_date)
        plain = []
        yield str(on), ", ".join(said)
    yield from _payments(plain, by_date)


def _payments(dates: Sequence[date], by_date: Mapping[date, Sequence[str]]) -> Iterator[Line]:
    if len(dates) == 1:
        yield str(dates[0]), ", ".join(by_date[dates[0]])
    elif dates:
        yield str(dates[0]), f"pays {len(dates)} times until {dates[-1]}"
