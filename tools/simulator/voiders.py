"""Legal, finance and the general manager, who find that a loan's contract is void after its money moved: mostly in order, now and then not.

They act on a day's beginning and on what they see, by draws of their own, so that nobody else's traffic changes.
"""

from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.voidance import Voidance
from libs.events.voiding import VoidingCode
from services.repayment.commands.measures import ProposeMeasure, SignMeasure
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api

#: Measures of theirs begin so: nobody else signs them.
MINE: Final = "msr_void"
_POSTS: Final[dict[str, tuple[str, ...]]] = {
    "legal": ("stf_lg3", "stf_lg2"),
    "finance_supervisor": ("stf_fs3", "stf_fs1"),
    "general_manager": ("stf_gm1", "stf_gm2"),
}
_GROUNDS: Final[tuple[VoidingCode, ...]] = ("fraud", "duress", "illegal_purpose")
#: So many contracts of one run.
_ASKS: Final = 6


class Voiders:
    """All of them."""

    def __init__(self, rng: Random, api: Api) -> None:
        self._rng = rng
        self._knowing = Random(str(rng.getstate()[1][:8]))  # takes no draw of the others
        self._api = api
        self._loans: list[str] = []
        self._lenders: dict[str, list[str]] = {}
        self._asked = 0

    def new_day(self, today: date) -> None:
        """Now and then a contract is found to be void, of a loan that is owed or repaid."""
        if not self._loans or self._asked >= _ASKS or self._rng.random() > 0.12:
            return
        self._asked += 1
        by = today + timedelta(days=self._rng.choice((-1, 1, 9, 30))) if self._rng.random() < 0.4 else None
        loan = self._rng.choice(self._loans)
        proposal = ProposeMeasure(
            measure_id=f"{MINE}_{self._asked}",
            loan_id=loan,
            terms=self._terms(by, loan),
            reason="forged_papers",
            evidence=("vault:9",),
        )
        self._api.ask("repayment", proposal.measure_id, proposal, principal="stf_lg1")

    def _terms(self, by: date | None, loan: str) -> Voidance:
        """Of an illegal purpose some lenders knew, mostly; somebody says so of another ground, or of who lent nothing, now and then."""
        ground = self._rng.choice(_GROUNDS)
        knows = self._knowing.random() < (0.7 if ground == "illegal_purpose" else 0.1)
        lenders = self._lenders[loan] if self._knowing.random() < 0.95 else ["usr_nobody"]
        knew = tuple(each for each in lenders if self._knowing.random() < 0.5) if knows else ()
        return Voidance(ground=ground, repay_by=by, knew=knew)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event, and sign what waits."""
        name = kind.split(".")[1]
        if name == "LoanOpened":
            self._loans.append(data["loan_id"])
            self._lenders[data["loan_id"]] = list(dict.fromkeys(each["investor"] for each in data["claims"]))
        elif str(data.get("measure_id", "")).startswith(MINE):
            if name == "MeasureAdmitted":
                self._sign(data["measure_id"], data["steps"][0])
            elif name == "MeasureSigned" and data["next_step"]:
                self._sign(data["measure_id"], data["next_step"])

    def _sign(self, measure: str, step: Any) -> None:
        """Whoever proposed it tries first, now and then; who has a part in the loan is told so, and another one signs."""
        if self._rng.random() < 0.2:
            self._ask(measure, step, "stf_lg1")
        if self._rng.random() < 0.05:
            self._ask(measure, step, _POSTS[step][1], refused="not_proven")
            return
        for who in _POSTS[step]:
            self._ask(measure, step, who)

    def _ask(self, measure: str, step: Any, who: str, refused: str | None = None) -> None:
        signature = SignMeasure(step=step, refused=refused, himself=customer_behind(who))
        self._api.ask("repayment", measure, signature, principal=who)
