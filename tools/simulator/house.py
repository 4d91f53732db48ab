"""The staff who deal with loans that are not paid as agreed, and the lenders whom they ask: mostly in order, now and then not."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final, Literal

from libs.events.flags import Flag, FlagKind, Unflag
from libs.events.measures import (
    BranchMove,
    Extension,
    MeasureStep,
    MeasureTerms,
    NonAccrual,
    Reclassification,
    Restructuring,
    Waiver,
    WriteOff,
)
from libs.events.pauses import Pause, PauseCause, PauseEnd
from libs.events.repayment import LoanClass
from services.repayment.commands.measures import ProposeMeasure, SignMeasure, VoteOnMandate
from tools.simulator.asset_keepers import MINE
from tools.simulator.himself import customer_behind, member_of_staff
from tools.simulator.people import Api
from tools.simulator.restructurers import MINE as RESTRUCTURERS
from tools.simulator.voiders import MINE as VOIDERS

#: Who holds the post of each step.
_POSTS: Final[dict[MeasureStep, tuple[str, str]]] = {
    "collections_supervisor": ("stf_cs1", "stf_cs2"),
    "risk": ("stf_rk1", "stf_rk2"),
    "risk_assessor": ("stf_ra1", "stf_ra2"),
    "legal": ("stf_lg1", "stf_lg2"),
    "finance_supervisor": ("stf_fs1", "stf_fs2"),
    "general_manager": ("stf_gm1", "stf_gm2"),
    "receiving_clerk": ("stf_lc1", "stf_lc2"),
}
_CLASSES: Final[tuple[LoanClass, ...]] = ("normal", "special_mention", "substandard", "doubtful", "loss")
_GROUNDS: Final[tuple[Literal["overdue", "court", "insolvency"], ...]] = (
    "overdue",
    "court",
    "insolvency",
    "insolvency",
)
_BRANCHES: Final = ("CN-31", "CN-44", "CN-11")
#: Of so many measures whose lenders are asked, one waits for its last day.
_LEFT_LYING: Final = 3
#: And of so many that wait for signatures; and so many loans of a guarantor are stretched with his consent, but for one.
_UNSIGNED, _CONSENTS = 7, 6
#: How often the pursuit of losses costs something, and what (fen).
_PURSUITS, _COSTS = 8, (1_00, 700_00, 33)
#: How often a fen of penalty is given up.
_FENS: Final = 8


@dataclass(slots=True)
class HouseSight:
    """What they know: running loans and which of them are late, measures by what they wait for, who was asked, who owes."""

    loans: dict[str, str] = field(default_factory=dict)
    late: dict[str, None] = field(default_factory=dict)
    waiting: dict[str, MeasureStep] = field(default_factory=dict)
    people: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    receiving: dict[str, str] = field(default_factory=dict)
    forgiven: dict[str, None] = field(default_factory=dict)
    lost: dict[str, None] = field(default_factory=dict)
    parties: dict[str, list[str]] = field(default_factory=dict)
    """Of a measure: the customers who have a part in its loan."""

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        service, name, _ = kind.split(".")
        if service != "repayment":
            return
        if name == "LoanMoved":
            self.branches[data["loan_id"]] = data["to_branch"]
        if name == "LoanOpened":
            self.branches[data["loan_id"]] = data["region"] or _BRANCHES[0]
            self.loans[data["loan_id"]] = data["borrower"]
        elif name == "PaymentMissed":
            self.late[data["loan_id"]] = None
        elif name == "PenaltyWaived":
            self.forgiven[data["loan_id"]] = None
        elif name == "LoanWrittenOff":
            self.lost[data["loan_id"]] = None
        elif name == "LoanRepaid":
            self.loans.pop(data["loan_id"], None)
            self.late.pop(data["loan_id"], None)
            self.forgiven.pop(data["loan_id"], None)
        elif "measure_id" in data and not data["measure_id"].startswith((MINE, VOIDERS, RESTRUCTURERS)):
            self._measure(name, data["measure_id"], data)

    def _measure(self, name: str, measure: str, data: Any) -> None:
        if name == "MeasureProposed":
            self.people[measure] = [data["proposed_by"]]
            self.receiving[measure] = data["terms"].get("to_branch", _BRANCHES[0])
        elif name == "MeasureAdmitted":
            self.waiting[measure] = data["steps"][0]
            own = data["guarantor"].removeprefix("gua_")
            self.parties[measure] = [data["borrower"], *([f"usr_{own}"] if own else []), *data["holders"]]
        elif name == "MeasureSigned":
            self.people[measure].append(data["signer"])
            self.waiting.pop(measure)
            if data["next_step"]:
                self.waiting[measure] = data["next_step"]
        elif name == "MandateAsked":
            self.asked[measure] = [voter["investor"] for voter in data["voters"]]
        elif name in ("MeasureRefused", "MeasureFailed", "MeasureApproved"):
            self.waiting.pop(measure, None)
            self.asked.pop(measure, None)


class House:
    """All of them."""

    def __init__(self, rng: Random, api: Api, *, asks: int) -> None:
        self.sight = HouseSight()
        self._rng = rng
        self._api = api
        self._left, self._fens, self._pursuits = asks, _FENS, _PURSUITS
        self._numbers = 0

    @property
    def has_work(self) -> bool:
        """Whether a measure waits for somebody, or might be taken."""
        proposes = (self._left and self.sight.loans) or (self._fens and self.sight.late)
        return bool(self._unsigned() or self._votes() or proposes or self._costly())

    def act(self, today: date) -> None:
        """One proposal, one signature or one vote."""
        votes = self._votes()
        unsigned = self._unsigned()
        if costly := self._costly():
            self._pursue(costly)
        elif unsigned and self._rng.random() < 0.6:
            self._sign(self._rng.choice(unsigned))
        elif votes and self._rng.random() < 0.7:
            self._vote(self._rng.choice(votes))
        elif self._left and self.sight.loans:
            self._propose(today)
        elif self._fens and self.sight.late:
            self._forgive()

    def _costly(self) -> str | None:
        """A loss whose pursuit costs something: one at a time, so that what is paid of the first is seen."""
        lost = [loan for loan in self.sight.lost if loan in self.sight.loans]
        return lost[self._pursuits % len(lost)] if lost and self._pursuits else None

    def _pursue(self, loan: str) -> None:
        """It is owed to a borrower, at times of that very loan, to nobody's account, or to the platform's."""
        self._pursuits -= 1
        self._numbers += 1
        payees = [f"acc_{who.removeprefix('usr_')}" for who in self.sight.loans.values()]
        payees += ["acc_nobody", "acc_fees"]
        terms = WriteOff(
            ground="court",
            cost_fen=_COSTS[self._pursuits % len(_COSTS)],
            cost_account=payees[self._pursuits * 3 % len(payees)],
        )
        proposal = ProposeMeasure(
            measure_id=f"msr_{self._numbers}",
            loan_id=loan,
            terms=terms,
            reason="unreachable",
            evidence=("vault:1",),
        )
        self._api.ask("repayment", proposal.measure_id, proposal, principal="stf_col")

    def _votes(self) -> list[str]:
        return [one for one in self.sight.asked if int(one.rpartition("_")[2]) % _LEFT_LYING]

    def _unsigned(self) -> list[str]:
        return [one for one in self.sight.waiting if int(one.rpartition("_")[2]) % _UNSIGNED]

    def _propose(self, today: date) -> None:
        self._left -= 1
        self._numbers += 1
        late = list(self.sight.late)
        loan = self._rng.choice(late if late and self._rng.random() < 0.6 else list(self.sight.loans))
        branch = self.sight.branches[loan]
        beside = self._rng.random() < 0.3
        is_late = loan in self.sight.late
        terms = self._beside(today) if beside else self._terms(branch, is_late=is_late)
        proposal = ProposeMeasure(
            measure_id=f"msr_{self._numbers}",
            loan_id=loan if self._rng.random() < 0.97 else "loan_none",
            terms=terms,
            reason=self._rng.choice(("income_lost", "illness", "unreachable")),
            evidence=("vault:1",) if self._rng.random() < 0.97 else (),
            branch=branch,
        )
        who = self._rng.choice(("stf_col", "stf_col", "stf_rk1", "usr_0"))
        if self._numbers % 11 == 0 and loan in self.sight.loans:  # a correction may have opened it again
            who = member_of_staff(self.sight.loans[loan])
            proposal = replace(proposal, himself=customer_behind(who))
        self._api.ask("repayment", proposal.measure_id, proposal, principal=who)

    def _forgive(self) -> None:
        """A fen, and another of the same loan: each is little, and they add up."""
        self._fens -= 1
        self._numbers += 1
        late = self.sight.late
        loan = next((one for one in self.sight.forgiven if one in late), next(iter(late)))
        proposal = ProposeMeasure(
            measure_id=f"msr_{self._numbers}",
            loan_id=loan,
            terms=Waiver(amount_fen=1),
            reason="illness",
            evidence=("vault:1",),
        )
        self._api.ask("repayment", proposal.measure_id, proposal, principal="stf_col")

    def _terms(self, branch: str, *, is_late: bool) -> MeasureTerms:
        """Mostly what helps: more time for who pays, a new schedule or less penalty for who is late."""
        consent = "vault:2" if self._numbers % _CONSENTS else None
        kinds: tuple[tuple[Callable[[], MeasureTerms], int], ...] = (
            (
                lambda: Extension(months=self._rng.choice((1, 1, 1, 2, 3)), guarantor_consent=consent),
                2 if is_late else 12,
            ),
            (
                lambda: Restructuring(months=self._rng.choice((1, 2, 3)), guarantor_consent=consent),
                8 if is_late else 1,
            ),
            (lambda: Waiver(amount_fen=self._rng.choice((1, 50, 600_00, 6_000_00))), 8 if is_late else 1),
            (lambda: WriteOff(ground=self._rng.choice(_GROUNDS)), 2),
            (lambda: Reclassification(to_class=self._rng.choice(_CLASSES)), 3),
            (lambda: NonAccrual(ends=self._rng.random() < 0.5), 2),
            (lambda: BranchMove(from_branch=branch, to_branch=self._rng.choice(_BRANCHES)), 3),
        )
        makers, weights = zip(*kinds, strict=True)
        terms: MeasureTerms = self._rng.choices(makers, weights)[0]()
        return terms

    def _beside(self, today: date) -> MeasureTerms:
        """Days that do not count, some of them past or too many; a flag, or its end, whether one stands or not."""
        first = today + timedelta(days=self._rng.choice((-1, 0, 1, 3)))
        days = self._rng.choice((1, 5, 20, 40, 100))
        cause: PauseCause = self._rng.choice(("illness", "disaster", "fraud_report", "system_fault"))
        flag: FlagKind = self._rng.choice(("death", "dispute", "dispute"))
        terms: tuple[MeasureTerms, ...] = (
            Pause(from_on=first, to_on=first + timedelta(days=days - 1), cause=cause),
            Pause(from_on=first, to_on=first + timedelta(days=days - 1), cause=cause),
            PauseEnd(),
            Flag(flag=flag),
            Unflag(flag=flag),
        )
        return self._rng.choice(terms)

    def _sign(self, measure: str) -> None:
        step = self.sight.waiting[measure]
        if self._rng.random() < 0.1:
            step = self._rng.choice(list(_POSTS))
        before = self.sight.people[measure]
        signer = self._rng.choice(before if self._rng.random() < 0.15 else _POSTS[step])
        refused = "not_proven" if self._rng.random() < 0.05 else None
        if self._rng.random() < 0.05:
            signer = member_of_staff(self._rng.choice(self.sight.parties[measure]))
        self._api.ask(
            "repayment",
            measure,
            SignMeasure(
                step=step,
                refused=refused,
                himself=customer_behind(signer),
                branch=self.sight.receiving[measure] if self._rng.random() < 0.9 else _BRANCHES[0],
            ),
            principal=signer,
        )

    def _vote(self, measure: str) -> None:
        who = self._rng.choice([*self.sight.asked[measure], *self.sight.asked[measure], "usr_stranger"])
        vote = VoteOnMandate(agrees=self._rng.random() < 0.9)
        self._api.ask("repayment", measure, vote, principal=who)
