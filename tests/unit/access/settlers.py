"""Two customers who have one of everything, the third parties they need, and the staff: the objects that the matrix asks for.

Whatever belongs to one of them is told apart from the other's by his ids and by amounts that nobody else has.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
from pydantic_core import to_json

from libs.runtime.auth import CUSTOMER_SCOPES
from libs.runtime.bank_signature import signed_headers
from tests import posts
from tests.unit.access.platform import Platform

FIRST_DAY = date(2024, 3, 15)
#: Who fills the listings.
_LENT_FEN = 190_000_00


@dataclass
class Customer:
    """Somebody and what is his; `extra` are ids by the name of a path's parameter."""

    user: str
    serial: int
    region: str
    collector: str
    name: str
    phone: str
    identity: str
    objects: dict[str, str] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    @property
    def account(self) -> str:
        """His custody account."""
        return "acc_" + self.user.removeprefix("usr_")

    @property
    def debtor(self) -> str:
        """What collections calls him."""
        return "dbt_" + self.user.removeprefix("usr_")

    def found_in(self, text: str, *, but: str = "") -> list[str]:
        """Which of his marks stand in a text, as whole words; those in `but` were told by who asks."""
        marks = [
            self.user.removeprefix("usr_"),
            *(value.partition("_")[2] for value in self.objects.values()),
            *self.marks,
        ]
        return [
            mark
            for mark in marks
            if mark not in but and re.search(f"(?<![0-9A-Za-z]){re.escape(mark)}(?![0-9A-Za-z])", text)
        ]


@dataclass
class Settlement:
    """Everybody."""

    platform: Platform
    ada: Customer
    bob: Customer
    stranger: Customer
    today: date

    @property
    def due_day(self) -> str:
        """A value date."""
        return self.today.isoformat()


async def settle(platform: Platform) -> Settlement:
    """Let everything happen that gives each of the two one object of each kind."""
    town = Settling(platform)
    await town.staff()
    lender = await town.customer(3, "CN-11", "")
    ada = await town.customer(1, "CN-31", "stf_lee")
    bob = await town.customer(2, "CN-44", "stf_kim")
    stranger = await town.customer(4, "CN-31", "")
    await town.top_up(lender, _LENT_FEN)
    await town.promote(ada, bob)
    for customer in (ada, bob):
        await town.lend(customer, lender)
        await town.borrow(customer, lender)
        await town.spend_all(customer)
    for customer in (ada, bob):
        await town.redeem(customer)
    await town.close_through(FIRST_DAY + timedelta(days=32))
    for customer in (ada, bob):
        await town.be_asked(customer)
        await town.be_corrected(customer, lender)
        await town.pay(customer)
        await town.be_collected(customer)
        await town.be_settled(customer, lender)
        await town.order(customer)
    return Settlement(platform, ada, bob, stranger, town.today)


@dataclass
class Settling:
    """The steps by which people get what is theirs; each succeeds."""

    platform: Platform
    today: date = FIRST_DAY

    async def must(
        self, method: str, path: str, subject: str, scopes: tuple[str, ...], body: Any = None
    ) -> dict[str, Any]:
        """A request that succeeds."""
        answer = await self.platform.ask(method, path, subject, scopes, body=body)
        assert answer.status_code in (200, 201), (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    async def staff(self) -> None:
        day = {"business_date": self.today.isoformat()}
        await self.must("POST", "/repayment/calendar", "stf_ole", ("operator",), day)
        for subject, (roles, region) in posts.APPOINTMENTS.items():
            body = {"roles": [*roles], "region": region}
            await self.must("POST", f"/onboarding/staff/{subject}/appointments", "stf_abe", ("admin",), body)
        await self.must(
            "POST", "/onboarding/staff/stf_tmp/appointments", "stf_abe", ("admin",), {"roles": ["legal"]}
        )

    async def customer(
        self, serial: int, region: str, collector: str, answers: list[int] | None = posts.BOLD
    ) -> Customer:
        """Somebody who is registered, verified and, unless `answers` is None, assessed."""
        name, phone = f"Person Number{serial}", f"1380013{serial:04d}"
        body = {"region": region, "name": name, "phone": phone}
        user = (await self.must("POST", "/onboarding/users", "", (), body))["id"]
        customer = Customer(user, serial, region, collector, name, phone, posts.identity_number(serial + 500))
        customer.marks |= {name, phone, customer.identity}
        proof = {"identity": customer.identity, "card": posts.card_number(serial)}
        await self.own(customer, f"/onboarding/users/{user}/verification", proof)
        if answers is not None:
            await self.own(customer, f"/onboarding/users/{user}/suitability", {"answers": answers})
        customer.objects = {"user": user, "account": customer.account}
        return customer

    async def own(self, customer: Customer, path: str, body: Any) -> dict[str, Any]:
        return await self.must("POST", path, customer.user, CUSTOMER_SCOPES, body)

    async def bank(self, kind: str, customer: Customer, request: str, amount_fen: int) -> httpx.Response:
        path = f"/bidding/bank/{kind}/{customer.account}/{request}"
        body = {"bank_reference": f"B-{request[-12:]}", "amount_fen": amount_fen, "succeeded": True}
        return await call_back(self.platform, path, body)

    async def top_up(self, customer: Customer, amount_fen: int) -> str:
        path = f"/bidding/accounts/{customer.account}/top-ups"
        asked: str = (await self.own(customer, path, {"amount_fen": amount_fen}))["id"]
        answer = await self.bank("top-ups", customer, asked, amount_fen)
        assert answer.status_code == 200, answer.text
        return asked

    async def withdraw(self, customer: Customer, amount_fen: int) -> str:
        path = f"/bidding/accounts/{customer.account}/withdrawals"
        asked: str = (await self.own(customer, path, {"amount_fen": amount_fen}))["id"]
        answer = await self.bank("withdrawals", customer, asked, amount_fen)
        assert answer.status_code == 200, answer.text
        return asked

    async def bid(self, customer: Customer, listing: str, amount_fen: int) -> None:
        path = f"/bidding/accounts/{customer.account}/bids"
        await self.own(customer, path, {"listing_id": listing, "amount_fen": amount_fen})

    async def apply(self, customer: Customer, amount_fen: int) -> str:
        asked = await self.own(customer, "/onboarding/applications", posts.wish(amount_fen))
        application: str = asked["id"]
        path = f"/onboarding/applications/{application}"
        for step in posts.to_the_offer(self.today.isoformat(), amount_fen):
            await self.must("POST", f"{path}/{step.name}", step.subject, (step.scope,), step.body)
        offered = await self.must("GET", path, customer.user, ("application:own",))
        for step in (posts.acceptance(customer.user, offered), posts.precedents()):
            await self.must("POST", f"{path}/{step.name}", step.subject, (step.scope,), step.body)
        await self.publish(application.replace("app_", "lst_"))
        return application

    async def publish(self, listing: str) -> None:
        """Somebody of legal lets it out, by the hash of what investors will read."""
        legal = ("stf_lia", ("legal",))
        waiting = (await self.must("GET", "/bidding/publications", *legal))["items"]
        [text_hash] = [each["content_hash"] for each in waiting if each["id"] == listing]
        body = {"verdict": "approve", "content_hash": text_hash}
        await self.must("POST", f"/bidding/listings/{listing}/checks", *legal, body)

    async def promote(self, *customers: Customer) -> None:
        """Each gets a voucher out of the platform's marketing account."""
        booking = "/bidding/bank/marketing/bankref_M1"
        answer = await call_back(self.platform, booking, {"amount_fen": 1_000_00})
        assert answer.status_code == 200, answer.text
        for customer in customers:
            body = {"investor": customer.user, "amount_fen": 1, "bid_min_fen": 1, "valid_to": "2030-12-31"}
            granted = await self.must("POST", "/bidding/vouchers", "stf_ole", ("operator",), body)
            customer.objects["voucher"] = granted["id"]

    async def order(self, customer: Customer) -> None:
        """He has a standing order, which takes no loan that anybody has."""
        order = await self.own(customer, "/bidding/standing-orders", posts.STANDING_ORDER)
        customer.objects["order"] = order["id"]

    async def lend(self, customer: Customer, borrower: Customer) -> None:
        """He holds a claim on a loan of somebody else, with an amount of his own, and wants to sell it."""
        amount_fen = (10_000 + 100 * customer.serial) * 100
        await self.top_up(customer, amount_fen)
        application = await self.apply(borrower, amount_fen)
        await self.bid(customer, application.replace("app_", "lst_"), amount_fen)
        customer.objects["lent"] = application.replace("app_", "loan_")
        customer.objects |= {
            "claim": f"{application.replace('app_', 'clm_')}_1",
            "pack": f"{application.replace('app_', 'pack_')}_1",
        }
        wish = {"claim_id": customer.objects["claim"], "price_permille": 1_000}
        customer.objects["offer"] = (await self.own(customer, "/bidding/offers", wish))["id"]

    async def borrow(self, customer: Customer, lender: Customer) -> None:
        """He has a loan."""
        amount_fen = (30_000 + 700 * customer.serial) * 100
        application = await self.apply(customer, amount_fen)
        await self.bid(lender, application.replace("app_", "lst_"), amount_fen)
        loan = application.replace("app_", "loan_")
        await self.must("GET", f"/repayment/loans/{loan}", customer.user, ("loan:own",))
        customer.objects |= {
            "application": application,
            "loan": loan,
            "listing": loan.replace("loan_", "lst_"),
        }
        customer.marks.add(str(amount_fen))

    async def spend_all(self, customer: Customer) -> None:
        """Nothing is left for the first instalment; then he asks for a top-up that the bank has not answered."""
        account = f"/bidding/accounts/{customer.account}"
        balance = await self.must("GET", account, customer.user, CUSTOMER_SCOPES)
        await self.withdraw(customer, balance["available_fen"] - 1_00)
        asked = await self.own(customer, f"{account}/top-ups", {"amount_fen": 77_00 + customer.serial})
        paid_out = await self.own(customer, f"{account}/withdrawals", {"amount_fen": 1_00})
        customer.objects |= {"top_up": asked["id"], "withdrawal": paid_out["id"]}

    async def redeem(self, customer: Customer) -> None:
        """He asks for an emergency redemption on an offer that never was, and is told so."""
        form = {"offer_id": f"offer_none{customer.serial}", "reason": "illness", "price_permille": 950}
        asked = await self.own(customer, "/bidding/redemptions", form)
        customer.objects["redemption"] = asked["id"]

    async def be_asked(self, customer: Customer) -> None:
        """An extension of the loan that he has lent on waits for his word."""
        body = {
            "loan_id": customer.objects["lent"],
            "terms": {"kind": "extension", "months": 1},
            "reason": "income_lost",
            "evidence": ["vault:1"],
        }
        proposed = await self.must("POST", "/repayment/measures", "stf_max", ("measure",), body)
        for step, signer in (("risk", "stf_ria"), ("general_manager", "stf_gus")):
            at = f"/repayment/measures/{proposed['id']}/steps"
            await self.must("POST", at, signer, ("measure",), {"step": step})
        customer.objects["measure"] = proposed["id"]

    async def close_through(self, last: date) -> None:
        while self.today <= last:
            body = {"business_date": self.today.isoformat()}
            closer = ("stf_ole", "stf_oda")[self.today.day % 2]
            await self.must("POST", "/repayment/calendar/close", closer, ("operator",), body)
            self.today += timedelta(days=1)

    async def pay(self, customer: Customer) -> None:
        """He pays a little of what he owes."""
        await self.top_up(customer, 1_00)
        body = {"loan_id": customer.objects["loan"], "amount_fen": 1_00}
        paid = await self.own(customer, f"/bidding/accounts/{customer.account}/loan-payments", body)
        customer.objects["payment"] = paid["id"]

    async def be_corrected(self, customer: Customer, borrower: Customer) -> None:
        """What was paid on the loan that he has lent on is said to be wrong."""
        loan = f"/repayment/loans/{customer.objects['lent']}"
        page = await self.must("GET", loan, borrower.user, ("loan:own",))
        body = {"payment_id": page["payments"][0]["id"], "kind": "reverse", "reason": "wrong_loan"}
        proposed = await self.must("POST", f"{loan}/corrections", "stf_fin", ("finance",), body)
        customer.objects["correction"] = proposed["id"]

    async def be_settled(self, customer: Customer, lender: Customer) -> None:
        """A thing takes the place of a fen of what he owes, and is kept."""
        on = self.today.isoformat()
        papers = ("valuer", "valuation", "title", "keeper", "cash_impossible")
        terms = {
            "kind": "settlement_in_kind",
            "asset": "movables",
            "ground": "agreement",
            "agreed_fen": 1,
            "valued_fen": 1,
            "valued_on": on,
            "acquired_on": on,
            **dict.fromkeys(papers, "vault:1"),
        }
        body = {
            "loan_id": customer.objects["loan"],
            "terms": terms,
            "reason": "no_cash",
            "evidence": ["vault:1"],
        }
        signers = {
            "legal": "stf_lia",
            "risk": "stf_ria",
            "general_manager": "stf_gus",
            "finance_supervisor": "stf_fay",
        }
        proposed = await self.must("POST", "/repayment/measures", "stf_sue", ("measure",), body)
        at = f"/repayment/measures/{proposed['id']}"
        for step, signer in signers.items():
            await self.must("POST", f"{at}/steps", signer, ("measure",), {"step": step})
        await self.own(lender, f"{at}/vote", {"agrees": True})
        customer.objects["asset"] = proposed["id"].replace("msr_", "ast_")

    async def be_collected(self, customer: Customer) -> None:
        """His collector holds his case, has had one talk that ended in a promise, and is having another."""
        case = customer.objects["loan"].replace("loan_", "case_")
        at = f"/collections/debtors/{customer.debtor}"
        work = (customer.collector, ("collector",))
        await self.must("POST", f"{at}/cases/{case}/claim", *work)
        call = {"channel": "call", "direction": "inbound"}  # whoever calls us is not disturbed, at any hour
        talk = await self.must("POST", f"{at}/cases/{case}/contacts", *work, call)
        said = {"outcome": "promise", "delay_reason": "forgot", "evidence": "rec_1"}
        await self.must("POST", f"{at}/contacts/{talk['id']}/outcome", *work, said)
        contact = await self.must("POST", f"{at}/cases/{case}/contacts", *work, call)
        customer.objects |= {
            "debtor": customer.debtor,
            "case": case,
            "talk": talk["id"],
            "contact": contact["id"],
        }


async def call_back(platform: Platform, path: str, body: Mapping[str, Any]) -> httpx.Response:
    """The bank's signed call."""
    content = to_json(body)
    headers = signed_headers(platform.settings.bank_key(), path, content, now=time.time())
    async with platform.serve(platform.apps["bidding"], "bidding") as http:
        return await http.post(path, content=content, headers=headers | {"Content-Type": "application/json"})
