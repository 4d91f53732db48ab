"""`resend`: what a release before made no command of is asked for once, and nothing that was decided, or is still in hand."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from libs.events.codec import name_of
from libs.events.records import RawRecord
from libs.events.sagas import Saga, Step
from libs.runtime import following
from libs.runtime.errors import OperatorError
from libs.runtime.kafka import Place
from libs.runtime.policing import envelope_of
from libs.runtime.resending import resend
from libs.runtime.retrying import Retried, _event_at
from libs.runtime.service import Policy, Service
from libs.runtime.settings import Settings
from tests.unit.runtime.jars import Bench, CoinsPut, PutCoins, Shake, jars_are_known
from tests.unit.runtime.test_policing import give_back
from tests.unit.runtime.test_retrying import GROUP, bench, fails, of_policy, service, settings

pytestmark = pytest.mark.usefixtures("jars_are_known")
__all__ = ["bench", "jars_are_known", "settings"]

COPY = name_of(PutCoins)


async def _resend(settings: Settings, command: str = COPY) -> list[Retried]:
    return await resend(settings, [known(give_back)], "bidding", command)


def known(policy: Policy) -> Service:
    """Bidding, whose table says what its policy sends, and what it sends now and then."""
    steps = (Step(on=CoinsPut, send=PutCoins), Step(on=CoinsPut, send=Shake))
    saga = Saga(name="copy", why="Coins are copied.", opened_by={}, closed_by={}, steps=steps)
    return replace(service(policy), sagas=(saga,))


def _put(bench: Bench, coins: int) -> int:
    """Coins are put into a jar while nobody copies them; where the log has it."""
    bench.tell(PutCoins(coins=coins))
    return len(bench.commands) - 1


def _done_below(bench: Bench, position: int) -> None:
    """The group says that it is done with all before a position."""
    bench.tell(Shake(how="nothing"), **of_policy(position))


async def test_what_was_never_sent_is_sent_once(settings: Settings, bench: Bench) -> None:
    """Asked again it is known, and a retry of it too."""
    put = _put(bench, 5)
    _done_below(bench, put + 1)
    [sent] = await _resend(settings)
    assert (sent.sent, sent.outcome, bench.decider.state_of("jar_9").coins) == (True, "decided", 5)
    count = len(bench.commands)
    assert (await _resend(settings), len(bench.commands)) == ([], count)


async def test_what_the_group_has_in_hand_it_sends_itself(settings: Settings, bench: Bench) -> None:
    """It would send it under an id of its own, so it would be decided twice."""
    put = _put(bench, 5)
    _put(bench, 7)
    _done_below(bench, put + 1)
    assert len(await _resend(settings)) == 1
    assert bench.decider.state_of("jar_9").coins == 5


@pytest.mark.parametrize("kind", [COPY, "bidding.Gone"])
async def test_what_the_group_sent_itself_is_known(settings: Settings, bench: Bench, kind: str) -> None:
    """Done or refused: a refusal is for its saga, or parked."""
    put = _put(bench, 5)
    event = await _event_at(settings, f"bidding/0/{put}/0")
    [send] = give_back(event)
    own = envelope_of(GROUP, event, send).command_id
    bench.send(PutCoins(coins=5), stream="jar_9", command_id=own, type_name=kind, **of_policy(put))
    bench.run()
    _done_below(bench, put + 1)
    count = len(bench.commands)
    assert (await _resend(settings), len(bench.commands)) == ([], count)


async def test_a_mistake_sends_nothing(settings: Settings, bench: Bench) -> None:
    """A service without policies, a type that none sends, a policy that raises: a sentence each."""
    _done_below(bench, _put(bench, 5) + 1)
    with pytest.raises(OperatorError, match="reporting has no policies"):
        await resend(settings, [service(give_back)], "reporting", COPY)
    with pytest.raises(OperatorError, match=r"No policy of bidding sends bidding.Gone. They send .*PutCoins"):
        await _resend(settings, "bidding.Gone")
    with pytest.raises(OperatorError, match="raises KeyError on bidding/0/"):
        await resend(settings, [known(fails)], "bidding", COPY)


async def test_what_nothing_asks_for_is_no_mistake(settings: Settings, bench: Bench) -> None:
    """A command that its table names, and no event of the log calls for yet."""
    _done_below(bench, _put(bench, 5) + 1)
    count = len(bench.commands)
    assert (await _resend(settings, name_of(Shake)), len(bench.commands)) == ([], count)


async def test_the_log_is_read_once_however_much_is_sent(
    settings: Settings, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a thousand commands as of one: each record of what was decided is read by one follower."""
    last = [_put(bench, coins) for coins in (5, 7, 9)][-1]
    _done_below(bench, last + 1)
    read = Counter[int]()
    real = vars(following)["read_range"]

    async def counted(bootstrap: str, place: Place, start: int, end: int) -> AsyncIterator[list[RawRecord]]:
        async for records in real(bootstrap, place, start, end):
            read.update(raw.offset for raw in records)
            yield records

    before = len(bench.events)
    monkeypatch.setattr(following, "read_range", counted)
    sent = await _resend(settings)
    assert [(each.sent, each.outcome) for each in sent] == [(True, "decided")] * 3
    # once as what was decided, once as what its group has done with
    assert {read[offset] for offset in range(before)} == {2}
