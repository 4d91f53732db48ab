"""kill -9 and SIGSTOP of each role, at random moments under load; and members that come and go without a pause."""

from collections.abc import Awaitable, Callable, Sequence

from tools.faults.measure import metric
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene
from tools.load.roles import REPLICAS

_POLICY_TAKE_OVERS = "loanstream_policy_take_overs_total"
#: Beyond this a take-over is broken; what is aimed at, half a second, is told beside it (run.py).
_TAKE_OVER_MAX_S = 5.0
#: A decision that anybody waits for longer than this, while only a standby is away, means that somebody noticed.
_UNNOTICED_MAX_S = 2.0
#: Decisions between two injections, so that each meets a platform at work.
_BETWEEN = 25


async def kill_active_decider(scene: Scene) -> Injected:
    """Kill whoever decides; the standby's first decision per partition is measured."""
    done = Injected(scene.times(2, 8))
    for _ in range(done.times):
        await scene.progress(_BETWEEN)
        await scene.a_moment()
        victim = scene.active()
        name = f"bidding-decider-{victim}"
        killed_ms = scene.kill(name)
        done.take_over_ms += await scene.decided_everywhere(killed_ms, but=victim)
        await scene.start(name)
    done.broken += slow_take_overs(done.take_over_ms)
    return done


def slow_take_overs(take_over_ms: Sequence[float]) -> list[str]:
    """Take-overs that took longer than they ever may, in words."""
    late = [each for each in take_over_ms if each > 1000 * _TAKE_OVER_MAX_S]
    return [f"{len(late)} take-overs took up to {max(late) / 1000:.1f} s"] if late else []


async def kill_standby_decider(scene: Scene) -> Injected:
    """Kill whoever follows: nobody should notice."""
    done = Injected(scene.times(1, 4))
    mark = scene.log.ends()
    for _ in range(done.times):
        await scene.progress(_BETWEEN)
        await scene.a_moment()
        name = f"bidding-decider-{scene.standby()}"
        killed_ms = scene.kill(name)
        await scene.decided_everywhere(killed_ms)
        await scene.start(name)
    longest_s = scene.longest_wait_s(mark)
    done.figures["longest wait s"] = longest_s
    done.broken += scene.left_unknown()
    if longest_s > _UNNOTICED_MAX_S:
        done.broken.append(f"a command waited {longest_s:.1f} s while only a standby was away")
    return done


async def kill_both_deciders(scene: Scene) -> Injected:
    """Kill both at once: commands wait until one is back."""
    done = Injected(scene.times(1, 3))
    for _ in range(done.times):
        await scene.progress(_BETWEEN)
        await scene.a_moment()
        names = [f"bidding-decider-{replica}" for replica in REPLICAS]
        killed_ms = min(scene.kill(name) for name in names)
        for name in names:
            await scene.start(name, ready=False)
        done.take_over_ms += await scene.decided_everywhere(killed_ms)
        for name in names:
            await scene.until_ready(name)
    return done


async def kill_policies(scene: Scene) -> Injected:
    """Kill each replica of the policies in turn, and then both at once."""
    done = Injected(0)
    names = [f"bidding-policy-{replica}" for replica in REPLICAS]
    for victims in [names] if scene.quick else [names[:1], names[1:], names] * 2:
        await scene.progress(_BETWEEN)
        await scene.a_moment()
        for name in victims:
            scene.kill(name)
            done.times += 1
        await scene.progress(_BETWEEN)
        for name in victims:
            await scene.start(name)
    return done


def killing(name: str, quick: int, full: int) -> Callable[[Scene], Awaitable[Injected]]:
    """Kill one process again and again; it is started at once, as an orchestrator would."""

    async def inject(scene: Scene) -> Injected:
        done = Injected(scene.times(quick, full))
        for _ in range(done.times):
            await scene.progress(_BETWEEN)
            await scene.a_moment()
            scene.kill(name)
            await scene.start(name)
        return done

    return inject


async def freeze_active_decider(scene: Scene) -> Injected:
    """Freeze whoever decides past the take-over, let the standby decide, and wake it with decisions in its hands."""
    done = Injected(scene.times(1, 6))
    for _ in range(done.times):
        await scene.progress(_BETWEEN)
        await scene.a_moment()
        victim = scene.active()
        name = f"bidding-decider-{victim}"
        frozen_ms = scene.freeze(name)
        try:
            done.take_over_ms += await scene.decided_everywhere(frozen_ms, but=victim)
            await scene.progress(_BETWEEN, by=scene.active())
        finally:
            scene.thaw(name)
        await scene.until_ready(name)
    return done


def freezing(
    names: tuple[str, ...], seconds: float, quick: int, full: int
) -> Callable[[Scene], Awaitable[Injected]]:
    """Freeze a process for longer than its successor waits, then wake it."""

    async def inject(scene: Scene) -> Injected:
        done = Injected(0)
        for name in names * scene.times(quick, full):
            await scene.progress(_BETWEEN)
            scene.freeze(name)
            try:
                await scene.a_moment(seconds, seconds + 1)
            finally:
                scene.thaw(name)
            done.times += 1
            await scene.until_ready(name)
        return done

    return inject


async def freeze_policies(scene: Scene) -> Injected:
    """Freeze whoever sends for a source, long enough that the other one takes over, and wake it; counted by its metric."""
    done = Injected(0)
    names = [f"bidding-policy-{replica}" for replica in REPLICAS]
    took = 0.0
    for number in range(scene.times(1, 4)):
        await scene.progress(_BETWEEN)
        victim, other = names[number % 2], names[1 - number % 2]
        before = sum(await metric(scene, other, _POLICY_TAKE_OVERS))
        scene.freeze(victim)
        try:
            await scene.a_moment(4.0, 5.0)
            took += sum(await metric(scene, other, _POLICY_TAKE_OVERS)) - before
        finally:
            scene.thaw(victim)
        done.times += 1
        await scene.until_ready(victim)
    done.figures["take-overs"] = round(took)
    if not took:
        done.broken.append("nobody took over from a frozen policy: nothing was injected")
    return done


async def storm(scene: Scene) -> Injected:
    """Start and stop members every two seconds: one decider, policy or projector at a time, cleanly or not."""
    done = Injected(0)
    names = [f"bidding-{role}-{replica}" for role in ("decider", "policy") for replica in REPLICAS] + [
        "views"
    ]
    mark = scene.log.ends()
    for _ in range(scene.times(3, 20)):
        name = scene.random.choice(names)
        scene.kill(name)
        await scene.start(name, ready=False)
        done.times += 1
        await scene.a_moment(2.0, 2.0)
    done.figures["decisions meanwhile"] = len(scene.log.since(mark))
    return done


FAULTS = (
    Fault(
        "kill-decider-active",
        "The standby decides within half a second; what was acknowledged stays, what was in flight is answered on asking again.",
        kill_active_decider,
        quick=True,
        fail_over=True,
    ),
    Fault("kill-decider-standby", "Nobody notices.", kill_standby_decider),
    Fault(
        "kill-deciders-both",
        "Commands wait until one is back and has folded its tail; none is lost.",
        kill_both_deciders,
    ),
    Fault(
        "kill-policies",
        "Sagas go on from the last commit: what is sent again is dropped by the source rule.",
        kill_policies,
    ),
    Fault(
        "kill-projector",
        "Views stand still and then catch up; documents and positions move in one transaction.",
        killing("views", 1, 5),
    ),
    Fault(
        "kill-api",
        "Callers in flight know nothing; the same request sent again gets the log's answer.",
        killing("bidding", 1, 6),
    ),
    Fault(
        "freeze-decider",
        "A zombie that wakes up writes in vain: the chain accepts one next decision, whoever wrote it.",
        freeze_active_decider,
        quick=True,
        fail_over=True,
    ),
    Fault(
        "freeze-policy",
        "A policy that slept sends what it had in hand; the source rule drops what another one sent.",
        freeze_policies,
    ),
    Fault(
        "freeze-projector",
        "Views stand still for so long; a batch of a projector that slept past its session is not applied twice.",
        freezing(("views",), 12.0, 1, 2),
    ),
    Fault(
        "restart-storm",
        "With a member killed every two seconds work goes on, exact.",
        storm,
    ),
)
