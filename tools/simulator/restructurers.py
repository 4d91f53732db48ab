"""People who have a late loan restructured at once, and then bring the money and end it early: of its arrears nothing may cost twice, or nothing.

They act only where a plan asks for them (`Plan.restructures`) and by draws of their own, so that nobody else's traffic changes.
"""

from random import Random
from typing import Any, Final

from libs.events.measures import Restructuring
from services.bidding import commands as bidding
from services.repayment.commands.measures import ProposeMeasure, SignMeasure, VoteOnMandate
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api
from tools.simulator.sight import Sight

#: Measures of theirs begin so: nobody else signs them.
MINE: Final = "msr_anew"
_POSTS: Final = {"risk": "stf_rk1", "general_manager": "stf_gm1"}


class Restructurers:
    """All of them: loans that are late, and those that were restructured, until their borrower has brought what ends them."""

    def __init__(self, chance: Random, api: Api, sight: Sight, *, may: bool) -> None:
        self._chance, self._api, self._sight, self._may = chance, api, sight, may
        self._late: dict[str, None] = {}
        self._anew: dict[str, None] = {}
        self._number = 0

    def new_day(self) -> None:
        """Something is done for each loan that is late, or was."""
        for loan in list(self._late) if self._may else ():
            if self._chance.random() < 0.9:
                self._propose(loan)
        for loan in list(self._anew):
            if self._chance.random() < 0.25:
                self._end(loan)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event, and do what it asks for."""
        name = kind.split(".")[1]
        if name == "PaymentMissed":
            self._late[data["loan_id"]] = None
        elif name == "LoanRepaid":
            self._late.pop(data["loan_id"], None)
            self._anew.pop(data["loan_id"], None)
        elif str(data.get("measure_id", "")).startswith(MINE):
            self._measure(name, data["measure_id"], data)

    def _measure(self, name: str, measure: str, data: Any) -> None:
        if name == "MeasureAdmitted":
            self._sign(measure, data["steps"][0])
        elif name == "MeasureSigned" and data["next_step"]:
            self._sign(measure, data["next_step"])
        elif name == "MandateAsked":
            for voter in data["voters"]:
                self._api.ask("repayment", measure, VoteOnMandate(agrees=True), principal=voter["investor"])
        elif name == "LoanRescheduled":
            self._late.pop(data["loan_id"], None)
            self._anew[data["loan_id"]] = None

    def _propose(self, loan: str) -> None:
        self._number += 1
        proposal = ProposeMeasure(
            measure_id=f"{MINE}{self._number}",
            loan_id=loan,
            terms=Restructuring(months=self._chance.choice((1, 1, 2)), guarantor_consent="vault:2"),
            reason="income_lost",
            evidence=("vault:1",),
        )
        self._api.ask("repayment", proposal.measure_id, proposal, principal="stf_col")

    def _sign(self, measure: str, step: Any) -> None:
        signer = _POSTS[step]
        command = SignMeasure(step=step, himself=customer_behind(signer))
        self._api.ask("repayment", measure, command, principal=signer)

    def _end(self, loan_id: str) -> None:
        """Who has the money pays it, who has not brings it first."""
        loan = self._sight.loans.get(loan_id)
        if loan is None or not loan.outstanding_fen:
            return
        self._number += 1
        amount_fen = 2 * loan.outstanding_fen
        if self._sight.available_fen.get(loan.account, 0) >= amount_fen:
            command: Any = bidding.PayLoan(
                payment_id=f"pay_anew_{self._number}", loan_id=loan_id, amount_fen=amount_fen, settle=True
            )
        else:
            command = bidding.RequestTopUp(top_up_id=f"top_anew_{self._number}", amount_fen=amount_fen)
        self._api.ask("bidding", loan.account, command, principal=loan.borrower)
