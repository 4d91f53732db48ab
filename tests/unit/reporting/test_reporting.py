"""Reporting's views say what the events say, its routes show them to those who may see them, its figures exist."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.events.bidding import HoldCaptured, HoldReleased, LoanPaymentReturned, WithdrawalFailed
from libs.events.market import PurchaseReleased
from libs.events.onboarding import SuitabilityAssessed, UserRegistered, UserVerified
from libs.runtime.auth import SCOPES
from libs.runtime.projecting import Projection
from libs.runtime.service import load_services
from libs.runtime.system_views import all_views
from services.bidding.projections.custody import VIEW as CUSTODY
from services.reporting.app import build
from services.reporting.figures import FIGURES
from services.reporting.projections.funnel import STAGES
from services.reporting.projections.funnel import VIEW as FUNNEL
from services.reporting.projections.statement import CLASSES, MOVEMENTS
from services.reporting.projections.statement import VIEW as STATEMENT
from tests.unit.bidding import account_story as account
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding import voucher_story as vouchers
from tests.unit.bidding.specs import BANK, CLEARING, HELD, OPENED, asked, deposited, moved
from tests.unit.bidding.test_bank import BOOKED
from tests.unit.bidding.test_card import NOT_OWN
from tests.unit.documents import documents, history, nested, turn_about
from tests.unit.given import TODAY
from tests.unit.runtime.edge_world import World, running

ANN = history(
    "acc_ann",
    OPENED,
    asked(),
    deposited(),
    account.HELD_FUNDS,
    account.RELEASED,
    account.HELD_FUNDS,
    moved(HoldCaptured, {HELD: -300_00, CLEARING: 300_00}, (200_00, 0), loan_id="loan_1", **account.BID),
)
USER = history(
    "usr_ann",
    UserRegistered(user_id="usr_ann", kind="person", region="310000", referrer=None, owner=None),
    UserVerified(
        user_id="usr_ann",
        kind="person",
        region="310000",
        owner=None,
        provider="test",
        reference="R1",
        verified_on=TODAY,
    ),
    SuitabilityAssessed(
        user_id="usr_ann", level="C3", assessed_on=TODAY, valid_to=TODAY + timedelta(days=365)
    ),
)


def test_a_statement_proves_itself() -> None:
    """Each line's balance is the one before plus what the line moved, in the order of the names."""
    lines = [line for _, line in sorted(documents(STATEMENT, ANN).items())]
    assert [line["movement"] for line in lines] == [
        "FundsDeposited",
        "FundsHeld",
        "HoldReleased",
        "FundsHeld",
        "HoldCaptured",
    ]
    available = held = 0
    for line in lines:
        available += line["available_fen"]
        held += line["held_fen"]
        assert (line["available_after_fen"], line["held_after_fen"]) == (available, held)
        assert line["owner"] == "usr_ann"
        assert sum(line[f"posted.{of}_fen"] for of in CLASSES) == 0
        assert line["posted.held_fen"] == line["held_fen"]
    assert (available, held) == (200_00, 0)
    assert lines[-1]["loan_id"] == "loan_1"
    assert lines[0]["event"] == ANN[2].address


def test_a_user_counts_once_in_each_stage_of_the_funnel() -> None:
    """Whatever he does again, and in whatever order the streams come; a bid that was declined is none."""
    hers, his = listing.bid("a", 300_00), listing.bid("b", 800_00, "cem")
    lent_to = history("lst_1", listing.placed(1, hers, 300_00), listing.declined(his, "bid_too_large"))
    bid_on = history("lst_2", listing.placed(1, hers, 300_00), listing.placed(2, hers, 600_00))
    streams = (USER, ANN, lent_to, bid_on)
    expected = {
        "usr_ann": {
            "region": "310000",
            "kind": "person",
            "registered": 1,
            "verified": 1,
            "assessed": 1,
            "topped_up": 1,
            "bid": 3,
            "funded": 1,
            "src.usr_ann": USER[-1].address,
            "src.acc_ann": ANN[-1].address,
            "src.lst_1": lent_to[0].address,
            "src.lst_2": bid_on[1].address,
        }
    }
    assert documents(FUNNEL, [event for stream in streams for event in stream]) == expected
    assert documents(FUNNEL, turn_about(*streams)) == expected


def test_every_figure_stands_where_it_says() -> None:
    """Its view and its rows' view exist in some service; names are unique; there is one for each stage of the funnel."""
    services = load_services("demo")
    views = {Projection(view).name for service in services.values() for view in all_views(service)}
    assert {figure.view for figure in FIGURES} | {figure.rows_view for figure in FIGURES} <= views
    names = [figure.name for figure in FIGURES]
    assert len({*names}) == len(names)
    assert services["reporting"].figures == FIGURES
    assert [name for name in names if name.startswith("funnel_")] == [f"funnel_{stage}" for stage in STAGES]


# --- routes --------------------------------------------------------------------------------------------------------

ANALYST = ("analyst",)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Reporting with the documents of one small story."""
    async with running(build("demo"), tmp_path) as running_world:
        shown = running_world.views.documents
        shown["reporting.statement"] = {
            name: nested(name, line) for name, line in documents(STATEMENT, ANN).items()
        }
        shown["reporting.funnel"] = {
            "usr_ann": {"_id": "usr_ann", "registered": 1, "topped_up": 1, "bid": 2},
            "usr_bob": {"_id": "usr_bob", "registered": 1},
        }
        shown["bidding.balances"] = {name: {"_id": name} for name in ("acc_ann", "acc_bob")}
        balances = {BANK: -500_00, "available": 200_00, "clearing": 300_00, "clearing:loan:loan_1": 300_00}
        shown["bidding.custody"] = {
            name: {"_id": name, "balance_fen": balance, "gained_fen": max(balance, 0), "given_fen": 0}
            for name, balance in (balances | {"clearing:loan:loan_2": 0}).items()
        }
        books = nested("books", documents(CUSTODY, ANN)["books"])
        shown["bidding.custody"]["books"] = books
        yield running_world


async def get(world: World, path: str, *scopes: str, subject: str = "usr_ann") -> Any:
    """The JSON of a GET that must succeed."""
    answer = await world.http.get(f"/reporting{path}", headers=world.token(subject, *scopes))
    assert answer.status_code == 200, answer.text
    return answer.json()


PAID_IN_VAIN = history("acc_ann", OPENED, asked(), deposited(), account.PAID, account.ALL_GIVEN_BACK)


async def test_what_came_back_says_of_which_payment_and_why(world: World) -> None:
    """Who paid finds by the payment's id, which he was answered, that the loan did not take it, and the reason by name."""
    lines = documents(STATEMENT, PAID_IN_VAIN)
    world.views.documents["reporting.statement"] = {name: nested(name, line) for name, line in lines.items()}
    shown = (await get(world, "/statement?payment=pay_1&order=oldest", "account:own"))["items"]
    assert [(line["movement"], line["payment_id"], line["reason"]) for line in shown] == [
        ("LoanPaymentDebited", "pay_1", None),
        ("LoanPaymentReturned", "pay_1", "unknown_loan"),
    ]
    assert (await get(world, "/statement?payment=pay_1", "account:own", subject="usr_bob"))["items"] == []


def test_a_debit_is_found_by_the_name_under_which_its_loan_shows_it() -> None:
    """What a loan asks for is a payment of it, too: the debit's own name is the payment's."""
    debited = account.debited(300_00, 200_00)
    [line] = documents(STATEMENT, history("acc_ann", debited)).values()
    assert line["payment_id"] == line["debit_id"] == debited.debit_id


def test_whatever_moved_money_back_says_why() -> None:
    """A reason that an event has is on its line, whatever it is called there."""
    says = {kind for kind in MOVEMENTS if {"reason", "code"} & kind.__annotations__.keys()}
    assert says == {WithdrawalFailed, HoldReleased, LoanPaymentReturned, PurchaseReleased}
    [line] = documents(STATEMENT, history("acc_ann", NOT_OWN)).values()
    assert line["reason"] == NOT_OWN.code


async def test_a_statement_is_ones_own(world: World) -> None:
    """The owner comes from the token; an analyst names the account, which is there before its first movement."""
    own = await get(world, "/statement", "account:own")
    assert [line["movement"] for line in own["items"]][-2:] == ["FundsHeld", "FundsDeposited"]
    assert (await get(world, "/statement", "account:own", subject="usr_bob"))["items"] == []
    assert await get(world, "/accounts/acc_ann/statement", *ANALYST) == own
    assert await get(world, "/accounts/acc_bob/statement", *ANALYST) == {"items": [], "next": None}
    missing = await world.http.get(
        "/reporting/accounts/acc_cem/statement", headers=world.token("stf_a", *ANALYST)
    )
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:loanstream:problem:unknown_account")
    first = await get(world, "/statement?limit=2", "account:own")
    rest = await get(world, f"/statement?limit=9&cursor={first['next']}", "account:own")
    assert [*first["items"], *rest["items"]] == own["items"]


async def test_the_trial_balance_is_zero_and_clearing_shows_what_is_open(world: World) -> None:
    """A loan that is cleared is not listed."""
    books = await get(world, "/trial-balance", *ANALYST)
    assert books["total_fen"] == 0
    shown = [(account["account"], account["balance_fen"]) for account in books["accounts"]]
    assert shown == [(BANK, -500_00), ("available", 200_00), ("held", 0), ("clearing", 300_00)]
    clearing = await get(world, "/clearing", *ANALYST)
    assert [(each["account"], each["balance_fen"]) for each in clearing["items"]] == [
        ("clearing:loan:loan_1", 300_00)
    ]


async def test_the_funnel_counts_users(world: World) -> None:
    """By stage, in the order of the stages."""
    stages = (await get(world, "/funnel", *ANALYST))["stages"]
    assert [(each["stage"], each["users"]) for each in stages] == [
        ("registered", 2),
        ("verified", 0),
        ("assessed", 0),
        ("topped_up", 1),
        ("bid", 1),
        ("funded", 0),
    ]


async def test_every_open_saga_is_on_some_page(world: World) -> None:
    """Whatever a page holds: service by service, and without those that are closed or were never opened here."""
    begun = {"opened_at": {"LoanFunded": "2024-01-02T00:00:00", "CaptureRecorded": "2024-01-01T00:00:00"}}
    closed = {"closed_at": {"FundsCollected": "2024-01-03T00:00:00"}}
    expected = []
    for service, number in (("bidding", 3), ("repayment", 2), ("collections", 1)):
        keys = [f"loan_{each}" for each in range(number)]
        world.views.documents[f"{service}.sagas"] = {
            **{f"fund/{key}": {"_id": f"fund/{key}", "saga": "fund", "key": key} | begun for key in keys},
            "fund/done": {"_id": "fund/done", "saga": "fund", "key": "done"} | begun | closed,
            "fund/away": {"_id": "fund/away", "saga": "fund", "key": "away"} | closed,
            "fund/never": {"_id": "fund/never", "saga": "fund", "key": "never"},
        }
        expected += [
            {"service": service, "saga": "fund", "key": key, "opened_at": "2024-01-01T00:00:00"}
            for key in keys
        ]
    for limit in range(1, len(expected) + 2):
        pages = [await get(world, f"/sagas?limit={limit}", *ANALYST)]
        while pages[-1]["next"] is not None:
            pages.append(await get(world, f"/sagas?limit={limit}&cursor={pages[-1]['next']}", *ANALYST))
        assert [item for page in pages for item in page["items"]] == expected
        assert all(len(page["items"]) == limit for page in pages[:-1])
        assert 0 < len(pages[-1]["items"]) <= limit
    for cursor in ("reporting:x", "$ne", "bidding.sagas:x"):
        refused = await world.http.get(
            "/reporting/sagas", params={"cursor": cursor}, headers=world.token("stf_a", *ANALYST)
        )
        assert (refused.status_code, refused.json()["type"]) == (
            422,
            "urn:loanstream:problem:malformed_cursor",
        )


async def test_a_figure_leads_to_its_rows_and_events(world: World) -> None:
    """What is not in the registry is 404."""
    shown = await get(world, "/figures/held", *ANALYST)
    assert shown["figure"]["rule"] == "domain.md section 3"
    assert shown["value"] == 0
    events = [ANN[number].address for number in (3, 4, 5, 6)]
    assert [(row["events"], row["value"]) for row in shown["rows"]] == [
        ([event], value) for event, value in zip(events, (300_00, -300_00, 300_00, -300_00), strict=True)
    ]
    names = [figure["name"] for figure in (await get(world, "/figures", *ANALYST))["items"]]
    assert names == [figure.usage for figure in FIGURES]
    for name in ("luck", "held:CN-31", "late_principal_of_region", "segment_principal:CN-31:credit"):
        missing = await world.http.get(f"/reporting/figures/{name}", headers=world.token("stf_a", *ANALYST))
        assert missing.status_code == 404, name
        assert missing.json()["type"] == "urn:loanstream:problem:unknown_figure"


async def test_a_figure_of_many_parts_is_asked_for_with_them(world: World) -> None:
    """What is late in a region leads to the region's late loans and to nobody else's."""
    loan = {"kind": "loan", "region": "CN-31", "product": "credit", "bucket": "M1", "principal_fen": 7}
    rows = {
        "loan:1": loan | {"src": {"loan_1": "repayment/0/5/0"}},
        "loan:2": loan | {"bucket": "current"},
        "loan:3": loan | {"region": "CN-11"},
        "loan:4": loan | {"bucket": "M6+", "product": "car"},
    }
    sums = {
        "region:CN-31": {"kind": "region", "region": "CN-31", "late_principal_fen": 14},
        "segment:CN-31:car:M6+": {"kind": "segment", "principal_fen": 7},
        "bucket:M1": {"kind": "bucket", "principal_fen": 14},
    }
    shown = {name: {"_id": name} | document for name, document in (rows | sums).items()}
    world.views.documents["repayment.overdue-buckets"] = shown
    for name, value, loans in (
        ("late_principal_of_region:CN-31", 14, ["loan:1", "loan:4"]),
        ("segment_principal:CN-31:car:M6%2B", 7, ["loan:4"]),
        ("bucket_principal:M1", 14, ["loan:1", "loan:3"]),
    ):
        found = await get(world, f"/figures/{name}", *ANALYST)
        assert (found["value"], [row["id"] for row in found["rows"]]) == (value, loans), name
    assert (await get(world, "/figures/late_principal_of_region:CN-31", *ANALYST))["rows"][0] == {
        "id": "loan:1",
        "value": 7,
        "events": ["repayment/0/5/0"],
    }


@pytest.mark.parametrize(
    "path", ["/trial-balance", "/clearing", "/funnel", "/sagas", "/figures", "/accounts/acc_ann/statement"]
)
async def test_the_books_are_not_for_customers(world: World, path: str) -> None:
    """Only those who run or study the platform see more than their own."""
    scopes = [scope for scope in SCOPES if scope not in ("operator", "analyst")]
    answer = await world.http.get(f"/reporting{path}", headers=world.token("usr_ann", *scopes))
    assert answer.status_code == 403


def test_the_platforms_marketing_money_has_its_own_statement() -> None:
    """What came in and what vouchers took out are lines of the platform's account, and balance line by line."""
    lines = [line for _, line in sorted(documents(STATEMENT, history("marketing", *vouchers.LIFE)).items())]
    names = (
        "movement",
        "owner",
        "account_id",
        "available_fen",
        "available_after_fen",
        "posted.marketing_fen",
    )
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("MarketingFunded", "platform", "acc_marketing", 100_00, 100_00, 100_00),
        ("VoucherPaid", "platform", "acc_marketing", -50_00, 50_00, -50_00),
    ]
    [arrived] = documents(STATEMENT, history("acc_ann", vouchers.CREDITED)).values()
    assert (arrived["owner"], arrived["voucher_id"], arrived["available_fen"]) == ("usr_ann", "vch_1", 50_00)
    assert all(sum(line[f"posted.{of}_fen"] for of in CLASSES) == 0 for line in (*lines, arrived))


def test_money_that_is_nobody_s_has_a_line_of_its_own() -> None:
    """What the bank received without a request is on the bank's side of the journal, and the platform keeps it for whoever it is."""
    [line] = documents(STATEMENT, history("bankref_B77", BOOKED)).values()
    shown = {name: line[name] for name in ("account_id", "owner", "available_after_fen", "bank_reference")}
    assert shown == {
        "account_id": "bankref_B77",
        "owner": "platform",
        "available_after_fen": 30_00,
        "bank_reference": "B77",
    }
    assert (line["posted.bank_fen"], line["posted.unrequested_fen"]) == (-30_00, 30_00)
