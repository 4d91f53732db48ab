"""`hot_loan_ratio`: what it costs that everybody wants the same loan. Bids answered a second on one listing over the same bids on a
thousand listings.

A thousand investors bid, as commands written straight to the log: no HTTP. A bid is answered when its listing has accepted it, or
has declined it and its money is free again. Both sides are sent the same bids, of which every other one is too small. One more bid
fills the hot listing when the time is taken, because a funding on one side only would be no part of the same load. Counted beside
it: listings above their amount and accounts below zero, both of which must be none.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, Final

from deploy.local.stack import ProcessPlan, Stack
from libs.events.bidding import BidPlaced, HoldReleased, ListingFilled, ListingOpened
from libs.events.chain import ChainReader, Reading, genesis
from libs.events.records import parse_decision, recorded_event
from libs.events.topics import events_topic
from libs.runtime.kafka import LogReader, Place
from libs.runtime.settings import Settings
from services.bidding.commands import OpenListing, PlaceBid
from tools.bench.arithmetic import DRIFT_MAX, drift, interval
from tools.bench.lab import Figure, Lab
from tools.bench.machine import SUPPORT_CORE, cpu_seconds, pin
from tools.bench.people import Customer, Said, all_decided, customers, deposits, open_calendar, openings, say

AIM: Final = 0.8
PLANS: Final = (
    ProcessPlan("bidding", "bidding", "decider,policy"),
    ProcessPlan("repayment", "repayment", "decider,policy"),
)
BID_FEN: Final = 100_00
TOO_SMALL_FEN: Final = 50_00
_ROUND_LIMIT_S: Final = 60.0
_DEPOSIT_FEN: Final = 1_000_000_00


@dataclass(slots=True)
class Round:
    """One load: how long its bids took to be answered, what that cost bidding's process, and how they were answered."""

    seconds: float
    cpu_s: float
    placed: int
    released: int


class Answers:
    """Follows bidding's decisions: which bids are answered, what listings raised, whether an account fell below zero."""

    def __init__(self, settings: Settings) -> None:
        topic = events_topic("bidding", settings.topic_prefix)
        self._places = [Place(topic, number) for number in range(settings.partitions)]
        log_id = settings.require_log_id()
        self._chains = {place: ChainReader(genesis(log_id, topic, place.partition)) for place in self._places}
        self._reader = LogReader(settings.require_kafka(), client_id="bench-bids")
        self.placed = 0
        self.released = 0
        self.filled = 0
        self.overfunded: set[str] = set()
        self.overdrawn: set[str] = set()
        self._left: dict[str, int] = {}
        self._balances: Counter[str] = Counter()

    async def start(self) -> None:
        """Read from the beginning."""
        await self._reader.start()
        self._reader.assign(dict.fromkeys(self._places, 0))

    async def stop(self) -> None:
        """Read no more."""
        await self._reader.stop()

    async def until(self, answered: int) -> None:
        """Wait for so many bids that are accepted or free again. Raises TimeoutError."""
        async with asyncio.timeout(_ROUND_LIMIT_S):
            while self.placed + self.released < answered:
                for place, records in (await self._reader.poll(0.2)).items():
                    for raw in records:
                        if self._chains[place].read(raw) is Reading.ACCEPTED:
                            self._count(raw.value, place.partition)

    def _count(self, value: bytes, partition: int) -> None:
        decision = parse_decision(value)
        for index in range(len(decision.events)):
            event = recorded_event(
                decision,
                index,
                service="bidding",
                partition=partition,
                position=0,
                command_id="",
                command_type="",
            ).data
            if isinstance(event, ListingOpened):
                self._left[event.listing_id] = event.amount_fen
            elif isinstance(event, BidPlaced):
                self.placed += 1
                self._left[event.listing_id] -= event.bid.amount_fen
                if self._left[event.listing_id] < 0:
                    self.overfunded.add(event.listing_id)
            elif isinstance(event, ListingFilled):
                self.filled += self._left[event.listing_id] == 0
            elif isinstance(event, HoldReleased):
                self.released += 1
            for posting in getattr(event, "postings", ()):
                self._balances[posting.account] += posting.amount_fen
                if self._balances[posting.account] < 0 and posting.account.startswith("available:"):
                    self.overdrawn.add(posting.account)


async def measure(lab: Lab) -> Figure:
    """The same load on one listing and on many, in turns."""
    settings = lab.settings("hot")
    people = customers(settings, lab.pick(1_000, 40))
    # with the last one a thousand fit, as many as a listing may have
    bids, repeats = lab.pick(1_998, 80), lab.pick(5, 1)
    rounds: dict[str, list[Round]] = {"hot": [], "spread": []}
    with lab.stack(settings, PLANS) as stack:
        await open_calendar(stack.settings)
        pin((stack.child("repayment").pid,), SUPPORT_CORE)
        lab.say(f"opening {len(people):,} accounts")
        await say(stack.settings, "bidding", openings(people))
        await say(stack.settings, "bidding", deposits(people, _DEPOSIT_FEN))
        await all_decided(stack.settings, "bidding")
        answers = Answers(stack.settings)
        await answers.start()
        try:
            for number in range(repeats):
                for kind in (("hot", "spread"), ("spread", "hot"))[number % 2]:
                    if number and lab.left_s <= 0:
                        break
                    rounds[kind].append(await _round(stack, answers, people, bids, f"{kind}{number}"))
                both = min(len(rounds["hot"]), len(rounds["spread"]))
                if both:
                    hot, spread = (bids / rounds[kind][both - 1].seconds for kind in ("hot", "spread"))
                    lab.say(f"hot loan {both} of {repeats}: {hot:,.0f} against {spread:,.0f} bids a second")
        finally:
            await answers.stop()
    return figure_of(rounds, bids, repeats, answers)


async def _round(stack: Stack, answers: Answers, people: Sequence[Customer], bids: int, name: str) -> Round:
    """List, then bid, all at once; the listings are open before the clock runs, and everything is at rest behind it."""
    settings, pids = stack.settings, [stack.child("bidding").pid]
    is_hot = name.startswith("hot")
    listings = 1 if is_hot else len(people)
    # The hot one has room for one bid more, the others for more than they get.
    amount_fen = BID_FEN * (bids // 2 + 1 if is_hot else 10)
    await say(settings, "bidding", [_listing(f"{name}x{each}", amount_fen) for each in range(listings)])
    await all_decided(settings, "bidding")
    placed, released = answers.placed, answers.released
    asked = [
        _bid(
            people[each % len(people)],
            f"{name}x{each % listings}",
            f"{name}x{each}",
            (BID_FEN, TOO_SMALL_FEN)[each % 2],
        )
        for each in range(bids)
    ]
    began, used = time.monotonic(), cpu_seconds(pids)
    await say(settings, "bidding", asked)
    await answers.until(placed + released + bids)
    seconds, cpu_s = time.monotonic() - began, cpu_seconds(pids) - used
    if is_hot:
        last = _bid(people[0], f"{name}x0", f"{name}xlast", BID_FEN)
        await say(settings, "bidding", [last])
        await answers.until(placed + released + bids + 1)
    await _at_rest(settings)
    return Round(seconds, cpu_s, answers.placed - placed, answers.released - released)


async def _at_rest(settings: Settings) -> None:
    """Until funding has ended, too: what a round leaves behind is no part of the next one."""
    decided = -1
    while (now := await all_decided(settings, "bidding")) != decided:
        decided = now
        await asyncio.sleep(0.3)  # a policy's next command is announced by nothing


def _listing(name: str, amount_fen: int) -> Said:
    listing = OpenListing(
        loan_id=f"loan_{name}",
        borrower="usr_borrower",
        amount_fen=amount_fen,
        annual_rate=Decimal("0.12"),
        tenor_months=12,
        grade="B",
        window_days=10,
        origination_fee_fen=0,
        interest_fee_permille=0,
    )
    return (f"lst_{name}", listing, f"list-{name}", "stf_operator")


def _bid(one: Customer, listing: str, name: str, amount_fen: int) -> Said:
    bid = PlaceBid(
        bid_id=f"bid_{name}", hold_id=f"hold_{name}", listing_id=f"lst_{listing}", amount_fen=amount_fen
    )
    return (one.account, bid, f"bid-{name}", one.user)


def figure_of(rounds: dict[str, list[Round]], bids: int, repeats: int, answers: Answers) -> Figure:
    """The figure of the rounds that have a counterpart, and what must be none."""
    pairs = list(zip(rounds["hot"], rounds["spread"], strict=False))
    ratios = [spread.seconds / hot.seconds for hot, spread in pairs]
    notes = [] if len(pairs) == repeats else [f"{len(pairs)} of {repeats} repeats fitted into the time"]
    moved = drift([bids / spread.seconds for _, spread in pairs])
    if moved > DRIFT_MAX:
        notes.append(f"the baseline moved by {moved:.0%}: run it again on a quiet machine")
    parts: dict[str, Any] = {
        "repeats": len(pairs),
        "bids": bids,
        "ours_per_s": round(median(bids / hot.seconds for hot, _ in pairs), 1),
        "bare_per_s": round(median(bids / spread.seconds for _, spread in pairs), 1),
        "ours_cpu_s_per_1000": round(median(hot.cpu_s / bids * 1_000 for hot, _ in pairs), 3),
        "bare_cpu_s_per_1000": round(median(spread.cpu_s / bids * 1_000 for _, spread in pairs), 3),
        "hot_accepted": [hot.placed for hot, _ in pairs],
        "hot_released": [hot.released for hot, _ in pairs],
        "hot_filled": answers.filled,
        "overfunded": len(answers.overfunded),
        "overdrawn": len(answers.overdrawn),
    }
    low, high = interval(ratios)
    middle = median(ratios)
    kept = not answers.overfunded and not answers.overdrawn
    kept = kept and answers.filled == len(rounds["hot"])
    return Figure(
        "hot_loan_ratio", middle, low, high, f">= {AIM}", middle >= AIM and kept, parts, tuple(notes)
    )
