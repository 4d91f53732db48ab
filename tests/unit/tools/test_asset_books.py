"""The auditor's books of assets: the real story agrees with them, and each bug that is planted in it is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.codec import encode, name_of, parse_json
from tests.unit.bidding import test_assets as money
from tests.unit.repayment import asset_story as a
from tests.unit.repayment.stories import OPENED, days
from tools.simulator.asset_books import AssetBooks
from tools.simulator.loan_books import WrongBooks

PAID = replace(money.DEBITED, account_id="acc_ann", amount_fen=30_001, loan_id="loan_7")
CREDITS = [
    replace(
        money.CREDITED,
        loan_id="loan_7",
        account_id=line.account_id,
        line_id=line.line_id,
        part=line.part,
        amount_fen=line.amount_fen,
        principal_fen=line.principal_fen,
    )
    for line in a.DISPOSED.lines
]
STORY: tuple[Any, ...] = (a.SETTLED, *a.SIGNED, PAID, a.DISPOSED, *CREDITS)


def _judged(events: Sequence[Any], closed: date = a.DAY) -> AssetBooks:
    books = AssetBooks()
    for event in (OPENED, *events):
        told = {"type": name_of(type(event)), "data": parse_json(encode(type(event), event))}
        books.record("here", told, None)
    books.at_rest(closed)
    return books


def _with(place: int, **changed: Any) -> list[Any]:
    events = list(STORY)
    events[place] = replace(events[place], **changed)
    return events


def test_the_real_story_is_right() -> None:
    """From a debt that was settled to the last fen of the price."""
    _judged(STORY)


def test_principal_in_an_asset_is_lent_until_it_is_sold() -> None:
    """The borrower owes it no more, and its holders have it back, or lost, only by the sale."""
    assert _judged(STORY[:2]).principal_fen == sum(share.principal_fen for share in a.SETTLED.shares) > 0
    assert _judged(STORY).principal_fen == 0


def test_a_sale_that_nobody_signs_ends_with_its_last_day() -> None:
    """What waits on is named; what has come to nothing by then is right."""
    with pytest.raises(WrongBooks, match="the sale of ast_1 waits beyond"):
        _judged(STORY[:3], a.SIGN_UNTIL)
    _judged((*STORY[:3], a.EXPIRED), a.SIGN_UNTIL)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (_with(0, settled_fen=1), "is agreed at"),
        (STORY[:1], "nobody keeps"),
        (_with(1, dispose_by=a.FLAT.acquired_on.replace(year=2027)), "may be kept until"),
        (_with(2, price_fen=29_999), "below its reserve"),
        (_with(2, manner="agreement", reserve_fen=None), "no auction failed"),
        (_with(3, signer="stf_kp"), "a second time"),
        (_with(3, signer="stf_as_usr_bo"), "stf_as_usr_bo has a part in ast_1 himself"),
        (_with(4, signer="stf_as_usr_2"), "stf_as_usr_2 has a part in ast_1 himself"),
        (_with(2, proposed_by="stf_as_usr_ann"), "stf_as_usr_ann has a part in ast_1 himself"),
        (_with(3, signer="stf_as_usr_auc"), "stf_as_usr_auc has a part in ast_1 himself"),
        (_with(2, cost_account="acc_2"), "costs is paid to a part of it: acc_2"),
        (_with(2, cost_account="acc_fees"), "costs is paid to a part of it: acc_fees"),
        (_with(2, cost_fen=6_001), "costs 6001 of 30001"),
        ((*STORY[:3], replace(a.NO, refused_by="stf_as_usr_3")), "has a part in"),
        (_with(2, sign_until=a.DAY), "is signed until"),
        (_with(4, signed_on=days(a.SIGN_UNTIL, 1)), "is signed after"),
        (_with(5, price_fen=1), "signed was"),
        (_with(6, amount_fen=30_000), "is paid by"),
        (_with(7, lines=a.DISPOSED.lines[1:]), "goes on"),
        (
            _with(
                7,
                lines=(
                    a.COST,
                    a.proceeds(1, 9_667, 16_501),
                    a.proceeds(2, 9_667, 9_901),
                    a.proceeds(3, 9_667, 6_600),
                ),
            ),
            "gets 9667",
        ),
        (_with(8, amount_fen=999), "is credited"),
        (STORY[:-1], "never credited"),
        (STORY[:6], "nothing came of it"),
    ],
)
def test_what_is_wrong_is_named(events: Sequence[Any], words: str) -> None:
    """Each bug by the words in which the simulation's auditor says it."""
    with pytest.raises(WrongBooks, match=words):
        _judged(events)
