"""One row per rule: given this history, this command comes to these events, this refusal, or nothing.

Tables keep the rules of a command side by side, and a test can count that none lacks its three cases.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from libs.events.bidding import AccountOpened, FundsDeposited, Posting, TopUpRequested
from libs.events.deciding import Aggregate, Context
from tests.unit.given import TODAY, context, given

ANN, ANNS = "usr_ann", "acc_ann"
AVAILABLE, HELD, BANK, CLEARING = "available:acc_ann", "held:acc_ann", "bank:custody", "clearing:loan:loan_1"

_Event = TypeVar("_Event")


@dataclass(frozen=True)
class Spec:
    """One rule in a sentence. `then` is the events expected, in order, or the code of a refusal; () is no effect."""

    says: str
    given: tuple[Any, ...]
    when: Any
    then: tuple[Any, ...] | str
    context: Context = field(default_factory=lambda: context(principal=ANN))

    @property
    def case(self) -> str:
        """Which of the three cases of a command this is."""
        if isinstance(self.then, str):
            return "refuses"
        return "does" if self.then else "has no effect"

    def check(self, aggregate: Aggregate) -> None:
        """Run it."""
        outcome = given(aggregate, *self.given).when(self.when, self.context)
        if isinstance(self.then, str):
            outcome.then_refused(self.then)
        else:
            outcome.then(*self.then)


def on(business_date: date = TODAY, principal: str = "") -> Context:
    """The context of a command that no owner sent, on a date."""
    return context(business_date, principal)


def moved(kind: Callable[..., _Event], legs: dict[str, int], after: tuple[int, int], **fields: Any) -> _Event:
    """A money event of Ann's account: its legs in order, the available and held money after it, and its own fields."""
    return kind(
        account_id=ANNS,
        owner=ANN,
        postings=tuple(Posting(account=account, amount_fen=amount) for account, amount in legs.items()),
        available_after_fen=after[0],
        held_after_fen=after[1],
        **fields,
    )


OPENED = AccountOpened(account_id=ANNS, owner=ANN)


def asked(top_up_id: str = "top_1", amount_fen: int = 500_00) -> TopUpRequested:
    """Ann asked to pay in."""
    return TopUpRequested(account_id=ANNS, owner=ANN, top_up_id=top_up_id, amount_fen=amount_fen)


def deposited(
    amount_fen: int = 500_00, after_fen: int = 500_00, top_up_id: str = "top_1", reference: str = "B1"
) -> FundsDeposited:
    """The bank paid in; `after_fen` is available then."""
    legs = {BANK: -amount_fen, AVAILABLE: amount_fen}
    return moved(
        FundsDeposited,
        legs,
        (after_fen, 0),
        top_up_id=top_up_id,
        bank_reference=reference,
        amount_fen=amount_fen,
    )
