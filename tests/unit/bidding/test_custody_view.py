"""Custody's books: they only add, and their trial balance is zero at every position."""

from dataclasses import replace

from msgspec import structs

from libs.events.records import RecordedEvent
from libs.events.views import Add
from services.bidding.projections.custody import VIEW as CUSTODY
from tests.unit.bidding.views_story import (
    EVERYTHING,
)
from tests.unit.documents import documents


def test_custody_balances_and_only_adds() -> None:
    """All classes sum to zero, the bank's legs are kept apart, and clearing is shown per loan."""
    shown = documents(CUSTODY, EVERYTHING)
    books = shown.pop("books")
    assert shown == {
        "bank:custody": {"balance_fen": -580_00, "gained_fen": 50_00, "given_fen": 630_00},
        "marketing": {"balance_fen": 50_00, "gained_fen": 100_00, "given_fen": 50_00},
        "unrequested": {"balance_fen": 30_00, "gained_fen": 30_00, "given_fen": 0},
        "available": {"balance_fen": 280_72, "gained_fen": 3_414_78, "given_fen": 3_134_06},
        "held": {"balance_fen": 0, "gained_fen": 1_800_16, "given_fen": 1_800_16},
        "fees": {"balance_fen": 10_30, "gained_fen": 20_30, "given_fen": 10_00},
        "clearing": {"balance_fen": 208_98, "gained_fen": 2_091_74, "given_fen": 1_882_76},
        "clearing:asset:ast_1": {"balance_fen": 0, "gained_fen": 300_00, "given_fen": 300_00},
        "clearing:voucher:vch_1": {"balance_fen": 0, "gained_fen": 50_00, "given_fen": 50_00},
        "clearing:loan:loan_1": {"balance_fen": -233_00, "gained_fen": 833_90, "given_fen": 1_066_90},
        "clearing:correction:cor_1": {"balance_fen": 440_00, "gained_fen": 510_00, "given_fen": 70_00},
        # the fee, which the fee account has not booked yet
        "clearing:offer:offer_1": {"balance_fen": 1_98, "gained_fen": 397_84, "given_fen": 395_86},
    }
    classes = [name for name in shown if not name.startswith("clearing:")]
    for name in classes:
        assert {field: books[f"classes.{name}.{field}"] for field in shown[name]} == shown[name]
    assert len(books) == 3 * len(classes) + 1
    money = [event for event in EVERYTHING if type(event.data) in CUSTODY.reads]
    assert all(isinstance(op, Add) for event in money for op in CUSTODY.project(event))


def test_the_trial_balance_is_zero_at_every_position() -> None:
    """After each event, whatever the order of the streams; and it shows the position of an event that does not balance."""
    money = [event for event in EVERYTHING if type(event.data) in CUSTODY.reads]
    assert len({type(event.data) for event in money}) == len(CUSTODY.reads), (
        "a movement is missing in this story"
    )
    assert set(totals(money)) == set(totals(money[::-1])) == {0}
    for position, event in enumerate(money):
        *kept, _ = event.data.postings
        broken = structs.replace(event, data=replace(event.data, postings=tuple(kept)))
        story = totals([*money[:position], broken, *money[position + 1 :]])
        assert [total != 0 for total in story] == [at >= position for at in range(len(money))]


def totals(money: list[RecordedEvent]) -> list[int]:
    """The total of the books after each event; the classes must sum to it."""
    found = []
    for length in range(1, len(money) + 1):
        books = documents(CUSTODY, money[:length])["books"]
        found.append(books["total_fen"])
        assert sum(value for name, value in books.items() if name.endswith(".balance_fen")) == found[-1]
    return found
