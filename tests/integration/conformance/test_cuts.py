"""Tails that are lost and grow again, and stores that do not fit the log: what was decided is decided again, or nothing is.

Each scenario runs on the log in memory and on a real broker whose files are cut, and ends in the same bytes and readings.
"""

from collections.abc import Callable
from typing import Any

from libs.events.chain import Checkpoint, Reading
from libs.events.records import RawRecord
from services.bidding.commands import ConfirmTopUp, OpenListing, PlaceBid
from tests.integration.conformance.ground import (
    Ground,
    Outcome,
    asking,
    commands,
    opening,
    outcome,
    said,
)
from tests.integration.conformance.test_senders import folded, given, judged

Agree = Callable[[Any], None]
A, R, F = Reading.ACCEPTED, Reading.REPEAT, Reading.FOREIGN


async def one_by_one(ground: Ground, values: list[bytes], first: int = 0) -> None:
    """Each command is decided before the next one comes: so a cut may fall between any two decisions."""
    for position, value in enumerate(values, first):
        await given(ground, [value])
        await folded(ground, position)


async def events_of(ground: Ground) -> Outcome:
    """What the events hold now."""
    return outcome(ground.prefix, await ground.read("events"))


async def test_offsets_that_do_not_exist(ground: Ground, agree: Agree) -> None:
    """Before the beginning and past the end there is no record; a reader at the end waits, one past it is told."""
    await given(ground, commands(2))
    assert [await ground.record_at("commands", offset) for offset in (-1, 2, 99)] == [None] * 3
    assert [raw and raw.value for raw in (await ground.record_at("commands", 1),)] == [asking(1)]
    fetched = [await ground.fetch("commands", offset) for offset in (1, 2, 3)]
    agree([None if records is None else [raw.value for raw in records] for records in fetched])
    assert [None if records is None else len(records) for records in fetched] == [1, 0, None]


async def test_events_are_lost_under_who_lives(ground: Ground, agree: Agree) -> None:
    """He asks for an offset that is no more and ends; his next life decides the lost tail again, and it is the same."""
    values = commands(6)
    await ground.start()
    await one_by_one(ground, values)
    before = await events_of(ground)
    await ground.cut(events=3)
    await ground.until(lambda: ground.restarts == 1)
    await folded(ground, 5)
    assert (await events_of(ground)) == before
    await one_by_one(ground, [asking(6)], 6)
    found = await judged(ground, agree, [*values, asking(6)])
    assert found.count() == {A: 7, R: 0, F: 0}


async def test_commands_are_lost_and_others_come_in_their_place(ground: Ground, agree: Agree) -> None:
    """Without the commands of its decisions a partition halts, and so it does with others at their offsets."""
    values = commands(5)
    await ground.start()
    await one_by_one(ground, values)
    await ground.kill()
    await ground.cut(commands=2)
    await ground.start()
    await ground.until(lambda: "commands were lost" in (ground.complaint() or ""))
    await ground.kill()
    await given(ground, [asking(98), asking(99), asking(5)])
    await ground.start()
    await ground.until(lambda: "another command at offset 3" in (ground.complaint() or ""))
    assert (await judged(ground, agree, values)).count() == {A: 5, R: 0, F: 0}


async def test_both_lose_their_tails_and_stores_of_other_times_come_back(
    ground: Ground, agree: Agree
) -> None:
    """Halted until the command that was decided is there again; then what came instead of the rest is decided.

    A store of the lost timeline is thrown away, one that is older than the log catches up, and so does none at all.
    """
    values = commands(6)
    await ground.start()
    await one_by_one(ground, values[:3])
    await ground.kill()
    older = ground.store()
    await ground.start()
    await one_by_one(ground, values[3:], 3)
    await ground.kill()
    lost = ground.store()
    await ground.cut(commands=3, events=2)
    await ground.start()
    await ground.until(lambda: "commands were lost" in (ground.complaint() or ""))
    await ground.kill()
    others = [*values[:4], asking(77), asking(78)]
    await given(ground, others[3:])
    await ground.start()
    await folded(ground, 5)
    await judged(ground, lambda _: None, others)
    for number, store in enumerate((older, lost, None), 6):
        await ground.kill()
        ground.put_back(store)
        others.append(asking(80 + number))
        await given(ground, others[-1:])
        await ground.start()
        await folded(ground, number)
    others.append(others[-1])
    await given(ground, others[-1:])  # a store that was folded anew knows who was answered
    await folded(ground, 9)
    found = await judged(ground, agree, others)
    assert found.count() == {A: 10, R: 0, F: 0}
    assert b'"system.CommandRepeated.v1"' in found.told[-1].value


# --- policies ------------------------------------------------------------------------------------------------------


def story() -> list[bytes]:
    """An investor with money and a listing: the policy answers the listing with two commands and each bid with one."""
    listing = OpenListing(
        loan_id="loan_1",
        borrower="usr_b",
        amount_fen=1_000_000,
        annual_rate="0.12",  # type: ignore[arg-type]  # as JSON says it
        tenor_months=12,
        grade="B",
        window_days=10,
        origination_fee_fen=12_000,
        interest_fee_permille=100,
    )
    confirmed = ConfirmTopUp(top_up_id="top_1", bank_reference="ref1", amount_fen=500_000, succeeded=True)
    return [
        opening(),
        asking(1, amount_fen=500_000),
        said("acc_1", confirmed, "bank-1", principal="bank"),
        said("lst_1", listing, "list-1", principal="usr_op"),
    ]


def bid(number: int) -> bytes:
    """A bid of the investor."""
    wish = PlaceBid(bid_id=f"bid_{number}", hold_id=f"hold_{number}", listing_id="lst_1", amount_fen=100_000)
    return said("acc_1", wish, f"bid-{number}")


def kinds(found: Outcome) -> list[str]:
    """The first event's type of each decision."""
    return [told.value.split(b'"events":[{"type":"', 1)[1].split(b'"', 1)[0].decode() for told in found.told]


def checkpoint(records: list[RawRecord], position: int) -> Checkpoint:
    """The triple of a decision in a log in which nothing stands between."""
    return Checkpoint(position, position, records[position].headers["hash"])


#: What the story and a bid become: 4, 5 and 7 are the policy's; nobody has a standing order.
TOLD = [
    "bidding.AccountOpened.v1",
    "bidding.TopUpRequested.v1",
    "bidding.FundsDeposited.v1",
    "bidding.ListingOpened.v1",
    "bidding.AccountOpened.v1",
    "system.CommandHadNoEffect.v1",
    "bidding.FundsHeld.v1",
    "bidding.BidPlaced.v1",
]
REPEATED = "system.CommandRepeated.v1"


async def test_commits_that_are_missing_behind_and_ahead(ground: Ground, agree: Agree) -> None:
    """What is sent again is dropped; a policy that committed what the log has lost waits until it is decided again.

    The bytes of a policy's commands tell how its records were batched (`stored_below`), so values are compared, not hashes.
    """
    await ground.start()
    await ground.start_policy(None)
    await one_by_one(ground, story())
    await folded(ground, 5)
    await one_by_one(ground, [bid(1)], 6)
    await folded(ground, 7)
    await ground.kill_policy()
    assert kinds(await events_of(ground)) == TOLD

    await ground.start_policy(None)  # never committed, or expired: all is sent again
    await folded(ground, 10)
    await ground.kill_policy()
    await ground.start_policy(checkpoint(await ground.read("events"), 5))  # behind: the bid's is sent again
    await folded(ground, 11)
    await ground.kill_policy()
    assert kinds(await events_of(ground)) == [*TOLD, *[REPEATED] * 4]

    ahead = checkpoint(await ground.read("events"), 11)
    await ground.kill()
    await ground.cut(events=1)
    await ground.start_policy(ahead)
    await ground.until(ground.policy_waits)
    await ground.start()
    await folded(ground, 11)
    await one_by_one(ground, [bid(2)], 12)
    await folded(ground, 13)
    found = await events_of(ground)
    assert kinds(found) == [*TOLD, *[REPEATED] * 4, *TOLD[-2:]]
    assert found.count() == {A: 14, R: 0, F: 0}
    agree(([told.value for told in found.told], found.readings))
