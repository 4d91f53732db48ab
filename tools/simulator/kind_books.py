"""What the accountant of loans makes of a debt that was settled in kind: paid as by money, and no money moved."""

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from tools.simulator.loan_books import require

if TYPE_CHECKING:
    from tools.simulator.books import Books

_PARTS: Final = ("principal_fen", "interest_fen", "penalty_fen")


def settled_in_kind(books: "Books", where: str, data: Any) -> None:
    """The lines are paid in the loan's order; its holders give up the same, each his share by principal."""
    loan = books.loans[data["loan_id"]]
    require(loan.outstanding_fen == data["principal_before_fen"], f"{where}: outstanding before is wrong")
    before = dict(loan.claims)
    loan.pay(where, data["lines"], date.fromisoformat(data["settled_on"]))
    require(loan.outstanding_fen == data["principal_after_fen"], f"{where}: outstanding after is wrong")
    for share in data["shares"]:
        loan.claims[share["claim_id"]] -= share["principal_fen"]
        require(loan.claims[share["claim_id"]] >= 0, f"{where}: {share['claim_id']} gives up too much")
        whole = sum(share[part] for part in _PARTS)
        require(whole == share["amount_fen"], f"{where}: the share of {share['claim_id']} is not its parts")
    for part in _PARTS:
        paid = sum(line[part] for line in data["lines"])
        shared = sum(share[part] for share in data["shares"])
        require(paid == shared, f"{where}: of {data['asset_id']} {part} {paid} is shared as {shared}")
        _by_principal(where, data, before, part)
    claims = sum(loan.claims.values())
    require(claims == loan.outstanding_fen, f"{where}: claims {claims}, owed {loan.outstanding_fen}")


def _by_principal(where: str, data: Any, before: dict[str, int], part: str) -> None:
    owed, paid = sum(before.values()), sum(line[part] for line in data["lines"])
    if not owed:
        return
    said = {share["claim_id"]: share[part] for share in data["shares"]}
    for claim, fen in before.items():
        right = Fraction(paid * fen, owed)
        near = abs(said.get(claim, 0) - right) < 1
        require(
            near, f"{where}: {claim} has {said.get(claim, 0)} of {part} in {data['asset_id']}, not {right}"
        )
