"""Companies that stand in for loans, who admits them, and the people of finance who ask them to pay: mostly three, now and then one twice.

Which loan has a guarantor, and when he may be asked, follows from its number: the same for every seed, so that no draw of theirs is
used up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.schedules.terms import PLAIN, RepaymentTerms
from services.bidding.commands import RequestTopUp
from services.repayment import commands as repayment
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api

#: Every so many loans that are listed by hand, or applied for, one has no guarantor.
_BY_HAND, _APPLIED = 3, 4
#: How often it is tried on one loan, and what all guarantors together may be for.
_TRIES: Final = 5
_LIMIT_FEN: Final = 200_000_00
#: Of stf_fin1, who is a customer, much is refused (himself.py).
_FINANCE: Final = ("stf_acc1", "stf_acc2", "stf_fin1", "stf_cash1")
#: Of so many compensations one is left lying, until its days are over.
_LEFT_LYING: Final = 4


def guarantor_by_hand(number: int, borrower: str, people: Sequence[str]) -> str:
    """The guarantor of a loan that an operator lists, empty for none."""
    return _of(number, borrower, people) if number % _BY_HAND else ""


def guarantor_applied(number: int, applicant: str, people: Sequence[str]) -> str:
    """The guarantor of an application, empty for none."""
    return "" if number % _APPLIED else _of(number, applicant, people)


def _of(number: int, borrower: str, people: Sequence[str]) -> str:
    others = [one for one in people if one != borrower]
    return f"gua_{others[number % len(others)].removeprefix('usr_')}" if others else ""


def terms_of(number: int, terms: RepaymentTerms | None, guarantor: str) -> RepaymentTerms | None:
    """How a loan by hand is repaid, and how soon its guarantor may be asked for how much of it."""
    if not guarantor:
        return terms
    whole = number % 4 == 0
    return replace(
        terms or PLAIN,
        compensated_after=1 + number % 2,
        compensates="outstanding" if whole else "overdue",
    )


@dataclass(slots=True)
class GuarantorSight:
    """What finance knows: loans with a guarantor, those that are late, what is under way, and who signed it."""

    guarantors: dict[str, str] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    under_way: dict[str, tuple[str, str]] = field(default_factory=dict)
    available_fen: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if "available_after_fen" in data:
            self.available_fen[data["account_id"]] = data["available_after_fen"]
        if name == "LoanOpened" and data["guarantor"]:
            self.guarantors[data["loan_id"]] = data["guarantor"]
        elif name == "PaymentMissed" and data["loan_id"] in self.guarantors:
            self.late[data["loan_id"]] = _TRIES
        elif name == "LoanRepaid":
            self.late.pop(data["loan_id"], None)
        elif name in ("CompensationProposed", "CompensationApproved", "CompensationExecuted"):
            self.under_way[data["loan_id"]] = name, data["compensation_id"]
        elif name in ("CompensationDeclined", "ClaimsSubrogated"):
            self.under_way.pop(data["loan_id"], None)
        elif name == "GuarantorAdmitted":
            self.limits[data["guarantor"]] = data["limit_fen"]


class Guarantors:
    """All of them."""

    def __init__(self, rng: Random, api: Api, people: list[str], *, onboarding: bool) -> None:
        self.sight = GuarantorSight()
        self._rng = Random(str(rng.getstate()[1][:8]))  # takes no draw of the others
        self._api = api
        self._numbers = 0
        self._to_admit = [f"gua_{one.removeprefix('usr_')}" for one in people] if onboarding else []
        self._again = 4 if onboarding else 0

    @property
    def has_work(self) -> bool:
        """Whether a guarantor may be asked to pay, or is to be admitted."""
        return bool(self._to_admit or self._open())

    def act(self, today: date) -> None:
        """One step of an admission, or of a compensation."""
        if self._to_admit:
            guarantor = self._to_admit.pop()
            self._admit(guarantor, today)
            if not self._to_admit:
                self._propose(guarantor, today, _LIMIT_FEN, "doc_3")  # left lying, until its days are over
        elif loans := self._open():
            self._compensate(self._rng.choice(loans))
        if self._again and self.sight.limits and self._rng.random() < 0.1:
            self._again -= 1
            self._review(self._rng.choice(list(self.sight.limits)), today)

    def _open(self) -> list[str]:
        return [loan for loan, tries in self.sight.late.items() if tries > 0]

    def _ask(self, stream: str, command: Any, principal: str) -> None:
        self._api.ask("repayment", stream, command, principal=principal)

    # --- the register -------------------------------------------------------------------------------------------

    def _admit(self, guarantor: str, today: date, limit_fen: int = _LIMIT_FEN) -> None:
        """Now and then the same person tries both."""
        proposal = self._propose(guarantor, today, limit_fen, "doc_1")
        self._ask(guarantor, replace(proposal, file="doc_2"), "stf_risk")
        if self._rng.random() < 0.1:
            self._ask(guarantor, repayment.RefuseGuarantor(guarantor=guarantor, code="typo"), "stf_risk")
            self._ask(guarantor, proposal, "stf_risk")
        if self._rng.random() < 0.3:
            self._ask(guarantor, repayment.AdmitGuarantor(guarantor=guarantor), "stf_risk")
        less = repayment.AdmitGuarantor(guarantor=guarantor, limit_fen=limit_fen // 2)
        agreed = less if self._rng.random() < 0.2 else repayment.AdmitGuarantor(guarantor=guarantor)
        self._ask(guarantor, agreed, "stf_boss")

    def _propose(self, guarantor: str, today: date, limit_fen: int, file: str) -> repayment.ProposeGuarantor:
        proposal = repayment.ProposeGuarantor(
            guarantor=guarantor,
            limit_fen=limit_fen,
            valid_to=today + timedelta(days=300),
            file=file,
            net_assets_fen=limit_fen,
        )
        self._ask(guarantor, proposal, "stf_risk")
        return proposal

    def _review(self, guarantor: str, today: date) -> None:
        """Some are suspended, some get another limit."""
        if self._rng.random() < 0.5:
            suspended = repayment.SuspendGuarantor(guarantor=guarantor, code="net_worth_too_small")
            self._ask(guarantor, suspended, "stf_risk")
        else:
            self._admit(guarantor, today, self._rng.choice((1_000_00, _LIMIT_FEN)))

    # --- compensations ------------------------------------------------------------------------------------------

    def _compensate(self, loan: str) -> None:
        stage, under_way = self.sight.under_way.get(loan, ("", ""))
        right = {"": "stf_acc1", "CompensationProposed": "stf_fin2", "CompensationApproved": "stf_cash1"}
        if stage == "CompensationExecuted" or (
            stage and int(under_way.removeprefix("cmp_")) % _LEFT_LYING == 0
        ):
            return
        who = right[stage] if self._rng.random() < 0.85 else self._rng.choice(_FINANCE)
        himself = customer_behind(who)
        if stage == "":
            self.sight.late[loan] -= 1
            self._numbers += 1
            name = f"cmp_{self._numbers}"
            self._ask(
                loan, repayment.ProposeCompensation(loan_id=loan, compensation_id=name, himself=himself), who
            )
            self._fill(self.sight.guarantors[loan])
        elif self._rng.random() < 0.05:
            refused = repayment.RefuseCompensation(
                loan_id=loan, compensation_id=under_way, code="not_now", himself=himself
            )
            self._ask(loan, refused, who)
        elif stage == "CompensationProposed":
            approve = repayment.ApproveCompensation(loan_id=loan, compensation_id=under_way, himself=himself)
            self._ask(loan, approve, who)
        else:
            execute = repayment.ExecuteCompensation(loan_id=loan, compensation_id=under_way, himself=himself)
            self._ask(loan, execute, who)

    def _fill(self, guarantor: str) -> None:
        """Mostly a guarantor sees to it that he can pay."""
        suffix = guarantor.removeprefix("gua_")
        account = f"acc_{suffix}"
        if self.sight.available_fen.get(account, 0) < _LIMIT_FEN // 20 and self._rng.random() < 0.7:
            top_up = RequestTopUp(top_up_id=f"top_g{self._numbers}", amount_fen=_LIMIT_FEN // 10)
            self._api.ask("bidding", account, top_up, principal=f"usr_{suffix}")
