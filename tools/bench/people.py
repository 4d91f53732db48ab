"""Customers for the load: accounts opened through the log, tokens, and the bytes of what they ask for."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from libs.events.codec import encode, name_of
from libs.events.records import CommandEnvelope
from libs.events.topics import commands_topic, events_topic, partition_of
from libs.runtime.auth import CUSTOMER_SCOPES, issue_token
from libs.runtime.kafka import LogReader, LogWriter, Place, stored_offset
from libs.runtime.settings import Settings
from services.bidding.commands import ConfirmTopUp, OpenAccount, RequestTopUp
from services.repayment.commands import OpenCalendar
from tools.bench.http_client import post

FIRST_DATE: Final = date(2024, 1, 15)
_TOKEN_S: Final = 24 * 3600
_ROUND: Final = 500
_DECIDED_LIMIT_S: Final = 120.0

Said = tuple[str, Any, str, str]
"""A stream, its command, the command's id and who sends it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer and how he proves that it is he."""

    user: str
    account: str
    bearer: str


def customers(settings: Settings, number: int) -> list[Customer]:
    """So many customers with a token each."""
    return [
        Customer(
            f"usr_b{each}",
            f"acc_b{each}",
            f"Bearer {issue_token(settings, f'usr_b{each}', CUSTOMER_SCOPES, _TOKEN_S)}",
        )
        for each in range(number)
    ]


def money_request(customer: Customer, what: str, key: str, amount_fen: int = 100) -> bytes:
    """The bytes of his `top-ups` or `withdrawals` request, under a key of its own."""
    headers = {
        "Authorization": customer.bearer,
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    path = f"/bidding/accounts/{customer.account}/{what}"
    return post(path, headers, b'{"amount_fen":%d}' % amount_fen)


def openings(people: Iterable[Customer]) -> list[Said]:
    """Everybody opens his account."""
    return [(one.account, OpenAccount(owner=one.user), f"open-{one.account}", one.user) for one in people]


def deposits(people: Iterable[Customer], amount_fen: int) -> list[Said]:
    """Everybody brings money, and the bank confirms it."""
    found: list[Said] = []
    for one in people:
        top_up = f"top_{one.account}"
        asked = RequestTopUp(top_up_id=top_up, amount_fen=amount_fen)
        came = ConfirmTopUp(
            top_up_id=top_up, bank_reference=f"B-{one.account}", amount_fen=amount_fen, succeeded=True
        )
        found += [
            (one.account, asked, f"ask-{top_up}", one.user),
            (one.account, came, f"confirm-{top_up}", "bank"),
        ]
    return found


async def say(settings: Settings, service: str, said: Sequence[Said]) -> None:
    """Write commands straight to the log, each stream's in order, and wait until all are stored. Raises LogUnavailable."""
    writer = LogWriter(settings.require_kafka(), client_id="bench-people")
    await writer.start()
    topic = commands_topic(service, settings.topic_prefix)
    try:
        for start in range(0, len(said), _ROUND):
            waiting = []
            for stream, command, command_id, principal in said[start : start + _ROUND]:
                place = Place(topic, partition_of(stream, settings.partitions))
                value = _envelope(stream, command, command_id, principal)
                waiting.append(await writer.post(place, key=stream.encode(), value=value))
            for future in waiting:
                await stored_offset(future, 30.0)
    finally:
        await writer.stop()


def _envelope(stream: str, command: Any, command_id: str, principal: str) -> bytes:
    envelope = CommandEnvelope(
        command_id=command_id,
        type=name_of(type(command)),
        stream_id=stream,
        data=command,
        at=datetime.now(UTC),
        principal=principal,
        correlation_id=command_id,
        fingerprint=f"f-{command_id}",
        business_date=FIRST_DATE,
    )
    return encode(CommandEnvelope, envelope)


async def all_decided(settings: Settings, service: str) -> int:
    """Wait until every command of a service has a decision, and return how many. Raises TimeoutError."""
    topics = (commands_topic, events_topic)
    asked, told = (
        [Place(topic(service, settings.topic_prefix), number) for number in range(settings.partitions)]
        for topic in topics
    )
    reader = LogReader(settings.require_kafka(), client_id="bench-ends")
    await reader.start()
    try:
        async with asyncio.timeout(_DECIDED_LIMIT_S):
            while True:
                ends = await reader.ends([*asked, *told])
                if sum(ends[place] for place in told) >= sum(ends[place] for place in asked):
                    return sum(ends[place] for place in asked)
                await asyncio.sleep(0.05)
    finally:
        await reader.stop()


async def open_calendar(settings: Settings) -> None:
    """Open the calendar and wait until its date has reached every partition of bidding. Raises TimeoutError."""
    await say(
        settings, "repayment", [("calendar", OpenCalendar(business_date=FIRST_DATE), "cal", "stf_operator")]
    )
    topic = events_topic("bidding", settings.topic_prefix)
    reader = LogReader(settings.require_kafka(), client_id="bench-dates")
    await reader.start()
    try:
        async with asyncio.timeout(_DECIDED_LIMIT_S):
            places = [Place(topic, number) for number in range(settings.partitions)]
            while not all((await reader.ends(places)).values()):  # noqa: ASYNC110 - the broker tells it by no event
                await asyncio.sleep(0.05)
    finally:
        await reader.stop()
