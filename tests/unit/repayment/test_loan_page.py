"""A loan's page: where each instalment stands, what moved its amounts, and that each amount is the sum of events."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.money import money_context
from libs.events.repayment import BusinessDayClosed, CalendarOpened, LoanRepaid, PaymentMissed
from services.repayment.api.explaining import explained, settlement_explained
from services.repayment.api.page_shapes import HistoryLineOut, LoanPageOut
from services.repayment.api.shapes import LoanOut, SettlementOut
from services.repayment.app import build
from services.repayment.domain.loan_account import COMPONENTS
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling import settlement
from services.repayment.projections.calendar import VIEW as CALENDAR
from services.repayment.projections.claims import VIEW as CLAIMS_HELD
from services.repayment.projections.loan_history import VIEW as HISTORY
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history, nested
from tests.unit.given import given as given_loan
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FUNDED_ON,
    INSTALLMENT,
    LOAN,
    OPENED,
    SECOND_DUE,
    days,
    distributed,
    on,
    pays,
)
from tests.unit.repayment.test_recovery_cost import OPEN as COST_OPEN
from tests.unit.repayment.test_recovery_cost import PAID_ON as COST_PAID_ON
from tests.unit.repayment.test_trading import TRANSFERRED
from tests.unit.repayment.views_story import SETTLEMENT, STORY
from tests.unit.runtime.edge_world import World, running

LATE = days(SECOND_DUE, 1)
THIRD_MISSED = PaymentMissed(
    loan_id="loan_7", borrower="usr_bo", number=3, due_on=date(2024, 4, 30), open_fen=34_002, dpd=31
)


def told(*events: Any) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """The loan's document, its history's lines in their order, and the history's sums."""
    log = history("loan_7", *events)
    lines = documents(HISTORY, log)
    sums = lines.pop("loan_7")
    page = nested("loan_7", documents(LOANS, log)["loan_7"])
    return page, [nested(name, line) for name, line in sorted(lines.items())], sums


def shown(loan: dict[str, Any], today: date) -> LoanPageOut:
    """The loan's page of a day, with what ends it then."""
    return LoanPageOut.shown(loan, today, SettlementOut.of(LoanOut.of(loan), today, quote(loan, today)))


def quote(loan: dict[str, Any], today: date) -> Any:
    """The lines of what ends the loan on a day."""
    if loan["state"] != "running":
        return ()
    with money_context():
        return settlement(LoanOut.of(loan).book(), today, profile_named("demo").on(FUNDED_ON))


def amounts(page: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, int | None, str | None, int]]:
    """Every amount of a page: its place, of which row or payment it is, and how much it is."""
    for name, value in page.items():
        at = f"{place}{name}"
        if name in ("rows", "payments"):
            for each in value:
                row, payment = (each["number"], None) if name == "rows" else (None, each["id"])
                yield from ((*found[:1], row, payment, found[3]) for found in amounts(each, f"{at}."))
        elif isinstance(value, Mapping):
            yield from amounts(value, f"{at}.")
        elif name.endswith("_fen") and value is not None:
            yield at, None, None, value


def require_explained(loan: dict[str, Any], lines: list[dict[str, Any]], today: date, log: set[str]) -> int:
    """Each amount of the page is what its shares and computed parts come to, and each share's event is in the log."""
    count = 0
    for place, row, payment, amount_fen in amounts(shown(loan, today).model_dump()):
        if place.startswith("settlement."):
            component = place.removeprefix("settlement.").removesuffix("_fen")
            found = settlement_explained(loan, lines, place, component, quote(loan, today), today)
        else:
            found = explained(loan, lines, place, row, payment)
        parts = [share.amount_fen for share in found.shares] + [part.amount_fen for part in found.computed]
        assert sum(parts) == found.value_fen == amount_fen, (place, row, payment)
        assert list(accumulate(share.amount_fen for share in found.shares)) == [
            share.after_fen for share in found.shares
        ]
        assert {share.event for share in found.shares} <= log
        assert found.formula
        assert found.rule
        count += 1
    return count


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_every_amount_of_the_page_is_the_sum_of_its_events(seed: int) -> None:
    """At any moment of a random life, of any manner of repayment: every amount shown, of every row and payment, of totals and of
    what would end the loan, is the sum of the shares of events that are there; the history's sums say the same as the page."""
    chance = Random(seed)
    decided: list[tuple[int, date]] = []
    life = live(
        chance,
        random_terms(chance),
        lambda _, outcome, today: decided.append((len(outcome.events), today)),
        trades=True,
    )
    ends = list(accumulate(count for count, _ in decided))
    for place in chance.sample(range(len(ends)), min(3, len(ends))):
        events, today = life.events[: ends[place]], decided[place][1]
        loan, lines, sums = told(*events)
        log = {event.address for event in history("loan_7", *events)}
        assert require_explained(loan, lines, today, log) > 20
        page = shown(loan, today)
        assert sums["outstanding_fen"] == page.outstanding_fen
        assert sum(payment.amount_fen for payment in page.payments) == page.totals.paid_fen


def test_the_page_says_where_each_instalment_stands() -> None:
    """One paid, one missed and partly paid, one to come; on its due date it is due; after an early end the last is settled."""
    loan, *_ = told(*STORY)
    page = shown(loan, LATE)
    assert [row.status for row in page.rows] == ["paid", "overdue", "future"]
    assert (page.dpd, page.dpd_on) == (1, LATE)
    assert page.next_due is not None
    assert page.next_due.model_dump() == {
        "number": 2,
        "due_on": SECOND_DUE,
        "open_fen": 33_002,
        "principal_fen": 33_002,
        "interest_fen": 0,
        "fee_fen": 0,
        "penalty_fen": 0,
    }
    assert page.settlement is not None
    assert page.settlement.amount_fen == 66_668 + 11
    assert [row.status for row in shown(told(OPENED)[0], FIRST_DUE).rows] == ["due", "future", "future"]
    ended = shown(told(*STORY, *SETTLEMENT)[0], LATE)
    assert [row.status for row in ended.rows] == ["paid", "paid", "settled"]
    assert (ended.totals.open_fen, ended.totals.paid_fen, ended.next_due) == (
        0,
        34_002 + 1_000 + 66_679,
        None,
    )


def test_principal_that_is_not_due_stays_normal() -> None:
    """Of 666.68 the missed instalment's 330.02 is overdue and the last one's 336.66 is not (processes.md 1.P). Before anything is missed
    all is normal, once all is missed all is overdue, and of a loan that has ended there is none of either."""
    split = {
        "before": (told(OPENED)[0], FIRST_DUE, (0, 100_000, False)),
        "one missed": (told(*STORY)[0], LATE, (33_002, 33_666, True)),
        "all missed": (told(*STORY, THIRD_MISSED)[0], LATE, (66_668, 0, False)),
        "ended": (told(*STORY, *SETTLEMENT)[0], LATE, (0, 0, False)),
    }
    for when, (loan, today, expected) in split.items():
        page = shown(loan, today)
        said = (page.overdue_principal_fen, page.normal_principal_fen, page.partly_overdue)
        assert said == expected, when
    _, lines, _ = told(*STORY)
    found = explained(loan, lines, "overdue_principal_fen", None, None)
    assert [(share.kind, share.amount_fen) for share in found.shares] == [
        ("PaymentMissed", 33_332),
        ("PaymentReceived", -330),
    ]


def test_an_amount_is_followed_to_its_events() -> None:
    """The second instalment: contracted at the opening, half paid; what is open of it is the two together."""
    loan, lines, _ = told(*STORY)
    found = explained(loan, lines, "rows.open_fen", 2, None)
    assert [(share.kind, share.amount_fen, share.after_fen) for share in found.shares] == [
        ("LoanOpened", INSTALLMENT, INSTALLMENT),
        ("PaymentReceived", -1_000, 33_002),
    ]
    quoted = settlement_explained(loan, lines, "settlement.amount_fen", "amount", quote(loan, LATE), LATE)
    assert [(part.what, part.amount_fen) for part in quoted.computed] == [("interest_for_days_used", 11)]


@pytest.mark.parametrize(
    ("fen", "line"),
    [
        (2_999, {"amount_fen": 2_999, "cost_fen": 2_999, "principal_fen": 0, "penalty_fen": 0}),
        (8_000, {"amount_fen": 8_000, "cost_fen": 3_000, "interest_fen": 1_000, "principal_fen": 4_000}),
    ],
)
def test_what_goes_to_the_cost_is_paid_too(fen: int, line: dict[str, int]) -> None:
    """A payment is shown as the debtor made it, with what of it the cost is; lines, totals and explanations add up to it."""
    outcome = given_loan(LOAN, *COST_OPEN).when(pays(COST_PAID_ON, fen), on(COST_PAID_ON))
    events = (*COST_OPEN, *outcome.events)
    loan, lines, _ = told(*events)
    page = shown(loan, COST_PAID_ON)
    [payment] = page.payments
    fields = payment.model_dump()
    assert {name: fields[name] for name in line} == line
    assert sum(fields[f"{each}_fen"] for each in (*COMPONENTS, "cost")) == fen
    assert (page.totals.paid_fen, page.totals.paid_cost_fen) == (fen, line["cost_fen"])
    require_explained(loan, lines, COST_PAID_ON, {event.address for event in history("loan_7", *events)})
    told_lines = [each for _, each in HistoryLineOut.all_of(lines, names_payment=True)]
    paid = [each for each in told_lines if each.payment_id == "pay_1"]
    assert sum(each.paid_cost_fen for each in paid) == line["cost_fen"]
    assert sum(each.paid_principal_fen for each in paid) == line["principal_fen"]
    assert [each.left.cost_fen for each in told_lines if each.kind.startswith("RecoveryCost")] == [
        3_000,
        3_000 - line["cost_fen"],
    ]


def test_the_calendar_says_which_date_is_open() -> None:
    """Its first date, then the one after each that was closed."""
    opened = CalendarOpened(business_date=FUNDED_ON)
    closed = BusinessDayClosed(business_date=FUNDED_ON, next_date=days(FUNDED_ON, 1))
    for events, day in (((opened,), "2024-01-31"), ((opened, closed), "2024-02-01")):
        found = documents(CALENDAR, history("calendar", *events))["calendar"]
        assert found["business_date"] == day


# --- over HTTP -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Repayment with the story's loan, on the day on which it is called late; usr_2 has sold a part of his claim."""
    async with running(build("demo"), tmp_path) as running_world:
        log = history("loan_7", *STORY)
        for view in (LOANS, HISTORY, CLAIMS_HELD):
            running_world.views.documents[view.name] = {
                name: nested(name, document) for name, document in documents(view, log).items()
            }
        days_open = documents(CALENDAR, history("calendar", CalendarOpened(business_date=LATE)))
        running_world.views.documents[CALENDAR.name] = {
            name: nested(name, document) for name, document in days_open.items()
        }
        yield running_world


async def get(world: World, path: str, who: str, scope: str, **query: Any) -> Any:
    """The JSON of a GET with its status."""
    answer = await world.http.get(f"/repayment{path}", params=query, headers=world.token(who, scope))
    return answer.status_code, answer.json()


async def test_a_history_is_read_page_by_page_with_what_each_event_left(world: World) -> None:
    """Opened, paid, missed, moved, paid in part: each with its components, what is open after it, and its place in the log."""
    lines: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        status, page = await get(world, "/loans/loan_7/history", "usr_bo", "loan:own", **query)
        assert status == 200, page
        lines += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    left = [(line["kind"], line["left"]["outstanding_fen"], line["left"]["overdue_fen"]) for line in lines]
    assert left == [
        ("LoanOpened", 100_000, 0),
        ("PaymentReceived", 66_998, 0),
        ("PaymentMissed", 66_998, 0),
        ("OverdueBucketChanged", 66_998, INSTALLMENT),
        ("PaymentReceived", 66_668, 33_002),
    ]
    assert lines[1] == {
        "event": "repayment/0/3/0",
        "kind": "PaymentReceived",
        "on": "2024-02-29",
        "business_date": lines[1]["business_date"],
        "payment_id": "dbt_7_20240229",
        "paid_principal_fen": 33_002,
        "paid_interest_fen": 1_000,
        "paid_fee_fen": 0,
        "paid_penalty_fen": 0,
        "paid_cost_fen": 0,
        "charged_penalty_fen": 0,
        "left": {"outstanding_fen": 66_998, "overdue_fen": 0, "penalty_fen": 0, "cost_fen": 0},
    }


async def test_a_holder_sees_the_loan_and_nobody_in_it(world: World) -> None:
    """Schedule, history and explanation by his claim, without who borrows and by which payments; another's claim is not there."""
    status, page = await get(world, "/claims/clm_7_2/loan", "usr_2", "claim:own")
    assert (status, [row["status"] for row in page["rows"]]) == (200, ["paid", "overdue", "future"])
    assert not {"borrower", "payments", "settlement", "region"} & page.keys()
    status, lines = await get(world, "/claims/clm_7_2/loan/history", "usr_2", "claim:own")
    assert (status, {line["payment_id"] for line in lines["items"]}) == (200, {None})
    at = "/claims/clm_7_2/loan/explanation"
    status, found = await get(world, at, "usr_2", "claim:own", figure="outstanding_fen")
    assert (status, found["value_fen"]) == (200, 66_668)
    for path in ("/claims/clm_7_2/loan", "/claims/clm_7_2/loan/history"):
        assert (await get(world, path, "usr_3", "claim:own"))[0] == 404


async def test_a_holder_asks_for_what_his_page_shows(world: World) -> None:
    """Each amount of it is explained, and of the loan's own page no other."""
    at = "/claims/clm_7_2/loan/explanation"
    _, page = await get(world, "/claims/clm_7_2/loan", "usr_2", "claim:own")
    _, own = await get(world, "/loans/loan_7", "usr_bo", "loan:own")
    held = {place for place, *_ in amounts(page)}
    for place, row, _payment, amount_fen in amounts(own):
        asked = {"figure": place} | ({} if row is None else {"number": row})
        status, found = await get(world, at, "usr_2", "claim:own", **asked)
        expected = (200, amount_fen) if place in held else (404, None)
        assert (status, found.get("value_fen")) == expected, place
    assert {place for place, *_ in amounts(own)} - held >= {"cost_fen", "recovered_fen", "waived_fen"}


@pytest.mark.parametrize("is_repaid", [False, True])
@pytest.mark.parametrize(("left_fen", "status"), [(20_000, 200), (0, 404)])
async def test_who_sold_a_part_of_his_claim_holds_the_rest(
    world: World, left_fen: int, status: int, *, is_repaid: bool
) -> None:
    """His loan's page stays his, also when the rest is repaid; of a claim that was sold whole there is none."""
    bought = replace(TRANSFERRED.claim, principal_fen=50_000 - left_fen)
    sale = replace(TRANSFERRED, left_fen=left_fen, claim=bought)
    parts = ((1, left_fen, 0, 0), (2, 30_000, 0, 0), (3, 20_000, 0, 0), (4, bought.principal_fen, 0, 0))
    repaid = (distributed("pay_2", LATE, *(part for part in parts if part[1])), SETTLEMENT[-1])
    log = history("loan_7", OPENED, sale, *(repaid if is_repaid else ()))
    for view in (LOANS, HISTORY, CLAIMS_HELD):
        world.views.documents[view.name] = {
            name: nested(name, document) for name, document in documents(view, log).items()
        }
    for path in ("loan", "loan/history", "loan/explanation?figure=outstanding_fen"):
        answer = await world.http.get(
            f"/repayment/claims/clm_7_1/{path}", headers=world.token("usr_1", "claim:own")
        )
        assert answer.status_code == status, path


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"figure": "luck_fen"}, "unknown_figure"),
        ({"figure": "settlement.luck_fen"}, "unknown_figure"),
        ({"figure": "settlement.id"}, "unknown_figure"),
        ({"figure": "rows.open_fen"}, "unknown_row"),
        ({"figure": "rows.open_fen", "number": 4}, "unknown_row"),
        ({"figure": "payments.amount_fen", "payment": "pay_x"}, "unknown_payment"),
    ],
)
async def test_what_the_page_does_not_show_is_not_explained(
    world: World, query: dict[str, Any], code: str
) -> None:
    """An amount, a row or a payment that is not there is refused by its name."""
    status, answer = await get(world, "/loans/loan_7/explanation", "usr_bo", "loan:own", **query)
    assert (status, answer["type"]) == (404, f"urn:loanstream:problem:{code}")


async def test_a_loan_that_is_repaid_has_nothing_that_ends_it(world: World) -> None:
    """Its page shows no settlement, and none is explained."""
    log = history("loan_7", *STORY, *SETTLEMENT)
    assert isinstance(log[-1].data, LoanRepaid)
    world.views.documents[LOANS.name] = {"loan_7": nested("loan_7", documents(LOANS, log)["loan_7"])}
    status, page = await get(world, "/loans/loan_7", "usr_bo", "loan:own")
    assert (status, page["settlement"], page["next_due"]) == (200, None, None)
    asked = {"figure": "settlement.amount_fen"}
    assert (await get(world, "/loans/loan_7/explanation", "usr_bo", "loan:own", **asked))[0] == 404
