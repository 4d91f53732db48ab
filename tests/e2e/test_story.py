"""A loan's life over HTTP through the gateway, to the fen: top up, list, bid, fund, due, debit, distribute, miss, settle.

The figures were worked out by hand from domain.md section 4 (equal instalments, half-up, last row takes the rest):
100,000 fen at 12 % over 3 months are 34,002 + 34,002 + 34,003 fen, with interest 1,000 + 670 + 337.
"""

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from deploy.local.parts import Parts
from libs.runtime.bank_signature import signed_headers
from tests.e2e.conftest import running_town
from tests.e2e.town import Person, Town, decided, eventually

FEE_PERMILLE = 100


@pytest.fixture(scope="module")
def town(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of this module's own: it begins on its first day, and the platform's buckets hold this module's loans only."""
    with running_town(parts, tmp_path_factory.mktemp("story")) as running:
        yield running


def balances(*people: Person) -> list[tuple[int, int]]:
    """(available, held) of each."""
    found = [person.balance() for person in people]
    return [(one["available_fen"], one["held_fen"]) for one in found]


def assert_balances(people: tuple[Person, ...], expected: list[tuple[int, int]]) -> None:
    """Each holds exactly this."""
    assert balances(*people) == expected


def funded_loan(town: Town, borrower: Person, ada: Person, bea: Person, **terms: Any) -> str:
    """A loan of 100,000 fen: 60,000 from ada, 40,000 from bea; the id of the loan, once it runs."""
    listing = town.list_loan(
        borrower, 100_000, origination_fee_fen=2_000, interest_fee_permille=FEE_PERMILLE, **terms
    )
    town.bid(ada, listing["id"], 60_000)
    town.bid(bea, listing["id"], 40_000)
    loan_id: str = listing["loan_id"]
    eventually(lambda: borrower.read(f"/repayment/loans/{loan_id}"))
    return loan_id


def test_a_loan_lives_from_listing_to_last_fen(town: Town) -> None:
    """Bids beyond the rest come back, the full listing is funded, dues are debited and distributed, early settling ends it."""
    borrower, ada, bea = (
        town.customer("bo", 50_000),
        town.customer("ada", 80_000),
        town.customer("bea", 90_000),
    )
    people = (borrower, ada, bea)
    start = town.today
    listing = town.list_loan(borrower, 100_000, origination_fee_fen=2_000, interest_fee_permille=FEE_PERMILLE)
    listing_id, loan_id = listing["id"], listing["loan_id"]
    eventually(lambda: ada.read(f"/bidding/listings/{listing_id}"))

    # ada's bid is taken; bea bids more than is left, and gets her money back
    assert town.bid(ada, listing_id, 60_000)["status"] == "pending"
    assert ada.balance()["held_fen"] == 60_000
    eventually(lambda: _raised(ada, listing_id, 60_000))
    town.bid(bea, listing_id, 50_000)
    eventually(lambda: assert_balances((bea,), [(90_000, 0)]))

    # the listing is filled and funded: holds become claims, the borrower is paid less the fee
    town.bid(bea, listing_id, 40_000)
    eventually(lambda: assert_balances(people, [(148_000, 0), (20_000, 0), (50_000, 0)]))
    eventually(lambda: _is_in_state(ada, listing_id, "funded"))
    loan = eventually(lambda: borrower.read(f"/repayment/loans/{loan_id}"))
    assert [(row["principal_fen"], row["interest_fen"]) for row in loan["rows"]] == [
        (33_002, 1_000),
        (33_332, 670),
        (33_666, 337),
    ]
    first_due = date.fromisoformat(loan["rows"][0]["due_on"])
    assert (first_due.day, (first_due - start).days) == (start.day, 31)

    # the first instalment falls due, is debited and distributed: 33,002 = 19,801 + 13,201 and 1,000 less 10 %
    town.close_days_through(first_due)
    eventually(lambda: assert_balances(people, [(148_000 - 34_002, 0), (40_341, 0), (63_561, 0)]))
    eventually(lambda: _first_row(borrower, loan_id, (33_002, 1_000, False)))

    # he settles early with more than is owed, on the next day: the rest comes back to him
    quote = borrower.read(f"/repayment/loans/{loan_id}/payoff", on=town.today.isoformat())
    assert quote["amount_fen"] == 66_998 + 22  # one day of 12 %/365
    settled = borrower.post(
        f"/bidding/accounts/{borrower.account}/loan-payments",
        {"loan_id": loan_id, "amount_fen": 80_000, "settle": True},
    )
    assert settled.status_code == 201, settled.text
    eventually(lambda: _is_repaid(borrower, loan_id))
    end = 148_000 - 34_002 - 67_020
    eventually(lambda: assert_balances(people, [(end, 0), (40_341 + 40_211, 0), (63_561 + 26_807, 0)]))

    # every fen is somewhere: what was paid in is what the people hold and the fees, 2,000 + 100 + (1 + 1) of 13 and 9
    fees = 2_000 + 100 + 2
    assert sum(available for available, _ in balances(*people)) + fees == 50_000 + 80_000 + 90_000


def _is_in_state(person: Person, listing_id: str, state: str) -> None:
    assert person.read(f"/bidding/listings/{listing_id}")["state"] == state


def _first_row(person: Person, loan_id: str, expected: tuple[int, int, bool]) -> None:
    paid = person.read(f"/repayment/loans/{loan_id}")["rows"][0]
    assert (paid["paid_principal_fen"], paid["paid_interest_fen"], paid["missed"]) == expected


def _raised(person: Person, listing_id: str, amount_fen: int) -> None:
    assert person.read(f"/bidding/listings/{listing_id}")["raised_fen"] == amount_fen


def _is_repaid(person: Person, loan_id: str) -> None:
    assert person.read(f"/repayment/loans/{loan_id}")["state"] == "repaid"


def test_a_missed_instalment_is_late_until_it_is_paid(town: Town) -> None:
    """Without money the debit fails, the loan moves to M1; a later payment of what is due brings it back to current."""
    borrower, ada, bea = town.customer("mo"), town.customer("ada", 60_000), town.customer("bea", 40_000)
    loan_id = funded_loan(town, borrower, ada, bea)
    eventually(lambda: assert_balances((borrower,), [(98_000, 0)]))
    out = borrower.post(f"/bidding/accounts/{borrower.account}/withdrawals", {"amount_fen": 98_000})
    assert (out.status_code, out.json()["status"]) == (201, "requested")
    assert (
        town.bank(f"/bidding/bank/withdrawals/{borrower.account}/{out.json()['id']}", 98_000).status_code
        == 200
    )
    due = date.fromisoformat(borrower.read(f"/repayment/loans/{loan_id}")["rows"][0]["due_on"])
    before = _bucket(town, "M1")

    town.close_days_through(due)
    assert borrower.read(f"/repayment/loans/{loan_id}")["bucket"] == "current"
    town.close_days_through(town.today)
    late = eventually(lambda: _in_bucket(borrower, loan_id, "M1"))
    assert (late["rows"][0]["missed"], late["overdue_fen"]) == (True, 34_002)
    eventually(lambda: _counts(town, "M1", before[0] + 1, before[1] + 100_000))

    town.deposit(borrower, 34_002)
    paid = borrower.post(
        f"/bidding/accounts/{borrower.account}/loan-payments", {"loan_id": loan_id, "amount_fen": 34_002}
    )
    assert paid.status_code == 201, paid.text
    cured = eventually(lambda: _in_bucket(borrower, loan_id, "current"))
    assert cured["overdue_fen"] == 0
    eventually(lambda: _counts(town, "M1", *before))
    eventually(lambda: assert_balances((borrower, ada, bea), [(0, 0), (20_341, 0), (13_561, 0)]))


def _in_bucket(person: Person, loan_id: str, bucket: str) -> dict[str, Any]:
    loan: dict[str, Any] = person.read(f"/repayment/loans/{loan_id}")
    assert loan["bucket"] == bucket
    return loan


def _bucket(town: Town, name: str) -> tuple[int, int]:
    """(loans, outstanding principal) of a bucket."""
    items = town.operator().read("/repayment/overdue-buckets")["items"]
    return next(((item["loans"], item["principal_fen"]) for item in items if item["bucket"] == name), (0, 0))


def _counts(town: Town, name: str, loans: int, principal_fen: int) -> None:
    assert _bucket(town, name) == (loans, principal_fen)


def test_money_for_a_loan_that_is_not_there_comes_back(town: Town) -> None:
    """A payment on an unknown loan, and a bid on an unknown listing, leave the account and return to it."""
    ada = town.customer("ada", 50_000)
    paid = ada.post(
        f"/bidding/accounts/{ada.account}/loan-payments", {"loan_id": "loan_nowhere", "amount_fen": 10_000}
    )
    assert (paid.status_code, paid.json()["available_after_fen"]) == (201, 40_000)
    eventually(lambda: assert_balances((ada,), [(50_000, 0)]))
    assert town.bid(ada, "lst_nowhere", 10_000)["available_after_fen"] == 40_000
    eventually(lambda: assert_balances((ada,), [(50_000, 0)]))


def test_a_listing_that_is_not_filled_expires(town: Town) -> None:
    """When its window ends every hold is released, and a later bid comes back too."""
    borrower, ada = town.customer("bo"), town.customer("ada", 50_000)
    listing = town.list_loan(borrower, 100_000, window_days=1)
    town.bid(ada, listing["id"], 50_000)
    eventually(lambda: _raised(ada, listing["id"], 50_000))
    town.close_days_through(date.fromisoformat(listing["closes_on"]))
    eventually(lambda: assert_balances((ada,), [(50_000, 0)]))
    eventually(lambda: _is_in_state(ada, listing["id"], "expired"))
    town.bid(ada, listing["id"], 50_000)
    eventually(lambda: assert_balances((ada,), [(50_000, 0)]))


def test_a_contract_is_downloaded_by_its_parties_in_the_same_bytes(town: Town) -> None:
    """Through the gateway: borrower and lenders get one file, each lender his certificate, a stranger nothing."""
    borrower, ada, bea, eve = (town.customer(name, 70_000) for name in ("bo", "ada", "bea", "eve"))
    loan_id = funded_loan(town, borrower, ada, bea)
    contract = eventually(lambda: _paper(borrower, f"contracts/{loan_id}.pdf"))
    for party in (borrower, ada, bea):
        assert _paper(party, f"contracts/{loan_id}.pdf").content == contract.content
    told = ada.read(f"/bidding/contracts/{loan_id}")
    assert contract.headers["etag"] == f'W/"{told["content_hash"]}"'
    [own] = told["certificates"]
    assert own["certificate_hash"].encode() in _paper(ada, f"certificates/{own['claim_id']}.pdf").content
    for paper in (f"contracts/{loan_id}", f"contracts/{loan_id}.pdf", f"certificates/{own['claim_id']}.pdf"):
        assert eve.get(f"/bidding/{paper}").status_code == 404
    assert bea.get(f"/bidding/certificates/{own['claim_id']}.pdf").status_code == 404


def _paper(who: Person, name: str) -> httpx.Response:
    answer = who.get(f"/bidding/{name}")
    assert answer.status_code == 200, answer.text
    return answer


def test_a_voucher_is_paid_when_its_loan_is_funded(town: Town) -> None:
    """Out of the platform's own money: granted, redeemed by its holder, and on his account once the loan runs; the books balance."""
    borrower, ada, bea = (town.customer(name, 60_000) for name in ("bo", "ada", "bea"))
    path = "/bidding/bank/marketing/bankref_story"
    body = to_json({"amount_fen": 5_000})
    signed = signed_headers(town.stack.settings.bank_key(), path, body, now=time.time())
    headers = signed | {"Content-Type": "application/json"}
    assert decided(lambda: town.http.post(path, content=body, headers=headers)).status_code == 200
    terms = {"amount_fen": 5_000, "bid_min_fen": 40_000, "valid_to": "2024-12-31"}
    granted = town.operator().post("/bidding/vouchers", {"investor": ada.subject} | terms)
    assert granted.status_code == 201, granted.text
    more = town.operator().post("/bidding/vouchers", {"investor": bea.subject} | terms)
    assert more.json()["type"] == "urn:loanstream:problem:marketing_exhausted"
    listing = town.list_loan(borrower, 100_000)
    redemption = f"/bidding/vouchers/{granted.json()['id']}/redemption"
    assert bea.post(redemption, {"listing_id": listing["id"]}).status_code == 404
    assert ada.post(redemption, {"listing_id": listing["id"]}).json()["status"] == "redeemed"
    town.bid(ada, listing["id"], 60_000)
    town.bid(bea, listing["id"], 40_000)
    eventually(lambda: assert_balances((ada, bea), [(5_000, 0), (20_000, 0)]))
    assert ada.balance()["vouchers_fen"] == 5_000
    [voucher] = eventually(lambda: _vouchers(ada, "paid"))
    assert voucher["loan_id"] == listing["loan_id"]
    assert town.operator().read("/reporting/trial-balance")["total_fen"] == 0


def _vouchers(who: Person, state: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.read("/bidding/vouchers")["items"]
    assert [voucher["state"] for voucher in found] == [state], found
    return found


def test_a_claim_is_sold_to_the_first_of_two_buyers(town: Town) -> None:
    """From the seller's offer to the buyer's certificate: price paid on the day of the loan, nothing accrued; who comes second has
    his money back, the claim is in the buyer's list and the books balance.
    """
    borrower, ada, bea = town.customer("bo"), town.customer("ada", 60_000), town.customer("bea", 40_000)
    cem, dee = town.customer("cem", 70_000), town.customer("dee", 70_000)
    loan_id = funded_loan(town, borrower, ada, bea)
    claim = eventually(lambda: _claim(ada, loan_id))["id"]
    offered = ada.post("/bidding/offers", {"claim_id": claim, "price_permille": 985})
    assert (offered.status_code, offered.json()["status"]) == (201, "requested"), offered.text
    offer_id = offered.json()["id"]
    offer = eventually(lambda: _offer(cem, offer_id))
    assert (offer["principal_fen"], offer["maximum_fen"]) == (
        60_000,
        59_100 + 197,
    )  # 10 days of 12 %/365: so long it stands
    take = {"maximum_fen": offer["maximum_fen"]}
    assert cem.post(f"/bidding/offers/{offer_id}/take", take).status_code == 201
    assert dee.post(f"/bidding/offers/{offer_id}/take", take).status_code == 201
    eventually(lambda: _settled(ada, offer_id))
    eventually(lambda: assert_balances((ada, cem, dee), [(59_100, 0), (10_900, 0), (70_000, 0)]))
    bought = eventually(lambda: _claim(cem, loan_id))
    assert (bought["outstanding_fen"], _claim(ada, loan_id)["outstanding_fen"]) == (60_000, 0)
    certificate = eventually(lambda: _paper(cem, f"certificates/{bought['id']}.pdf"))
    assert certificate.headers["content-type"] == "application/pdf"
    assert ada.get(f"/bidding/certificates/{bought['id']}.pdf").status_code == 404
    assert town.operator().read("/reporting/trial-balance")["total_fen"] == 0


def _claim(who: Person, loan_id: str) -> dict[str, Any]:
    """His claim on a loan."""
    found = [each for each in who.read("/repayment/claims")["items"] if each["loan_id"] == loan_id]
    assert len(found) == 1, found
    return dict(found[0])


def _offer(who: Person, offer_id: str) -> dict[str, Any]:
    """What the order book says of it, to who looks for just that."""
    wanted = {"grade": "B", "rate_min": "0.12", "matures_by": "2099-12-31", "price_max": "985"}
    found = [each for each in who.read("/bidding/offers", **wanted)["items"] if each["id"] == offer_id]
    assert len(found) == 1, found
    dearer = who.read("/bidding/offers", **wanted | {"rate_min": "0.13"})["items"]
    assert offer_id not in [each["id"] for each in dearer]
    return dict(found[0])


def _settled(who: Person, offer_id: str) -> None:
    offers = who.read(f"/bidding/accounts/{who.account}/offers")["items"]
    assert [(each["id"], each["state"]) for each in offers] == [(offer_id, "settled")]


def test_standing_orders_bid_by_themselves(town: Town) -> None:
    """Served in the published order, each to its cap and above what it keeps back; who spent stands at the end, and all know why."""
    borrower, ada, bea, cem = (town.customer(name, 90_000) for name in ("bo", "ada", "bea", "cem"))
    text_hash = ada.read("/bidding/standing-orders/text")["text_hash"]
    terms = {"annual_rate_min": "0.1", "tenor_months_max": 3, "keep_back_fen": 30_000, "text_hash": text_hash}
    for who, grade, loan_max_fen in ((cem, "D", 100_000), (ada, "C", 50_000), (bea, "C", 100_000)):
        mine = {"grades": [grade], "loan_max_fen": loan_max_fen}
        opened = who.post("/bidding/standing-orders", terms | mine)
        assert opened.status_code == 201, opened.text
    listing = town.list_loan(borrower, 100_000, grade="C")
    eventually(lambda: borrower.read(f"/repayment/loans/{listing['loan_id']}"))
    eventually(lambda: assert_balances((ada, bea, cem), [(40_000, 0), (40_000, 0), (90_000, 0)]))
    parts = [("took_part", 50_000, ""), ("took_part", 50_000, ""), ("passed", 0, "grade_not_wanted")]
    eventually(lambda: _own_parts((ada, bea, cem), listing["id"], parts))
    eventually(lambda: _places((cem, ada, bea), [1, 2, 3]))
    order = _standing_order(ada)["order_id"]
    eventually(lambda: _log(ada, order, [(listing["id"], 50_000, 50_000)]))
    assert bea.get(f"/bidding/standing-orders/{order}/log").status_code == 404


def _own_parts(people: tuple[Person, ...], listing: str, expected: list[tuple[str, int, str]]) -> None:
    found = [who.read(f"/bidding/listings/{listing}/auto-invest/mine")["items"] for who in people]
    assert [[(part["state"], part["amount_fen"], part["code"]) for part in parts] for parts in found] == [
        [part] for part in expected
    ]


def _places(people: tuple[Person, ...], expected: list[int]) -> None:
    assert [_standing_order(who)["place"] for who in people] == expected


def _log(who: Person, order: str, expected: list[tuple[str, int, int]]) -> None:
    rows = who.read(f"/bidding/standing-orders/{order}/log")["items"]
    assert [(row["listing_id"], row["asked_fen"], row["amount_fen"]) for row in rows] == expected


def _standing_order(who: Person) -> dict[str, Any]:
    [found] = who.read("/bidding/standing-orders")["items"]
    order: dict[str, Any] = found
    return order
