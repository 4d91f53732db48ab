"""The anchor of all corrections: what came to a loan, decided again, gives the loan, at the end of every run and for every loan."""

from datetime import UTC, date, datetime, timedelta

from libs.events.codec import EVENT_TYPES, decode_object
from libs.events.deciding import Context
from libs.events.money import money_context
from services.repayment.domain.loan_state import LoanState, NotOpened, evolve
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tools.simulator.checks import Violation
from tools.simulator.correction_books import CorrectionBooks


def check_journals(books: CorrectionBooks, profile_name: str, last_closed: date | None) -> None:
    """Every loan, by the rules of the profile that decided it, whatever measures changed of it and however late its days were, but those
    of a contract that is void. Raises Violation."""
    if last_closed is None:
        return
    profile, today = profile_named(profile_name), last_closed + timedelta(days=1)
    context = Context(at=datetime.min.replace(tzinfo=UTC), business_date=today, principal="")
    with money_context():
        for loan_id, said in books.said.items():
            state: LoanState = NotOpened()
            for kind, data in said:
                state = evolve(state, decode_object(EVENT_TYPES[kind], data))
            if isinstance(state, NotOpened):
                continue
            last = state if state.kind == "running" else state.last
            is_void = last.trouble.voided_on is not None
            if not (is_void or is_replayable(profile, state, context)):
                raise Violation(f"{loan_id}: what came to the loan, decided again, does not give it")
