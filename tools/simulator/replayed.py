"""The anchor of all corrections: what came to a loan, decided again, gives the loan, at the end of every run and for every loan."""

from datetime import date, timedelta

from libs.events.codec import EVENT_TYPES, decode_object
from libs.events.money import money_context
from services.repayment.domain.loan_state import LoanState, NotOpened, evolve
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tools.simulator.checks import Violation
from tools.simulator.correction_books import CorrectionBooks


def check_journals(books: CorrectionBooks, last_closed: date | None) -> None:
    """Every loan but those that a measure has changed, whose contract is void, or a guarantor paid for, or of which a debit was answered after its day. Raises Violation."""
    if last_closed is None:
        return
    profile = profile_named("demo")
    with money_context():
        for loan_id, said in books.said.items():
            state: LoanState = NotOpened()
            for kind, data in said:
                state = evolve(state, decode_object(EVENT_TYPES[kind], data))
            if isinstance(state, NotOpened) or loan_id in books.late:
                continue
            last = state if state.kind == "running" else state.last
            # What a guarantor paid, or is asked to, is no input of a replay: such a loan is not put right.
            asked = last.guarantee and (last.guarantee.under_way or last.guarantee.subrogated)
            gives = (
                last.trouble.done or asked or is_replayable(profile, state, last_closed + timedelta(days=1))
            )
            if not gives:
                raise Violation(f"{loan_id}: what came to the loan, decided again, does not give it")
