"""`loanstream repair` and the look that precedes it, on the simulated log: the rule is the platform's own `repair_plan`."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.events.chain import ChainReader, Reading, genesis
from libs.runtime import kafka
from libs.runtime.repair_marks import Marks
from libs.runtime.repair_plan import Damage, Inspection, mending
from tools.simulator.log import Log, Place

#: The key of the signed heads, which signs a repair's marks too.
_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"simulated heads").digest())


def lost_commands(log: Log, log_id: str, commands: Place, events: Place) -> str | None:
    """What `libs.runtime.recount` says before a partition decides; asked only where a tail was lost since the last repair."""
    if commands not in log.was_cut:
        return None
    damage = look(log, log_id, commands, events)
    if damage.missing:
        return f"commands end at {damage.end}, decisions at {damage.next_position - 1}: commands were lost"
    if damage.displaced:
        return f"another command at offset {damage.displaced[0].position} than the one that was decided there"
    return None


def look(log: Log, log_id: str, commands: Place, events: Place) -> Damage:
    """Compare every decision of a partition with its command."""
    chain = ChainReader(genesis(log_id, *events))
    decided: list[bytes] = []
    decided_ms: list[int] = []
    ids: set[bytes] = set()
    for raw in log.records(events, 0, log.end(events)):
        if chain.read(raw) is Reading.ACCEPTED:
            decided.append(raw.headers["command"])
            decided_ms.append(raw.timestamp_ms)
            ids.add(raw.headers.get("command-id", b""))
    place = kafka.Place(*commands)
    service = commands.topic.removesuffix(".commands")
    damage = Damage(service, place, chain.next_position, log.end(commands), decided, decided_ms)
    inspection = Inspection(damage, ids, Marks(_KEY.public_key(), log_id, place))
    for raw in log.records(commands, 0, log.end(commands)):
        inspection.add(raw)
    return inspection.found()


def repair(log: Log, log_id: str, commands: Place, events: Place) -> Damage:
    """Mend a partition's commands; gives what was wrong."""
    damage = look(log, log_id, commands, events)
    for mend in mending(damage, _KEY, log_id):
        stored = log.append(
            Place(damage.commands.topic, damage.commands.partition),
            key=mend.key,
            value=mend.value,
            headers=mend.headers,
        )
        assert stored == mend.offset, f"stored at {stored}, meant for {mend.offset}"
    return damage
