"""What people did, counted at the end of a replay and held against the plan: users, cases, promises; and whether the books of
the whole platform balance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libs.runtime.views import Views
from tools.replay.drive import Driven
from tools.replay.figures import documents
from tools.replay.gateway import Gateway, ReplayFailed
from tools.replay.plan import Plan
from tools.replay.staff import OPERATOR

_USERS, _FILES = "reporting.funnel", "collections.case-files"


@dataclass(frozen=True, slots=True)
class Count:
    """Something that was planned and then found in a view."""

    what: str
    planned: int
    found: int


@dataclass(frozen=True, slots=True)
class Work:
    """Users who registered and were verified, cases that opened, promises that were decided; the total of all accounts in fen
    (anything but 0 is an error), and sagas that were begun and are not at their end."""

    users: Count
    cases: Count
    kept: Count
    broken: Count
    trial_balance_fen: int
    open_sagas: int

    @property
    def counts(self) -> tuple[Count, ...]:
        """All that can be compared with the plan."""
        return self.users, self.cases, self.kept, self.broken


async def read_work(gateway: Gateway, views: Views, plan: Plan, driven: Driven) -> Work:
    """Count over this replay's users and loans: others may live on the same platform. Raises ReplayFailed."""
    ours, loans = set(driven.users.values()), set(driven.loan_ids.values())
    users = 0
    async for user in documents(views, _USERS):
        users += user["_id"] in ours and "verified" in user
    cases = 0
    promises: Counter[str] = Counter()
    async for file in documents(views, _FILES):
        if file["loan_id"] in loans:
            cases += 1
            promises.update(promise["status"] for promise in file.get("promises", {}).values())
    made = [promise for story in plan.stories for promise in story.promises]
    broken = sum(not promise.keeps and promise.promised_on <= plan.last_date for promise in made)
    balance = await _shown(gateway, "/reporting/trial-balance")
    return Work(
        users=Count("users verified", len(plan.people), users),
        cases=Count("collection cases", sum(story.is_late for story in plan.stories), cases),
        kept=Count("promises kept", sum(promise.keeps for promise in made), promises["kept"]),
        broken=Count("promises broken", broken, promises["broken"]),
        trial_balance_fen=balance["total_fen"],
        open_sagas=await _open_sagas(gateway),
    )


async def read_queue(gateway: Gateway, plan: Plan, number: int) -> Sequence[Mapping[str, Any]]:
    """The head of the collection queue, as the supervisor sees it."""
    queue = await gateway.read(plan.staff.of("supervisor"), f"/collections/queue?limit={number}")
    return [] if queue is None else list(queue["items"])


async def read_funnel(gateway: Gateway) -> Sequence[tuple[str, int]]:
    """(stage, users) of the platform's funnel. Raises ReplayFailed."""
    funnel = await _shown(gateway, "/reporting/funnel")
    return [(stage["stage"], stage["users"]) for stage in funnel["stages"]]


async def _open_sagas(gateway: Gateway) -> int:
    count, query = 0, "limit=200"
    while True:
        page = await _shown(gateway, f"/reporting/sagas?{query}")
        count += len(page["items"])
        if page["next"] is None:
            return count
        query = f"limit=200&cursor={page['next']}"


async def _shown(gateway: Gateway, path: str) -> dict[str, Any]:
    found = await gateway.read(OPERATOR, path)
    if found is None:
        raise ReplayFailed(f"{path} is not there.")
    return found
