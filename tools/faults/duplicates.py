"""Everything comes twice: policies read what they have read, and the last records of the log stand there again.

A policy group's commits are moved back while nobody of it lives, so that it sends the same commands again: the source rule
must drop them. The last commands and decisions are appended once more, the decisions also in the wrong order: readers skip
those as repeats, and the commands are answered with their first answer.
"""

from collections.abc import Sequence

from libs.events.chain import Checkpoint
from libs.events.records import RawRecord
from libs.events.topics import commands_topic, events_topic
from libs.runtime.commits import Commit
from libs.runtime.kafka import LogReader, LogWriter, Place, offsets, read_range, stored_offset
from libs.runtime.policing import group_name
from libs.runtime.service import load_services
from tools.faults.scenario import Fault, Injected
from tools.faults.scene import Scene
from tools.load.roles import REPLICAS

_BETWEEN = 60
_REWOUND = 30
_WRITTEN_AGAIN = 25
_REPEATED = "system.CommandRepeated.v1"


async def inject(scene: Scene) -> Injected:
    """Rewind and write again, under load; count what was dropped."""
    done = Injected(0)
    rewound = events = commands = dropped = own = 0
    mark = scene.log.ends()
    skipped = len(scene.log.repeats)
    for _ in range(scene.times(1, 2)):
        await scene.progress(_BETWEEN)
        before = scene.log.ends()
        rewound += await _rewind_policies(scene)
        await scene.progress(_BETWEEN)
        dropped += sum(each.of_policy and each.kind == _REPEATED for each in scene.log.since(before))
        events += await _write_again(scene, events_topic("bidding"), backwards=False)
        events += await _write_again(scene, events_topic("bidding"), backwards=True)
        commands += await _write_again(scene, commands_topic("bidding"), backwards=False)
        await scene.progress(_BETWEEN)
        done.times += 3
    skipped = len(scene.log.repeats) - skipped
    repeated = [each for each in scene.log.since(mark) if each.kind == _REPEATED]
    # who was answered and asks again under his key makes a repeat, too: at most one per attempt after his first
    own = sum(max(0, len(wish.attempts) - 1) for wish in scene.history.wishes)
    done.figures |= {
        "source records read again": rewound,
        "policies' commands dropped after the rewind": dropped,
        "callers' own retries": own,
        "decisions written again": events,
        "skipped as repeats": skipped,
        "commands written again": commands,
        "answered as before": sum(not each.of_policy for each in repeated),
    }
    if skipped < events:
        done.broken.append(f"{events} decisions were written again, and {skipped} skipped as repeats")
    if not dropped:
        done.broken.append("no command of a policy was dropped after the rewind: nothing was sent again")
    if len(repeated) - dropped < commands:
        done.broken.append(
            f"{commands} commands were written again, and {len(repeated) - dropped} known again"
        )
    return done


async def _rewind_policies(scene: Scene) -> int:
    """Move every commit of bidding's policy groups back by up to so many records; gives how many will be read again."""
    names = [f"bidding-policy-{replica}" for replica in REPLICAS]
    for name in names:
        scene.kill(name)
    back = 0
    for source in load_services(scene.settings.profile)["bidding"].policies:
        back += await _rewind(scene, group_name("bidding", source), events_topic(source))
    for name in names:
        await scene.start(name, ready=False)
    for name in names:
        await scene.until_ready(name)
    return back


async def _rewind(scene: Scene, group: str, topic: str) -> int:
    bootstrap = scene.settings.require_kafka()
    places = [Place(topic, number) for number in range(scene.settings.partitions)]
    reader = LogReader(bootstrap, client_id="faults-rewind", group=group)
    await reader.start()
    try:
        moved: dict[Place, Commit] = {}
        back = 0
        for place, committed in (await reader.committed(places)).items():
            start = max(0, committed.head.offset - _REWOUND)
            records = [
                raw
                async for batch in read_range(bootstrap, place, start, committed.head.offset)
                for raw in batch
            ]
            accepted = next((each for each in records if _stands(scene, place, each)), None)
            if accepted is not None:
                head = _triple(accepted)
                moved[place] = Commit(head, head.offset + 1, committed.by)
                back += committed.head.position - head.position
        reader.assign_for_commits(places)
        if moved:
            await reader.commit(moved)
        return back
    finally:
        await reader.stop()


def _triple(raw: RawRecord) -> Checkpoint:
    return Checkpoint(raw.offset, int(raw.headers["position"]), raw.headers["hash"])


def _stands(scene: Scene, place: Place, raw: RawRecord) -> bool:
    """Whether a record is the one that readers accepted at its position, and not a repeat of it."""
    service = place.topic.rsplit(".", 1)[0]
    position = raw.headers.get("position", b"")
    if not position.isdigit():
        return False
    decided = scene.log.decided(service, place.partition)
    return int(position) < len(decided) and decided[int(position)].stored_ms == raw.timestamp_ms


async def _write_again(scene: Scene, topic: str, *, backwards: bool) -> int:
    """Append the last records of each partition of a topic once more."""
    bootstrap = scene.settings.require_kafka()
    places = [Place(topic, number) for number in range(scene.settings.partitions)]
    writer = LogWriter(bootstrap, client_id="faults-again")
    await writer.start()
    try:
        count = 0
        for place, (_, end) in (await offsets(bootstrap, places)).items():
            records: Sequence[RawRecord] = [
                raw
                async for batch in read_range(bootstrap, place, max(0, end - _WRITTEN_AGAIN), end)
                for raw in batch
            ]
            for raw in reversed(records) if backwards else records:
                future = await writer.post(place, key=raw.key, value=raw.value, headers=raw.headers)
                await stored_offset(future, 10)
            count += len(records)
        return count
    finally:
        await writer.stop()


FAULTS = (
    Fault(
        "duplicates",
        "What is delivered or written twice counts once: repeats are skipped, policies' commands dropped, people's answered as before.",
        inject,
    ),
)
