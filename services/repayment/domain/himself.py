"""Nobody proposes or signs about himself: not who owes, not who answers for the loan, not who is owed (processes.md 1.A).

Who a member of staff is as a customer, the staff's register says and the command brings along (docs/decisions/0025). It knows nobody who
is merely related to him: what a relative borrows is marked where it is applied for (red line 3).
"""

from collections.abc import Collection

from libs.events.deciding import Context, Refused
from services.repayment.domain.ids import staff, user_of_guarantor
from services.repayment.domain.loan_state import Running, shared_by


def holders_of(state: Running) -> tuple[str, ...]:
    """Whoever is owed by a loan, each once, in the order of the claims; its guarantor as well where he has paid for something."""
    return tuple(dict.fromkeys(claim.investor for claim in shared_by(state) if claim.principal_fen))


def guarantor_of(state: Running) -> str:
    """A loan's guarantor, empty for none."""
    return state.guarantee.guarantor if state.guarantee else ""


def require_no_part(himself: str | None, *, borrower: str, guarantor: str, holders: Collection[str]) -> None:
    """Refused where the member of staff has a part in the loan: `forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder`."""
    if not himself:
        return
    if himself == borrower:
        raise Refused("forbidden_borrower")
    if guarantor and himself == user_of_guarantor(guarantor):
        raise Refused("forbidden_guarantor")
    if himself in holders:
        raise Refused("forbidden_holder")


def require_no_part_in(state: Running, himself: str | None) -> None:
    """The same of a loan as it stands today."""
    require_no_part(
        himself, borrower=state.borrower, guarantor=guarantor_of(state), holders=holders_of(state)
    )


def is_his(account_id: str, himself: str | None) -> bool:
    """Whether a custody account is the member of staff's own."""
    return himself is not None and account_id == f"acc_{himself.removeprefix('usr_')}"


def require_other_payee(account_id: str, himself: str | None) -> None:
    """Nobody proposes or signs what his own account is paid. Refused: `forbidden_payee`."""
    if is_his(account_id, himself):
        raise Refused("forbidden_payee")


def signer_without_part(himself: str | None, state: Running, context: Context) -> str:
    """The member of staff who acts. Refused: `forbidden_not_staff`, and where he has a part in the loan."""
    who = staff(context)
    require_no_part_in(state, himself)
    return who
