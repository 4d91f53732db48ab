"""What a correction did, by books of its own: nobody gets a fen that was not collected, and the loan is what came to it, no more.

It keeps what each loan said, for `replayed`, which holds the loan's journal against it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.loan_books import require

_PLATFORM: Final = "acc_fees"
_CLAIM: Final = ("principal_fen", "interest_fen", "penalty_fen", "fee_fen")


@dataclass(slots=True)
class CorrectionBooks:
    """Lines of corrections that are open, what each claim and each loan's payers have had, and the loans themselves."""

    books: Books
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    """What each account still gets (or gives, below zero) by a correction."""
    got: defaultdict[str, defaultdict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    paid: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    people: dict[str, set[str]] = field(default_factory=dict)
    allowed: dict[str, str] = field(default_factory=dict)
    """The first day on which anything counts otherwise by a correction that all have signed."""
    said: defaultdict[str, list[tuple[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """What each loan said, by its name and fields."""

    def record(self, where: str, event: Any) -> None:
        """Fold one event, after the loan's own book has. Raises WrongBooks."""
        kind, data = event["type"], event["data"]
        if (
            event["stream"] is not None
            and str(event["stream"]).startswith("loan_")
            and kind.startswith("repayment.")
        ):
            self._keep(event["stream"], kind, data)
        match kind:
            case "repayment.CorrectionProposed.v1":
                self.people[data["correction"]["correction_id"]] = {data["proposed_by"]}
            case "repayment.CorrectionSigned.v1" if data["correction_id"] in self.allowed:
                del self.allowed[data["correction_id"]]
                again = data["signed_by"] in self.people[data["correction_id"]]
                require(again, f"{where}: {data['signed_by']} has not allowed {data['correction_id']}")
            case "repayment.CorrectionSigned.v1":
                self._signed(where, data["correction_id"], data["signed_by"])
            case "repayment.CorrectionAuthorised.v1":
                self._authorised(where, data)
            case "repayment.RepaymentDistributed.v1":
                for line in data["lines"]:
                    self._gets(line, 1)
                self.got[_PLATFORM]["fee_fen"] += data["fee_fen"]
            case "repayment.PaymentReceived.v1":
                self.paid[data["loan_id"]] += data["amount_fen"]
            case "repayment.DebtSettledInKind.v1":
                self.paid[data["loan_id"]] += data["settled_fen"]
            case "repayment.LoanRestated.v1":
                self._restated(where, data)
            case "bidding.AdjustmentDebited.v1" | "bidding.AdjustmentCredited.v1" | "bidding.FeeAdjusted.v1":
                self._moved(where, kind, data)
            case _:
                pass

    def at_rest(self) -> None:
        """Money that is owed stands on accounts that have nothing; what was collected is paid on."""
        for (correction, account), left in self.lines.items():
            available = self.books.balances[f"available:{account}"]
            has = self.books.balances["fees:platform"] if account == _PLATFORM else available
            require(left >= 0 or has == 0, f"{account} owes {-left} for {correction} and has {has}")
        by_correction: defaultdict[str, int] = defaultdict(int)
        for (correction, _), left in self.lines.items():
            by_correction[correction] += left
        for correction, left in by_correction.items():
            require(left == 0, f"{correction} has collected {left} and not paid it on")

    def _signed(self, where: str, correction_id: str, who: str) -> None:
        require(who not in self.people[correction_id], f"{where}: {who} signs {correction_id} twice")
        self.people[correction_id].add(who)

    def _authorised(self, where: str, data: Any) -> None:
        asked = data["correction"]
        self._signed(where, asked["correction_id"], data["authorised_by"])
        self.allowed[asked["correction_id"]] = first = min(asked["value_date"], asked["to_date"] or "9999")
        on = data["authorised_on"]
        booking = "same_day" if first >= on else "same_year" if first[:4] == on[:4] else "prior_year"
        require(data["booking"] == booking, f"{where}: what counts from {first} is {data['booking']} on {on}")
        people = self.people[asked["correction_id"]]
        needs = 3 if booking == "prior_year" else 2
        require(len(people) == needs, f"{where}: {len(people)} people correct across {booking}")

    def _keep(self, loan_id: str, kind: str, data: Any) -> None:
        self.said[loan_id].append((kind, data))

    def _gets(self, line: Any, sign: int) -> None:
        for part in _CLAIM:
            self.got[line["claim_id"]][part] += sign * line[part]

    def _restated(self, where: str, data: Any) -> None:
        correction = data["correction_id"]
        first = self.allowed.get(correction, data["restated_on"])
        is_in_time = data["booking"] == "prior_year" or first[:4] == data["restated_on"][:4]
        require(is_in_time, f"{where}: {correction} is {data['booking']}, and {first[:4]} is over")
        for line in (*data["lines"], {"account_id": _PLATFORM, "amount_fen": data["platform_fen"]}):
            self.lines[correction, line["account_id"]] = line["amount_fen"]
        total = sum(line["amount_fen"] for line in data["lines"]) + data["platform_fen"]
        require(total == 0, f"{where}: {correction} makes {total} out of nothing")
        for change in data["claims"]:
            self._gets(change, 1)
        self.got[_PLATFORM]["fee_fen"] += data["platform_fen"]
        # What a recovery's cost gets less of a payment is the debt's.
        self.paid[data["loan_id"]] -= sum(line["returned_fen"] + line["cost_fen"] for line in data["lines"])
        loan = self.books.loans[data["loan_id"]]
        claims = sum(loan.claims.values())
        owed = data["principal_after_fen"]
        require(
            claims == owed == loan.outstanding_fen,
            f"{where}: claims {claims}, owed {owed}, {loan.outstanding_fen}",
        )
        kept = sum(row[part] for row in data["rows"] for part in (*_CLAIM[:2], "fee_fen", "paid_penalty_fen"))
        require(
            kept == self.paid[loan.loan_id],
            f"{where}: {loan.loan_id} has kept {kept} of {self.paid[loan.loan_id]}",
        )
        for change in data["claims"]:
            parts = self.got[change["claim_id"]]
            require(min(parts.values()) >= 0, f"{where}: {change['claim_id']} has got {dict(parts)}")

    def _moved(self, where: str, kind: str, data: Any) -> None:
        at = (data["correction_id"], data["account_id"])
        amount = -data["amount_fen"] if kind == "bidding.AdjustmentDebited.v1" else data["amount_fen"]
        left = self.lines.get(at, 0)
        right = amount == 0 or ((left > 0) == (amount > 0) and abs(amount) <= abs(left))
        require(right, f"{where}: {at} moves {amount}, {left} is to move")
        self.lines[at] = left - amount
