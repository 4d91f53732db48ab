"""Standing orders: their owners set them up, change, pause and end them."""

from dataclasses import replace
from typing import Any

import pytest

from services.bidding.domain.profile import DEMO
from services.bidding.domain.standing import aggregate as queue_aggregate
from tests.unit.bidding.specs import ANN, Spec, on
from tests.unit.bidding.standing_story import (
    CHANGE,
    CHANGED,
    END,
    ENDED,
    LEAVE,
    LEFT,
    OPENED,
    PAUSE,
    PAUSED,
    RESUME,
    RESUMED,
    open_order,
    opened,
    terms,
)

QUEUE = queue_aggregate(DEMO)
CEM = "usr_cem"


def spec(says: str, history: tuple[Any, ...], when: Any, then: tuple[Any, ...] | str, who: str = ANN) -> Spec:
    """A rule of the queue, for whoever acts."""
    return Spec(says, history, when, then, on(principal=who))


SPECS = [
    spec("an order stands at the end of the queue", (), open_order(), (OPENED,)),
    spec("behind those that were there", (opened("cem"),), open_order(), (opened("ann", 2),)),
    spec("it is set up once", (OPENED,), open_order(), ()),
    spec("its owner has one", (OPENED,), open_order("eve"), "order_exists"),
    spec("on its own terms", (OPENED,), open_order(keep_back_fen=0), "order_exists"),
    spec("an id is one order's", (OPENED,), open_order(), "order_exists", CEM),
    spec("only for a user", (), open_order(), "invalid_owner", "stf_ole"),
    spec("an order has an order's id", (), replace(open_order(), order_id="x"), "unknown_order"),
    spec("who has not read the text", (), replace(open_order(), text_hash="0" * 64), "text_differs"),
    spec("an order takes a grade", (), open_order(grades=()), "invalid_grades"),
    spec("each once, in order", (), open_order(grades=("B", "A")), "invalid_grades"),
    spec("a grade is a short word", (), open_order(grades=("A;B",)), "invalid_grades"),
    spec("a term has a month", (), open_order(tenor_months_max=0), "invalid_tenor"),
    spec("and a cap takes a bid", (), open_order(loan_max_fen=99_99), "loan_max_too_small"),
    spec("the terms change, the place does not", (OPENED,), CHANGE, (CHANGED,)),
    spec("once", (OPENED, CHANGED), CHANGE, ()),
    spec("nobody changes another's", (OPENED,), CHANGE, "unknown_order", CEM),
    spec("to what an order may be", (OPENED,), replace(CHANGE, terms=terms(grades=())), "invalid_grades"),
    spec("a term is none", (OPENED,), replace(CHANGE, terms=terms(tenor_months_max=1_201)), "invalid_tenor"),
    spec("nor a fen", (OPENED,), replace(CHANGE, terms=terms(loan_max_fen=1)), "loan_max_too_small"),
    spec("an order is paused", (OPENED,), PAUSE, (PAUSED,)),
    spec("once", (OPENED, PAUSED), PAUSE, ()),
    spec("by its owner", (OPENED,), PAUSE, "unknown_order", CEM),
    spec("it takes part again", (OPENED, PAUSED), RESUME, (RESUMED,)),
    spec("if it did not", (OPENED,), RESUME, ()),
    spec("if there is one", (), RESUME, "unknown_order"),
    spec("an order ends", (OPENED,), END, (ENDED,)),
    spec("by its owner", (OPENED,), END, "unknown_order", CEM),
    spec("once", (OPENED, ENDED), END, ()),
    spec(
        "who may have another",
        (OPENED, ENDED),
        open_order("new"),
        (replace(opened("ann", 2), order_id="sto_new"),),
    ),
    spec("who leaves has no order", (OPENED,), LEAVE, (LEFT,), ""),
    spec("if he had one", (opened("cem"),), LEAVE, (), ""),
]


@pytest.mark.parametrize("each", SPECS, ids=lambda each: each.says)
def test_the_queue(each: Spec) -> None:
    """Every rule of an order and of its service holds."""
    each.check(QUEUE)
