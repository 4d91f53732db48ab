"""One month of the whole platform over HTTP: people come, apply, are judged, lent to, fail to pay, are called, promise, pay.

It is lived once for all tests that look at it, because its days are closed one by one. What is refused on the way is asserted
where it happens; what is left at the end, in the tests.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
from pymongo import MongoClient

from tests import posts
from tests.e2e.offices import Offices, Resident
from tests.e2e.town import Town, eventually

LOAN_FEN = 30_000_00
#: Above the threshold up to which a full listing passes review by itself.
LARGE_FEN = 120_000_00
PERSON_REFUSED = "pty_sister"


@dataclass
class Life:
    """What is left of the month."""

    offices: Offices
    bea: Resident
    eve: Resident
    ivan: Resident
    ann: Resident
    gone: Resident
    loan: str
    kept: dict[str, Any]
    broken: dict[str, Any]
    lapsed: tuple[Resident, str]
    rejected: tuple[Resident, str]
    expired: tuple[Resident, str]
    backup: dict[str, Any]
    """The sealed row of who was forgotten, as a backup would hold it."""

    @property
    def town(self) -> Town:
        """Where they live."""
        return self.offices.town


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """A problem of this name."""
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:loanstream:problem:{code}"), (
        answer.text
    )


def live(town: Town) -> Life:
    """Live through it."""
    offices = Offices(town)
    offices.appoint()
    gone, backup = _forgotten(offices)
    bea = offices.welcome("Beatrix Ô Quellenhof", posts.BOLD, assisted=True)
    eve = offices.welcome("Evelina von Zwickelburg", posts.BOLD, referrer=bea.person.subject)
    ivan = offices.welcome("Ivan 郭靖Ostrowskij", posts.BOLD)
    ann = offices.welcome("Annunziata Featherstonehaugh", posts.CAREFUL)
    town.deposit(ivan.person, 300_000_00)
    town.deposit(ann.person, 40_000_00)
    related = {"related": ann.person.subject}
    assert bea.person.post(f"/onboarding/users/{bea.person.subject}/relations", related).status_code == 201

    loan = _applied(offices, bea)
    cyprian = _bids_that_come_back(offices, bea, ann, loan)
    _reviewed_by_two(offices, cyprian, ivan)
    late = offices.list_loan(eve, LOAN_FEN)
    expired = (ann, offices.list_loan(ann, 20_000_00))
    town.bid(ivan.person, expired[1].replace("loan_", "lst_"), 5_000_00)
    lapsed, rejected = _papers_that_never_come(offices, eve), _rejected(offices, bea)
    for borrower, funded in ((bea, loan), (eve, late)):
        town.bid(ivan.person, funded.replace("loan_", "lst_"), LOAN_FEN)
        eventually(lambda b=borrower, f=funded: _runs(b, f))  # type: ignore[misc]
        spend_all(town, borrower)
    due = date.fromisoformat(bea.person.read(f"/repayment/loans/{loan}")["rows"][0]["due_on"])
    town.close_days_through(due + timedelta(days=1))

    kept = _collected(offices, bea, loan)
    broken = _promised(offices, eve, late)
    _pays_what_he_promised(offices, bea, loan)
    town.close_days_through(town.today)
    return Life(
        offices,
        bea,
        eve,
        ivan,
        ann,
        gone,
        loan,
        kept,
        broken,
        lapsed,
        rejected,
        expired,
        backup,
    )


def _forgotten(offices: Offices) -> tuple[Resident, dict[str, Any]]:
    """Somebody comes, is shown what is kept of him, and asks to be forgotten: the sweep has the month to do it."""
    gone = offices.welcome("Gwendolyn Nevermore-Ashgrove")
    user = f"/onboarding/users/{gone.person.subject}"
    assert gone.person.read(f"{user}/person") == {
        "name": gone.name,
        "phone": gone.phone,
        "identity": gone.identity,
        "card": gone.card,
        "representative": None,
    }
    settings = offices.town.stack.settings
    with MongoClient[dict[str, Any]](settings.require_mongo()) as client:
        backup = client[settings.mongo_database]["vault"].find_one({"_id": gone.person.subject})
    assert backup is not None
    town = offices.town
    town.deposit(gone.person, 1_00)
    assert gone.person.post(f"{user}/erasure").json()["status"] == "erasure_requested"
    eventually(lambda: _is(gone, erasure="has_money", state="verified"))
    spend_all(town, gone, 1_00)
    assert gone.person.post(f"{user}/erasure").json()["status"] == "erasure_requested"
    eventually(lambda: _is(gone, erasure=None, state="erased"))
    return gone, backup


def _is(who: Resident, **expected: Any) -> None:
    shown = who.person.read(f"/onboarding/users/{who.person.subject}")
    assert {name: shown[name] for name in expected} == expected


# --- applying ------------------------------------------------------------------------------------------------------


def _applied(offices: Offices, bea: Resident) -> str:
    """Every post in its order, by other people than the one before; the listing opens at the very last step."""
    application = offices.apply(bea, LOAN_FEN)
    loan, day = application.replace("app_", "loan_"), offices.town.today.isoformat()
    manager, risk = posts.POSTS["customer_manager"][0], posts.POSTS["risk"][0]
    refused(offices.take(application, posts.precedents()), 409, "wrong_stage")
    papers = {"papers": ["credit_report"], "code": "too_old"}
    returned = offices.take(application, posts.Step("return", manager, "customer_manager", papers))
    assert returned.status_code == 201, returned.text
    others = posts.Step("papers", bea.person.subject, "application:own", {"documents": ["utility_bills"]})
    eventually(lambda: refused(offices.take(application, others), 409, "papers_missing"))
    again = posts.Step("papers", bea.person.subject, "application:own", {"documents": ["credit_report"]})
    offices.walk(application, again)

    *sales, review, report, committee = posts.to_the_committee(day, LOAN_FEN, conditions=["second_guarantor"])
    offices.walk(application, *sales)
    by_manager = posts.Step("review", manager, "risk", review.body)
    refused(offices.take(application, by_manager), 403, "forbidden_post")
    offices.walk(application, review, report, committee)
    first, second, third = (posts.vote(office) for office in posts.COMMITTEE)
    offices.walk(application, first)
    twice = posts.Step("votes", first.subject, "committee", first.body | {"office": "risk_assessor"})
    refused(offices.take(application, twice), 403, "forbidden_office")
    offices.walk(application, second, third)
    assert bea.person.read(f"/onboarding/users/{bea.person.subject}")["exposure_fen"] == 0
    condition = {"condition": "second_guarantor", "evidence": "doc_7"}
    offices.walk(application, posts.Step("conditions", risk, "risk", condition))
    eventually(lambda: _owes(bea, LOAN_FEN))
    other_text = {"text_hash": "a" * 64, "evidence": "sign_1"}
    unread = posts.Step("acceptance", bea.person.subject, "application:own", other_text)
    refused(offices.take(application, unread), 409, "text_differs")
    offices.sign(bea, application)
    by_risk = posts.Step("precedents", risk, "disbursement", posts.precedents().body)
    refused(offices.take(application, by_risk), 403, "forbidden_post")
    short = posts.Step("precedents", "stf_leo", "disbursement", {"checks": [*posts.PRECEDENTS[1:]]})
    refused(offices.take(application, short), 409, "precedents_missing")
    refused(offices.listing_now(bea, loan), 404, "unknown_listing")
    offices.walk(application, posts.precedents())
    eventually(lambda: refused(offices.publish(loan, hash_of="another text"), 409, "text_differs"))
    refused(offices.listing_now(bea, loan), 404, "unknown_listing")
    offices.publish_when_prepared(loan)
    eventually(lambda: offices.listing(bea, loan, "open"))
    return loan


def _owes(who: Resident, amount_fen: int) -> None:
    assert who.person.read(f"/onboarding/users/{who.person.subject}")["exposure_fen"] == amount_fen


def _bids_that_come_back(offices: Offices, bea: Resident, ann: Resident, loan: str) -> Resident:
    """One's own loan, a related party's loan: held first, because the account does not know, and released at once."""
    town, listing = offices.town, loan.replace("loan_", "lst_")
    town.deposit(bea.person, 1_000_00)
    for bidder, amount_fen in ((bea, 1_000_00), (ann, 40_000_00)):
        assert town.bid(bidder.person, listing, 1_000_00)["available_after_fen"] == amount_fen - 1_000_00
        eventually(lambda who=bidder, whole=amount_fen: _has(who, whole, 0))  # type: ignore[misc]
    # a listing that is riskier than her level: she is related to nobody there
    cyprian = offices.welcome("Cyprian Thistlewaite", posts.BOLD)
    risky = offices.list_loan(cyprian, 10_000_00)
    town.bid(ann.person, risky.replace("loan_", "lst_"), 1_000_00)
    eventually(lambda: _has(ann, 40_000_00, 0))
    assert offices.listing(ann, risky, "open")["raised_fen"] == 0
    assert offices.listing(ann, loan, "open")["raised_fen"] == 0
    return cyprian


def _reviewed_by_two(offices: Offices, borrower: Resident, lender: Resident) -> None:
    """A full listing above the threshold waits for two people of finance, of whom one twice is one, and a third who pays it out."""
    loan = offices.list_loan(borrower, LARGE_FEN)
    listing = loan.replace("loan_", "lst_")
    offices.town.bid(lender.person, listing, LARGE_FEN)
    eventually(lambda: offices.listing(lender, loan, "in_review"))
    path, approve = f"/bidding/listings/{listing}/reviews", {"verdict": "approve"}
    first, second = (offices.town.person(f"stf_{name}", "finance") for name in ("fin", "ulf"))
    assert [item["id"] for item in first.read("/bidding/reviews")["items"]] == [listing]
    assert first.post(path, approve).json()["reviews"] == 1
    again = first.post(path, approve)
    assert "reviews" not in again.json(), again.text
    assert offices.listing(lender, loan, "in_review")
    assert second.post(path, approve).json()["reviews"] == 2
    cashier, voucher = offices.town.person("stf_cas", "finance"), {"voucher": "F8-1"}
    eventually(lambda: offices.listing(lender, loan, "payable"))
    refused(first.post(f"/bidding/listings/{listing}/payout", voucher), 403, "forbidden_same_person")
    paid = cashier.post(f"/bidding/listings/{listing}/payout", voucher).json()
    assert (paid["funded"], paid["code"]) == (False, ""), "the caps are looked at first"
    eventually(lambda: _runs(borrower, loan))


def _has(who: Resident, available_fen: int, held_fen: int) -> None:
    found = who.person.balance()
    assert (found["available_fen"], found["held_fen"]) == (available_fen, held_fen)


def _papers_that_never_come(offices: Offices, eve: Resident) -> tuple[Resident, str]:
    """The papers are given back, and nothing is handed in for thirty days."""
    application = offices.apply(eve, 5_000_00)
    body = {"papers": ["income_proof"], "code": "illegible"}
    offices.walk(application, posts.Step("return", "stf_max", "customer_manager", body))
    eventually(lambda: offices.is_at(eve, application, "returned"))
    return eve, application


def _rejected(offices: Offices, bea: Resident) -> tuple[Resident, str]:
    """Two of three offices are against it."""
    application = offices.apply(bea, 5_000_00)
    offices.walk(application, *posts.to_the_committee(offices.town.today.isoformat(), 5_000_00))
    voices = zip(posts.COMMITTEE, ("disagree", "agree", "disagree"), strict=True)
    offices.walk(application, *(posts.vote(office, voice) for office, voice in voices))
    return bea, application


def _runs(who: Resident, loan: str) -> None:
    assert who.person.get(f"/repayment/loans/{loan}").status_code == 200


def spend_all(
    town: Town, who: Resident, least_fen: int = LOAN_FEN - posts.origination_fee_fen(LOAN_FEN)
) -> None:
    """Whatever he has, this at least, is paid out."""
    amount_fen = eventually(lambda: _received(who, least_fen))
    asked = who.person.post(f"/bidding/accounts/{who.person.account}/withdrawals", {"amount_fen": amount_fen})
    assert asked.status_code == 201, asked.text
    path = f"/bidding/bank/withdrawals/{who.person.account}/{asked.json()['id']}"
    assert town.bank(path, amount_fen).status_code == 200


def _received(who: Resident, least_fen: int) -> int:
    available = who.person.balance()["available_fen"]
    assert available >= least_fen
    return available


# --- collecting ----------------------------------------------------------------------------------------------------


def case_of(offices: Offices, who: Resident, loan: str) -> tuple[str, str]:
    """The case of a loan in the collector's queue, and where its debtor's work is done."""
    case, debtor = loan.replace("loan_", "case_"), who.person.subject.replace("usr_", "dbt_")
    lee = offices.staff("collector")
    eventually(lambda: _in_queue(lee.read("/collections/queue"), case))
    return case, f"/collections/debtors/{debtor}"


def _in_queue(page: Any, case: str) -> None:
    assert case in [item["case_id"] for item in page["items"]], page


def _collected(offices: Offices, bea: Resident, loan: str) -> dict[str, Any]:
    """A case from the queue to a promise, past everything that the gate refuses."""
    case, at = case_of(offices, bea, loan)
    lee, kim = offices.staff("collector"), offices.town.person("stf_kim", "collector")
    contacts, call = f"{at}/cases/{case}/contacts", {"channel": "call"}
    refused(lee.post(contacts, call), 409, "not_claimed")
    assert lee.post(f"{at}/cases/{case}/claim").status_code == 200
    refused(kim.post(f"{at}/cases/{case}/claim"), 404, "unknown_case")
    refused(lee.post(contacts, call | {"note": f"{bea.name} at {bea.phone}"}), 422, "invalid_request")
    other = {"channel": "letter", "party": "other", "party_id": PERSON_REFUSED}
    refused(lee.post(contacts, other), 409, "debtor_reachable")

    def contact(how: dict[str, Any], **outcome: Any) -> str:
        begun = lee.post(contacts, how)
        assert begun.status_code == 201, begun.text
        said = lee.post(f"{at}/contacts/{begun.json()['id']}/outcome", outcome)
        assert said.status_code == 201, said.text
        return str(begun.json()["id"])

    # he calls by himself and agrees to be called at any hour: the test must not depend on the hour at which it runs
    any_hour = {"from_minute": 0, "to_minute": 24 * 60}
    contact(call | {"direction": "inbound"}, outcome="reached", agreed_hours=any_hour)
    for _ in range(3):
        contact(call, outcome="no_answer")
    contact(other, outcome="refuses")
    refused(lee.post(contacts, other), 409, "party_refused")
    for outcome in ("reached", "disputes", "hardship"):
        contact(call, outcome=outcome)
    refused(lee.post(contacts, call), 409, "call_limit")
    talk = contact(call | {"direction": "inbound"}, outcome="promise", evidence="rec_1")
    return _promise(offices, lee, at, case, talk)


def _promise(offices: Offices, lee: Any, at: str, case: str, talk: str) -> dict[str, Any]:
    overdue_fen = eventually(lambda: _overdue(lee.get(f"/collections/cases/{case}")))
    body = {
        "contact_id": talk,
        "amount_fen": overdue_fen,
        "promised_on": offices.town.today.isoformat(),
    }
    made = lee.post(f"{at}/cases/{case}/promises", body)
    assert made.status_code == 201, made.text
    return {"case": case, "promise": made.json()["id"], "amount_fen": overdue_fen}


def _overdue(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    return int(answer.json()["overdue_fen"])


def _promised(offices: Offices, eve: Resident, loan: str) -> dict[str, Any]:
    """A promise for today that nobody will keep."""
    case, at = case_of(offices, eve, loan)
    lee = offices.staff("collector")
    assert lee.post(f"{at}/cases/{case}/claim").status_code == 200
    begun = lee.post(f"{at}/cases/{case}/contacts", {"channel": "call", "direction": "inbound"})
    assert begun.status_code == 201, begun.text
    talk = begun.json()["id"]
    assert lee.post(f"{at}/contacts/{talk}/outcome", {"outcome": "promise"}).status_code == 201
    return _promise(offices, lee, at, case, talk)


def _pays_what_he_promised(offices: Offices, bea: Resident, loan: str) -> None:
    overdue_fen = bea.person.read(f"/repayment/loans/{loan}")["overdue_fen"]
    offices.town.deposit(bea.person, overdue_fen + 100_00)
    body = {"loan_id": loan, "amount_fen": overdue_fen}
    paid = bea.person.post(f"/bidding/accounts/{bea.person.account}/loan-payments", body)
    assert paid.status_code == 201, paid.text
