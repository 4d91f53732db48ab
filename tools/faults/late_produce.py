"""Decisions that arrive after somebody else has decided: what one decider has sent is held in the network and let go later.

Held are only its producer's connections, so that it goes on reading and sees itself replaced; or all of its connections, so
that it is blind, meets its time-out with decisions in the network, and tries again on new connections that are held, too.
"""

import asyncio
import time

from tools.faults.lines import DECIDER, LINED, LINES
from tools.faults.proxy import HOLD, PASS
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene

_BETWEEN = 40
#: A Kafka client's name in its requests: two bytes of length, then the name; the consumers' names go on behind it.
_PRODUCER = b"\x00\x0fbidding-decider"
#: Beyond confirm_timeout_s (5 s), and beyond the producer's own limit of a request (10 s) for the blind one.
_REPLACED_S, _BLIND_S = 7.0, 12.0


async def hold_produce(scene: Scene) -> Injected:
    """Hold, let the standby take over, let go, and count what came too late."""
    done = Injected(0)
    held = late = 0
    for only, seconds in [(_PRODUCER, _REPLACED_S), (b"", _BLIND_S)] * scene.times(1, 2):
        await _decides(scene, "r0")
        await scene.progress(_BETWEEN, by="r0")
        before = LINES.switches.proxies["kafka"].figures("up")[1]
        skipped = len(scene.log.repeats) + len(scene.log.foreign)
        LINES.switches.switch("kafka", up=HOLD, only=only)
        held_ms, held_s = int(time.time() * 1000), time.monotonic()
        try:
            done.take_over_ms += await scene.decided_everywhere(held_ms, but="r0")
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - held_s)))
            held += LINES.switches.proxies["kafka"].figures("up")[1] - before
        finally:
            LINES.switches.switch("kafka", up=PASS)
        await scene.until_ready(DECIDER)
        await scene.progress(_BETWEEN)
        late += len(scene.log.repeats) + len(scene.log.foreign) - skipped
        done.times += 1
    done.figures |= {"held bytes": held, "late records not accepted": late}
    if not late:
        done.broken.append("nothing came too late: no decision was in the network when it was held")
    return done


async def _decides(scene: Scene, replica: str) -> None:
    """Have a replica decide bidding: the other one is killed and started again as the standby."""
    other = f"bidding-decider-{'r1' if replica == 'r0' else 'r0'}"
    if all(_last_by(scene, number) == replica for number in range(scene.log.partitions)):
        return
    killed_ms = scene.kill(other)
    await scene.decided_everywhere(killed_ms, but=other.rsplit("-", 1)[1])
    await scene.start(other)


def _last_by(scene: Scene, partition: int) -> str | None:
    decided = scene.log.decided("bidding", partition)
    return decided[-1].by if decided else None


FAULTS = (
    Fault(
        "late-produce",
        "What a decider had in the network while another one took over arrives in vain: the chain is closed to it.",
        hold_produce,
        kind=LINED,
        fail_over=True,
        answered_within_s=15,
        why_longer="a producer that was held meets its own limit of 10 s first",
    ),
)
