"""Contracts that are void after their money moved, by books of their own: principal back and no more, papers marked, nothing goes on.

They count from the log alone what was lent, paid and received, by whom, and so what each has to have in the end.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tools.simulator.guarantor_books import GuarantorBooks
from tools.simulator.himself import customer_behind
from tools.simulator.loan_books import require

_STEPS: Final = (
    "ReceiptConfirmed",
    "ClaimListIssued",
    "DealPackReviewed",
    "DealPackSentBack",
    "DealPackSealed",
    "DealPackDelivered",
    "DealPackOverdue",
)
#: What is said of no loan whose contract is void.
_OVER: Final = (
    "PenaltyCharged",
    "PenaltyWaived",
    "LoanRescheduled",
    "ClaimReserved",
    "ClaimTransferred",
    "CompensationProposed",
    "ClaimsSubrogated",
)


@dataclass(slots=True)
class _Lent:
    """One loan: what was lent and is paid (fen), the platform's fees, and of each account what its claims were for and what it got."""

    borrower: str
    account: str
    principal_fen: int
    paid_fen: int = 0
    fees_fen: int = 0
    basis: Counter[str] = field(default_factory=Counter)
    got: Counter[str] = field(default_factory=Counter)
    accounts: dict[str, str] = field(default_factory=dict)
    investors: set[str] = field(default_factory=set)
    for_sale: set[str] = field(default_factory=set)
    voided: str = ""
    guarantor: str = ""


@dataclass(slots=True)
class VoidBooks:
    """All loans, which of them are void, and whose papers are."""

    guarantors: GuarantorBooks
    loans: dict[str, _Lent] = field(default_factory=dict)
    measures: dict[str, Any] = field(default_factory=dict)
    parties: dict[str, set[str]] = field(default_factory=dict)
    """Of each voidance that its loan has examined: who owed it and who was owed by it then."""
    packs: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    void_packs: set[str] = field(default_factory=set)
    void_contracts: set[str] = field(default_factory=set)
    unfunded: set[str] = field(default_factory=set)
    """Loans of listings that ended because their contract is void."""
    blanks: defaultdict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    """Papers of the stock that are signed for a loan and not void."""

    def record(self, where: str, events: list[Any]) -> None:
        """Fold the events of one decision. Raises WrongBooks."""
        told = None
        for event in events:
            service, name, _ = event["type"].split(".")
            data = event["data"]
            self._goes_on(where, name, data)
            if name == "LoanVoided":
                told = data
            elif name == "LoanRestated" and told is not None:
                self._voided(where, told, data)
            elif service in ("repayment", "bidding") and name in _HANDLERS:
                _HANDLERS[name](self, where, data)
        if told is not None:
            one = self.loans[told["loan_id"]]
            require(bool(one.voided), f"{where}: {told['loan_id']} is void and stands where it stood")
            require(not one.for_sale, f"{where}: {one.for_sale} of a void contract is for sale")

    def at_rest(self) -> None:
        """Papers of a void contract say so, and nobody stands in for it."""
        for loan in self.unfunded:
            require(loan in self.void_contracts, f"the contract of {loan} is void and does not say so")
            require(not self.blanks[loan], f"{sorted(self.blanks[loan])} of the void {loan} are not void")
        for loan, one in self.loans.items():
            if not one.voided:
                continue
            require(loan in self.void_contracts, f"the contract of {loan} is void and does not say so")
            left = self.packs[loan] - self.void_packs
            require(not left, f"{sorted(left)} of a void contract are not void")
            papers = sorted(self.blanks[loan])
            require(not papers, f"{papers} of the void {loan} are not void")
            if one.guarantor in self.guarantors.register:
                counted = self.guarantors.register[one.guarantor].loans.get(loan, 0)
                require(not counted, f"{one.guarantor} stands in for the void {loan} with {counted}")

    # --- the loan -----------------------------------------------------------------------------------------------

    def _goes_on(self, where: str, name: str, data: Any) -> None:
        one = self.loans.get(str(data.get("loan_id", "")))
        if one is not None and one.voided:
            require(name not in _OVER, f"{where}: {name} of {data['loan_id']}, whose contract is void")
        if name in _STEPS:
            require(data["pack_id"] not in self.void_packs, f"{where}: {name} of a void {data['pack_id']}")

    def _voided(self, where: str, told: Any, restated: Any) -> None:
        """Of what was paid all is principal; what each has had and gets is what his claims were for, less what they are owed."""
        loan = told["loan_id"]
        one = self.loans[loan]
        require(not one.voided, f"{where}: {loan} is void again")
        terms, due_on = self.measures[told["measure_id"]]["terms"], told["due_on"]
        require(told["ground"] == terms["ground"], f"{where}: {loan} is void for another reason")
        early = due_on is not None and terms["repay_by"] is not None and due_on < terms["repay_by"]
        require(not early, f"{where}: {loan} is due before the agreed {terms['repay_by']}")
        right = max(0, one.principal_fen - one.paid_fen), max(0, one.paid_fen - one.principal_fen)
        said = restated["principal_after_fen"], told["returned_fen"]
        require(said == right, f"{where}: {loan} is void, owed and given back are {said}, not {right}")
        require(
            -restated["platform_fen"] == one.fees_fen == told["platform_fen"],
            f"{where}: of the fees of the void {loan} the platform keeps {one.fees_fen + restated['platform_fen']}",
        )
        left: Counter[str] = Counter()
        for claim in restated["standing"]["claims"]:
            left[one.accounts[claim["claim_id"]]] += claim["principal_fen"]
        moved = Counter({line["account_id"]: line["amount_fen"] for line in restated["lines"]})
        require(
            moved.pop(one.account, 0) == told["returned_fen"],
            f"{where}: the borrower of {loan} gets otherwise",
        )
        for account, basis in one.basis.items():
            has, meant = one.got[account] + moved[account], basis - left[account]
            require(has == meant, f"{where}: {account} ends with {has} of the void {loan}, not {meant}")
        knew = {f"acc_{who.removeprefix('usr_')}" for who in told["knew"]}
        require(
            tuple(told["knew"]) == tuple(terms["knew"]),
            f"{where}: others knew of the void {loan} than was signed",
        )
        others_fen = sum(fen for account, fen in left.items() if account not in knew)
        gets = [account for account in one.basis if account in knew and moved[account] > 0]
        require(
            not (gets and others_fen),
            f"{where}: {gets} knew, and get what {others_fen} is left to others of the void {loan}",
        )
        one.voided, one.guarantor = told["measure_id"], told["guarantor"]

    def _lent(self, _where: str, data: Any) -> None:
        one = _Lent(data["borrower"], data["borrower_account"], data["principal_fen"])
        self.loans[data["loan_id"]] = one
        for claim in data["claims"]:
            self._holds(one, claim)

    def _holds(self, one: _Lent, claim: Any) -> None:
        one.accounts[claim["claim_id"]] = claim["account_id"]
        one.basis[claim["account_id"]] += claim["principal_fen"]
        one.investors.add(claim["investor"])

    def _paid(self, _where: str, data: Any) -> None:
        self.loans[data["loan_id"]].paid_fen += data["amount_fen"]

    def _shared(self, where: str, data: Any) -> None:
        one = self.loans[data["loan_id"]]
        extra = data["interest_fen"] + data["penalty_fen"] + data["fee_fen"]
        require(not (one.voided and extra), f"{where}: {extra} beside principal is paid on a void contract")
        one.fees_fen += data["fee_fen"]
        for line in data["lines"]:
            parts = line["principal_fen"] + line["interest_fen"] + line["penalty_fen"]
            one.got[line["account_id"]] += parts - line["fee_fen"]

    def _corrected(self, where: str, data: Any) -> None:
        one = self.loans[data["loan_id"]]
        require(not one.voided, f"{where}: {data['loan_id']} is corrected, and its contract is void")
        one.fees_fen += data["platform_fen"]
        for line in data["lines"]:
            others_fen = line["returned_fen"] + line["cost_fen"]
            one.paid_fen -= others_fen
            one.got[line["account_id"]] += line["amount_fen"] - others_fen

    def _sold(self, _where: str, data: Any) -> None:
        one = self.loans[data["loan_id"]]
        one.basis[data["seller_account"]] -= data["claim"]["principal_fen"]
        self._holds(one, data["claim"])
        one.for_sale.discard(data["offer_id"])

    def _reserved(self, _where: str, data: Any) -> None:
        self.loans[data["loan_id"]].for_sale.add(data["offer_id"])

    def _released(self, _where: str, data: Any) -> None:
        self.loans[data["loan_id"]].for_sale.discard(data["offer_id"])

    # --- people and papers --------------------------------------------------------------------------------------

    def _proposed(self, _where: str, data: Any) -> None:
        if data["terms"]["kind"] == "voidance":
            self.measures[data["measure_id"]] = data

    def _examined(self, _where: str, data: Any) -> None:
        """Who is a party on that day signs nothing of it; who buys a claim later may have signed before (decision 25)."""
        if data["measure_id"] in self.measures:
            loan = self.loans[data["loan_id"]]
            owed = {account for account, basis in loan.basis.items() if basis - loan.got[account] > 0}
            lenders = {f"usr_{account.removeprefix('acc_')}" for account in owed}
            self.parties[data["measure_id"]] = {loan.borrower, *lenders}

    def _signed(self, where: str, data: Any) -> None:
        """Nobody who owes it or is owed by it."""
        is_party = customer_behind(data["signer"]) in self.parties.get(data["measure_id"], ())
        require(not is_party, f"{where}: {data['signer']} voids a contract that he is a party of")

    def _contract_void(self, where: str, data: Any) -> None:
        loan = data["loan_id"]
        require(self._is_void(loan), f"{where}: the papers of {loan} are void, the loan is not")
        require(loan not in self.void_contracts, f"{where}: the contract of {loan} is void again")
        self.void_contracts.add(loan)

    def _pack_opened(self, _where: str, data: Any) -> None:
        self.packs[data["loan_id"]].add(data["pack_id"])

    def _pack_void(self, where: str, data: Any) -> None:
        loan = data["loan_id"]
        require(bool(self.loans[loan].voided), f"{where}: the papers of {loan} are void, the loan is not")
        self.void_packs.add(data["pack_id"])

    def _cancelled(self, _where: str, data: Any) -> None:
        if data["code"] in ("fraud", "duress", "illegal_purpose"):
            self.unfunded.add(data["loan_id"])

    def _is_void(self, loan: str) -> bool:
        one = self.loans.get(loan)
        return loan in self.unfunded or (one is not None and bool(one.voided))

    def _blank_signed(self, _where: str, data: Any) -> None:
        self.blanks[data["loan_id"]].add((data["stock_id"], data["number"]))

    def _blank_void(self, where: str, data: Any) -> None:
        loan, paper = data["loan_id"], (data["stock_id"], data["number"])
        require(self._is_void(loan), f"{where}: {paper} of {loan} is void, the loan is not")
        require(paper in self.blanks[loan], f"{where}: {paper} is void again, or was never signed for {loan}")
        self.blanks[loan].discard(paper)


_HANDLERS: dict[str, Callable[[VoidBooks, str, Any], None]] = {
    "LoanOpened": VoidBooks._lent,
    "PaymentReceived": VoidBooks._paid,
    "RepaymentDistributed": VoidBooks._shared,
    "LoanRestated": VoidBooks._corrected,
    "ClaimTransferred": VoidBooks._sold,
    "ClaimReserved": VoidBooks._reserved,
    "ReservationReleased": VoidBooks._released,
    "MeasureProposed": VoidBooks._proposed,
    "MeasureExamined": VoidBooks._examined,
    "MeasureSigned": VoidBooks._signed,
    "ContractVoided": VoidBooks._contract_void,
    "DealPackOpened": VoidBooks._pack_opened,
    "DealPackVoided": VoidBooks._pack_void,
    "ListingCancelled": VoidBooks._cancelled,
    "BlankSigned": VoidBooks._blank_signed,
    "SignedBlankVoided": VoidBooks._blank_void,
}
