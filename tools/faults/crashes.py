"""A process dies exactly between two steps of its work: armed by name, it kills itself, and is started again without.

The steps are those of libs/runtime/failpoints.py; random moments seldom meet them.
"""

import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from libs.runtime.settings import PREFIX
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene, now_ms
from tools.load.roles import REPLICAS

#: An armed process may first have to take over, start and fold.
_DIES_WITHIN_S: Final = 60.0
_POLICIES: Final = tuple(f"bidding-policy-{replica}" for replica in REPLICAS)


async def _arm(scene: Scene, name: str, step: str) -> None:
    """Start a process anew that will kill itself at the step, some time; it is not started again by itself."""
    if name not in scene.held:
        scene.kill(name)
    nth = scene.random.randint(1, 12)
    await scene.start(name, {PREFIX + "FAILPOINTS": f"{step}:{nth}"}, ready=False, hold=True)


async def _die(scene: Scene, done: Injected, names: Sequence[str], step: str) -> None:
    """Wait until armed processes have killed themselves."""
    children = [scene.stack.child(name) for name in names]
    await scene.until(lambda: not any(child.alive for child in children), _DIES_WITHIN_S)
    done.times += len(children)
    done.broken += [
        f"{child.name} ended with {child.exit_code} instead of dying at {step}"
        for child in children
        if child.exit_code != -signal.SIGKILL
    ]


def dying_decider(step: str) -> Callable[[Scene], Awaitable[Injected]]:
    """The standby is armed, the active one killed: the new one, deciding alone, dies at the step, and the old one goes on.

    The step is that of whoever decides, so the old one is started only after the death: else it could take over, and the
    armed one would follow and never reach it.
    """

    async def inject(scene: Scene) -> Injected:
        done = Injected(0)
        for _ in range(scene.times(1, 2)):
            await scene.progress(20)
            victim, other = scene.standby(), scene.active()
            name, old = f"bidding-decider-{victim}", f"bidding-decider-{other}"
            await _arm(scene, name, step)
            await scene.until_ready(name)
            scene.kill(old)
            await _die(scene, done, [name], step)
            dead_ms = now_ms()
            await scene.start(old, ready=False)
            done.take_over_ms += await scene.decided_everywhere(dead_ms, but=victim)
            await scene.start(name)
            await scene.until_ready(old)
        return done

    return inject


def dying(names: Sequence[str], step: str) -> Callable[[Scene], Awaitable[Injected]]:
    """All of these are armed, so that whichever does the work dies at the step, and its successor too."""

    async def inject(scene: Scene) -> Injected:
        done = Injected(0)
        for _ in range(scene.times(1, 2)):
            await scene.progress(20)
            for name in names:
                await _arm(scene, name, step)
            await _die(scene, done, names, step)
            for name in names:
                await scene.start(name)
        return done

    return inject


FAULTS = (
    Fault(
        "die-decision-stored",
        "Dead after a decision was stored and before it was read back: the next decider reads it and goes on behind it.",
        dying_decider("decision-stored"),
    ),
    Fault(
        "die-decision-accepted",
        "Dead after decisions were read back and before they were in the store: they are folded from the log again.",
        dying_decider("decision-accepted"),
    ),
    Fault(
        "die-policy-stored",
        "Dead after a policy's commands were stored and before its commit: they are sent again and dropped by the source rule.",
        dying(_POLICIES, "policy-stored"),
        quick=True,
    ),
    Fault(
        "die-view-stored",
        "Dead after MongoDB's transaction and before the acknowledgement: the position moved with the documents.",
        dying(("views",), "view-stored"),
        quick=True,
    ),
    Fault(
        "die-command-stored",
        "Dead after a command was stored and before its caller was told: asking again gives the log's answer.",
        dying(("bidding",), "command-stored"),
        quick=True,
    ),
)
