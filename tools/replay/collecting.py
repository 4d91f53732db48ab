"""How arrears are worked: a look into the queue, a claim, a contact and its record, a promise, and the debtor given back."""

from collections.abc import Mapping
from typing import Any, Final

from libs.events.collections import CaseOpened, CaseStageChanged, MissAdded
from tools.replay.actions import CallIn, Dun
from tools.replay.gateway import ReplayFailed
from tools.replay.scene import Scene

#: What the one who writes works: a collector begins with the calls of the early stage.
WRITERS_DESK: Final = {"stages": ["mid", "late"], "regions": [], "skills": ["negotiation", "legal"]}


async def answer_call(scene: Scene, action: CallIn) -> None:
    """A debtor rings up and promises: his case is claimed, the call recorded, the promise taken down."""
    who, missed = scene.staff.of("caller"), f"{scene.loan(action.loan)}/{action.number}"
    await scene.log.told((CaseOpened, missed), (MissAdded, missed))
    work = await _claimed(scene, who, action, action.key)
    outcome = {"outcome": "promise", "delay_reason": "forgot" if action.keeps else "income_lost"}
    contact = await work.contact({"channel": "call", "direction": "inbound"}, outcome)
    promise = {
        "contact_id": contact,
        "amount_fen": action.amount_fen,
        "promised_on": action.promised_on.isoformat(),
    }
    await work.post(f"cases/{work.case}/promises", promise)
    await work.post("release", {})


async def write(scene: Scene, action: Dun) -> None:
    """A letter, by the collector of the later stages; the supervisor gives him what has come to the last of them."""
    who = scene.staff.of("writer")
    await scene.log.told((CaseStageChanged, f"{scene.loan(action.loan)}/{action.stage}"))
    if action.assigned:
        supervisor = _Work(scene, scene.staff.of("supervisor"), action, action.key)
        await supervisor.post(f"cases/{supervisor.case}/assignment", {"collector": who})
    work = await _claimed(scene, who, action, action.key)
    await work.contact({"channel": "letter"}, {"outcome": "no_answer", "script": f"dunning-{action.stage}"})
    await work.post("release", {})


async def _claimed(scene: Scene, who: str, action: CallIn | Dun, key: str) -> "_Work":
    """The queue is looked at, and the case claimed out of it: the log has said that it is there, whatever the view shows."""
    if await scene.gateway.read(who, "/collections/queue?limit=10") is None:
        raise ReplayFailed("There is no collection queue.")
    work = _Work(scene, who, action, key)
    await work.post(f"cases/{work.case}/claim", {})
    return work


class _Work:
    """One collector's work on one debtor; every wish carries the action's key, which is unique within a case."""

    def __init__(self, scene: Scene, who: str, action: CallIn | Dun, key: str) -> None:
        self._scene, self._who, self._key = scene, who, key
        self._debtor = scene.debtor(action.user)
        self.case = scene.case(action.loan)

    async def post(self, step: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One step."""
        path = f"/collections/debtors/{self._debtor}/{step}"
        return await self._scene.gateway.post(self._who, path, self._key, body)

    async def contact(self, manner: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
        """Ask the gate for a contact, and record it. Returns its id."""
        begun = await self.post(f"cases/{self.case}/contacts", manner)
        contact: str = begun["id"]
        await self.post(f"contacts/{contact}/outcome", outcome)
        return contact
