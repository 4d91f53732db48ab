"""Collectors at work: they claim debtors, reach for them at any hour, log what came of it, and write down promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.collections import AgreedHours
from services.collections import commands as collections
from tools.simulator.people import Api

#: Plans are numbered from here on: their measures share the number, and the house counts its own from one.
_PLANS_FROM: Final = 10_000


@dataclass(slots=True)
class CaseSight:
    """A case as a collector sees it."""

    case_id: str
    debtor: str
    overdue_fen: int
    lease: str | None = None
    contact: str | None = None
    """The contact that is under way, or the last one if the debtor promised in it."""
    promising: bool = False


@dataclass(slots=True)
class QueueSight:
    """What collectors know."""

    cases: dict[str, CaseSight] = field(default_factory=dict)
    desks: dict[str, collections.Desk] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if name in ("CollectorEnrolled", "DeskChanged"):
            self.desks[data["staff_id"]] = collections.Desk(
                stages=tuple(data["stages"]), regions=tuple(data["regions"]), skills=tuple(data["skills"])
            )
        elif name == "CaseOpened":
            self.cases[data["case_id"]] = CaseSight(data["case_id"], data["debtor_id"], data["overdue_fen"])
        elif name == "CaseClosed":
            self.cases.pop(data["case_id"], None)
        elif name in ("DebtorClaimed", "DebtorReleased"):
            for case in self.cases.values():
                if case.debtor == data["debtor_id"]:
                    case.lease = data["collector"] if name == "DebtorClaimed" else None
        elif kind.startswith("collections.") and data.get("case_id") in self.cases:
            self._case(self.cases[data["case_id"]], name, data)

    def _case(self, case: CaseSight, name: str, data: Any) -> None:
        case.overdue_fen = data.get("overdue_fen", case.overdue_fen)
        if name == "ContactStarted":
            case.contact, case.promising = data["contact_id"], False
        elif name == "ContactLogged":
            case.promising = data["outcome"] == "promise"
            case.contact = case.contact if case.promising else None
        elif name == "PromiseMade":
            case.contact, case.promising = None, False


class Collectors:
    """All collectors of one run."""

    def __init__(self, rng: Random, api: Api) -> None:
        self.sight = QueueSight()
        self._rng = rng
        self._api = api
        self._numbers = 0

    @property
    def has_work(self) -> bool:
        """There is somebody to ask for money, and somebody to do it."""
        return bool(self.sight.cases and self.sight.desks)

    def act(self, today: date) -> None:
        """One thing that a collector does about one case."""
        case = self._rng.choice(list(self.sight.cases.values()))
        actions: tuple[tuple[Callable[[], None], int], ...] = (
            (lambda: self._claim(case), 2 if case.lease else 10),
            (lambda: self._start(case), 8 if case.lease else 1),
            (lambda: self._log(case, today), 12 if case.contact and not case.promising else 1),
            (lambda: self._promise(case, today), 12 if case.promising else 1),
            (lambda: self._plan(case), 3 if case.lease else 1),
            (lambda: self._release(case), 1),
            (lambda: self._assign(case), 1),
        )
        kinds, weights = zip(*actions, strict=True)
        self._rng.choices(kinds, weights)[0]()

    def _ask(self, case: CaseSight, command: Any, collector: str) -> None:
        self._api.ask("collections", case.debtor, command, principal=collector)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _collector(self, case: CaseSight) -> str:
        """Who holds the debtor, or now and then somebody who does not."""
        others = list(self.sight.desks)
        if case.lease in others and self._rng.random() < 0.9:
            return case.lease
        return self._rng.choice(others)

    def _claim(self, case: CaseSight) -> None:
        collector = self._rng.choice(list(self.sight.desks))
        claim = collections.ClaimCase(
            case_id=case.case_id, collector=collector, desk=self.sight.desks[collector]
        )
        self._ask(case, claim, collector)

    def _start(self, case: CaseSight) -> None:
        collector = self._collector(case)
        party: collections.Party = self._rng.choice(("debtor", "debtor", "debtor", "other"))
        contact = collections.StartContact(
            contact_id=f"cnt_{self._number()}",
            case_id=case.case_id,
            collector=collector,
            channel=self._rng.choice(("call", "call", "call", "sms", "letter")),
            direction=self._rng.choice(("outbound", "outbound", "outbound", "inbound")),
            party=party,
            party_id=None if party == "debtor" else self._rng.choice(("prt_1", "prt_2")),
            desk=self.sight.desks[collector],
        )
        self._ask(case, contact, collector)

    def _log(self, case: CaseSight, today: date) -> None:
        outcomes: tuple[collections.Outcome, ...] = (
            "promise",
            "promise",
            "reached",
            "no_answer",
            "no_answer",
            "refuses",
        )
        outcome = self._rng.choice(outcomes)
        hours = AgreedHours(from_minute=0, to_minute=500) if self._rng.random() < 0.05 else None
        log = collections.LogContact(
            contact_id=case.contact or "cnt_none",
            collector=self._collector(case),
            outcome=outcome,
            delay_reason=None,
            script=None,
            evidence=None,
            next_on=self._rng.choice((None, today + timedelta(days=1))),
            call_back_minute=None,
            agreed_hours=hours,
        )
        self._ask(case, log, log.collector)

    def _promise(self, case: CaseSight, today: date) -> None:
        collector = self._collector(case)
        promise = collections.MakePromise(
            promise_id=f"prm_{self._number()}",
            case_id=case.case_id,
            contact_id=case.contact or "cnt_none",
            collector=collector,
            amount_fen=max(
                1, self._rng.choice((case.overdue_fen, case.overdue_fen // 3, case.overdue_fen + 1, 100))
            ),
            promised_on=today + timedelta(days=self._rng.choice((0, 1, 2, 3, 30))),
            desk=self.sight.desks[collector],
        )
        self._ask(case, promise, collector)

    def _plan(self, case: CaseSight) -> None:
        collector = self._collector(case)
        plan = collections.ProposePlan(
            plan_id=f"pln_{_PLANS_FROM + self._number()}",
            case_id=case.case_id,
            collector=collector,
            kind=self._rng.choice(("extension", "restructuring")),
            months=self._rng.choice((1, 2, 3)),
            reason="income_lost",
            income_proof="vault:1",
            guarantor_consent="vault:2",
            desk=self.sight.desks[collector],
        )
        self._ask(case, plan, collector)

    def _release(self, case: CaseSight) -> None:
        collector = self._collector(case)
        released = collections.ReleaseDebtor(
            released_by=collector, supervisor=self._rng.random() < 0.2, desk=self.sight.desks[collector]
        )
        self._ask(case, released, collector)

    def _assign(self, case: CaseSight) -> None:
        to = self._rng.choice((None, None, *self.sight.desks))
        given = collections.AssignCase(case_id=case.case_id, collector=to, assigned_by="stf_chief")
        self._ask(case, given, "stf_chief")
