"""Clerks, supervisors and the finance head who put wrong bookings right: payments that are reversed or count as of another date.

They draw from a chance of their own, so that what they do not do changes nobody else.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from libs.events.corrections import CorrectionRole
from services.repayment.commands import corrections
from tools.simulator.himself import customer_behind, member_of_staff
from tools.simulator.people import Api

_CLERK: Final = "stf_clerk"
#: Of so many corrections one is allowed, or refused, by the borrower, who is of the staff.
_HIS_OWN: Final = 7
_ROLES: Final[dict[str, CorrectionRole]] = {"stf_super": "supervisor", "stf_head": "finance_head"}


@dataclass(slots=True)
class CorrectionSight:
    """What they know: payments as they count, those that kept a promise, corrections that wait for signatures."""

    payments: dict[str, tuple[str, date]] = field(default_factory=dict)
    keepers: list[str] = field(default_factory=list)
    recorded: str = ""
    """The payment that a case counted last."""
    waits: dict[str, int] = field(default_factory=dict)
    borrowers: dict[str, str] = field(default_factory=dict)
    """Whose loan each is, and then whose each correction is."""

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        match kind:
            case "repayment.LoanOpened.v1":
                self.borrowers[data["loan_id"]] = data["borrower"]
            case "repayment.PaymentReceived.v1" | "repayment.RecoveryCostPaid.v1":
                counts_on = date.fromisoformat(data["value_date"])
                self.payments[data["payment_id"]] = (data["loan_id"], counts_on)
            case "repayment.PaymentRedated.v1":
                counts_on = date.fromisoformat(data["to_date"])
                self.payments[data["payment_id"]] = (data["loan_id"], counts_on)
            case "collections.CasePaymentRecorded.v1":
                self.recorded = data["payment_id"]
            case "collections.PromiseKept.v1":
                self.keepers.append(self.recorded)
            case "repayment.CorrectionProposed.v1":
                correction = data["correction"]
                self.waits[correction["correction_id"]] = 0
                self.borrowers[correction["correction_id"]] = self.borrowers[correction["loan_id"]]
            case "repayment.CorrectionSigned.v1":
                self.waits.setdefault(data["correction_id"], 0)
            case "repayment.CorrectionAuthorised.v1":
                self.waits.pop(data["correction"]["correction_id"], None)
            case "repayment.CorrectionRefused.v1":
                self.waits.pop(data["correction_id"], None)
            case _:
                pass


class Correctors:
    """All of them."""

    def __init__(self, chance: Random, api: Api) -> None:
        self.sight = CorrectionSight()
        self._chance, self._api = chance, api
        self._number = 0

    def new_day(self, today: date) -> None:
        """Sign what waits, sometimes the wrong person does; find a payment that is wrong now and then."""
        for correction_id in list(self.sight.waits):
            self._sign(correction_id)
        if self.sight.payments and self._chance.random() < 0.25:
            self._propose(today)

    def _sign(self, correction_id: str) -> None:
        self.sight.waits[correction_id] += 1
        if self._chance.random() < 0.1:
            signer = self._borrower(correction_id) or "stf_super"
            refuse = corrections.RefuseCorrection(code="not_proved", himself=customer_behind(signer))
            self._api.ask("repayment", correction_id, refuse, principal=signer)
            return
        for who, role in _ROLES.items():
            signer = _CLERK if self._chance.random() < 0.1 else who
            signer = self._borrower(correction_id) or signer
            allow = corrections.AuthoriseCorrection(role=role, himself=customer_behind(signer))
            self._api.ask("repayment", correction_id, allow, principal=signer)

    def _borrower(self, correction_id: str) -> str | None:
        """Of so many corrections one is the borrower's who is of the staff."""
        is_his = int(correction_id.rpartition("_")[2]) % _HIS_OWN == 0
        return member_of_staff(self.sight.borrowers[correction_id]) if is_his else None

    def _propose(self, today: date) -> None:
        self._number += 1
        keepers = [known for known in self.sight.keepers if known in self.sight.payments]
        payment_id = self._chance.choice(list(self.sight.payments))
        if keepers and self._chance.random() < 0.5:
            payment_id = keepers[-1]
            self.sight.keepers.remove(payment_id)
        loan_id, counts_on = self.sight.payments[payment_id]
        redated = self._chance.random() < 0.35
        to_date = today - timedelta(days=self._chance.randint(0, 40)) if redated else None
        correction_id = f"cor_{self._number}"
        wrong = corrections.ProposeCorrection(
            correction_id=correction_id,
            loan_id=loan_id,
            payment_id=payment_id,
            kind="redate" if redated else "reverse",
            reason="wrong_loan",
            value_date=counts_on,
            to_date=to_date,
            himself=customer_behind(_CLERK),
        )
        self._api.ask("repayment", correction_id, wrong, principal=_CLERK)
