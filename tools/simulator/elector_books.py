"""Whose word a loan's lenders have, and of how much: by the principal that each is owed, or was owed last where all of it is repaid and only
interest or penalty is left.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.loan_books import LoanBook


@dataclass(slots=True)
class Electors:
    """Of each loan: who holds which claim, and what of its last principal went to each."""

    of: dict[str, dict[str, str]] = field(default_factory=dict)
    last: dict[str, dict[str, int]] = field(default_factory=dict)

    def lent(self, data: Any) -> None:
        """The first holders."""
        self.of[data["loan_id"]] = {claim["claim_id"]: claim["investor"] for claim in data["claims"]}

    def sold(self, data: Any) -> None:
        """A claim is another's."""
        self.of[data["loan_id"]][data["claim"]["claim_id"]] = data["claim"]["investor"]

    def paid(self, loan: LoanBook, data: Any) -> None:
        """A distribution, or a thing that is shared: its lines say by instalments what its shares say by claims."""
        lines = data.get("shares") or data["lines"]
        shares = {each["claim_id"]: each["principal_fen"] for each in lines}
        if any(shares.values()) and not any(loan.claims.values()):
            self.last[loan.loan_id] = shares

    def restated(self, data: Any) -> None:
        """A correction says itself what each was owed last."""
        standing = data["standing"]
        names = [claim["claim_id"] for claim in standing["claims"]]
        self.last[data["loan_id"]] = dict(zip(names, standing["weights"], strict=False))

    def owed(self, loan: LoanBook) -> dict[str, int]:
        """Each lender once, with all that he is owed."""
        claims = loan.claims if any(loan.claims.values()) else self.last.get(loan.loan_id, {})
        owed: defaultdict[str, int] = defaultdict(int)
        for claim, fen in claims.items():
            owed[self.of[loan.loan_id][claim]] += fen
        return {who: fen for who, fen in owed.items() if fen}
