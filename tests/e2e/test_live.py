"""Views as streams through the gateway: what is told, to whom, how a client goes on, and that nothing on the way cuts it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.streams import Stream, watching
from tests.e2e.test_story import funded_loan
from tests.e2e.town import Person, Town, eventually

ACCOUNTS = "/bidding/live/accounts"
BUCKETS = "/repayment/live/overdue-buckets"
QUEUE = "/collections/live/queue"
LISTINGS = "/bidding/live/listings"


def available(stream: Stream) -> tuple[str, int]:
    """Whose balance changed, and what is available now."""
    event = stream.next()
    assert event["type"] == "loanstream.bidding.balances.changed.v1"
    assert (event["specversion"], event["source"]) == ("1.0", "/loanstream/views/bidding.balances")
    assert event["subject"] == event["data"]["id"]
    return event["subject"], event["data"]["available_fen"]


def test_a_balance_is_told_when_it_changes_and_a_client_goes_on_where_he_was(town: Town) -> None:
    """His own deposits and nobody else's; after a lost connection what happened meanwhile, once each and in order."""
    ada, bob = town.customer("ada"), town.customer("bob")
    ada.balance()  # the account that she opened is shown before she looks, so its opening is not told as a change
    with watching(ada, ACCOUNTS) as stream:
        town.deposit(bob, 700)
        town.deposit(ada, 100)
        assert available(stream) == (ada.account, 100)
        town.deposit(ada, 20)
        assert available(stream) == (ada.account, 120)
        known = stream.last_id
    town.deposit(bob, 700)
    for amount_fen in (3, 4):
        town.deposit(ada, amount_fen)
        assert ada.balance()["available_fen"] in (123, 127)
    with watching(ada, ACCOUNTS, after=known) as stream:
        # a change is told with what the document is by then, so the first may show both deposits already
        seen = [available(stream), available(stream)]
        assert seen[0] in ((ada.account, 123), (ada.account, 127))
        assert seen[1] == (ada.account, 127)


def test_an_analyst_is_told_of_every_account(town: Town) -> None:
    """With whose it is; the page says the same, also page by page, and sees the writer's position."""
    ann, cid = town.person("stf_ann", "analyst"), town.customer("cid")
    with watching(ann, ACCOUNTS) as stream:
        town.deposit(cid, 4_217)
        event = _until(stream, "available_fen", 4_217)
        assert (event["subject"], event["data"]["owner"]) == (cid.account, cid.subject)
    ann.position = cid.position
    assert paged(ann, "/bidding/accounts", "2", "id")[cid.account]["available_fen"] == 4_217
    own = cid.read("/bidding/accounts")
    assert [(one["id"], one["available_fen"]) for one in own["items"]] == [(cid.account, 4_217)]


def paged(person: Person, path: str, limit: str, name: str) -> dict[str, Any]:
    """All items of a list, read by its cursors; none comes twice."""
    found: dict[str, Any] = {}
    query = {"limit": limit}
    while True:
        page = person.read(path, **query)
        assert len(page["items"]) <= int(limit)
        for item in page["items"]:
            assert item[name] not in found
            found[item[name]] = item
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.slow
def test_a_quiet_stream_is_not_cut(town: Town) -> None:
    """A stream of which nothing is told for longer than the gateway waits for anything else goes on."""
    dan = town.customer("dan")
    dan.balance()  # the account that he opened is shown before he looks, so nothing is left to be told
    with watching(dan, ACCOUNTS) as stream:
        stream.next_ping()  # 15 s: above the gateway's limits for headers and bodies
        town.deposit(dan, 100)
        assert available(stream) == (dan.account, 100)


def test_streams_are_not_for_strangers(town: Town) -> None:
    """No token 401; a scope that does not open the page does not open the stream either: 403; nobody's desk: 404."""
    eve = town.customer("eve")
    for path in (ACCOUNTS, BUCKETS, QUEUE):
        assert town.http.get(path).status_code == 401
    for path, person in (
        (ACCOUNTS, town.person("stf_lee", "collector")),
        (BUCKETS, eve),
        (QUEUE, eve),
        (QUEUE, town.operator()),
    ):
        refused = person.get(path)
        assert refused.status_code == 403, path
        assert refused.json()["type"] == "urn:loanstream:problem:forbidden_scope"
    nobody = town.person("stf_nobody", "collector").get(QUEUE)
    assert (nobody.status_code, nobody.json()["type"]) == (404, "urn:loanstream:problem:unknown_collector")


@pytest.mark.slow
def test_streams_leave_nothing_behind(town: Town) -> None:
    """A process serves 200 streams at a time: many more that come and go, a few at a time, are all served."""
    fay = town.customer("fay")

    def look(_number: int) -> bool:
        with watching(fay, ACCOUNTS):
            return True

    with ThreadPoolExecutor(max_workers=6) as looking:
        assert all(looking.map(look, range(205)))


@pytest.mark.slow
def test_a_missed_instalment_is_told_to_those_who_work_it(town: Town) -> None:
    """How its listing fills and is funded to anybody, as the page says it. The bucket to the analyst, the case to the collector of its desk; who claims it takes it from the others, and is told
    of his own writes; another desk hears nothing. What is paid is gone."""
    lee, may, late = (collector(town, name) for name in ("lee", "may", "late"))
    chief = appointed(town, "chief", "collections_supervisor")
    eventually(lambda: _is_let_in(chief))
    desk = {"stages": ["late"], "regions": [], "skills": []}
    moved = chief.post(f"/collections/collectors/{late.subject}/desk", desk)
    assert moved.status_code == 200, moved.text
    eventually(lambda: _stages(late, ["late"]))

    borrower, ada, bea = town.customer("bo"), town.customer("ada", 60_000), town.customer("bea", 40_000)
    with watching(town.customer("eve"), LISTINGS) as listings:
        loan_id = funded_loan(town, borrower, ada, bea)
        seen = [_until(listings, "loan_id", loan_id)["data"]]
        while seen[-1]["state"] != "funded":
            seen.append(_until(listings, "loan_id", loan_id)["data"])
            assert seen[-1]["raised_fen"] >= seen[-2]["raised_fen"]
        assert seen[-1] == ada.read(f"/bidding/listings/{seen[0]['id']}")
    _spend(town, borrower, 98_000)
    due = date.fromisoformat(borrower.read(f"/repayment/loans/{loan_id}")["rows"][0]["due_on"])
    town.close_days_through(due)
    analyst = town.person("stf_ann", "analyst")
    with (
        watching(analyst, BUCKETS) as buckets,
        watching(lee, QUEUE) as of_lee,
        watching(may, QUEUE) as of_may,
        watching(chief, QUEUE) as of_chief,
    ):
        town.close_days_through(town.today)
        assert _until(buckets, "bucket", "M1")["data"]["loans"] >= 1
        case = _until(of_lee, "loan_id", loan_id)["data"]
        assert (case["stage"], case["overdue_fen"]) == ("early", 34_002)
        known = of_lee.last_id
        for stream in (of_may, of_chief):
            assert _until(stream, "loan_id", loan_id)["data"]["case_id"] == case["case_id"]

        claimed = lee.post(f"/collections/debtors/{case['debtor_id']}/cases/{case['case_id']}/claim")
        assert claimed.status_code == 200, claimed.text
        assert lee.position
        own = paged(lee, "/collections/queue", "1", "case_id")[case["case_id"]]
        assert own["claimed_by"] == lee.subject
        may.position = lee.position
        assert case["case_id"] not in paged(may, "/collections/queue", "1", "case_id")
        assert _until(of_lee, "claimed_by", lee.subject)["data"]["case_id"] == case["case_id"]
        assert _until(of_chief, "claimed_by", lee.subject)["data"]["case_id"] == case["case_id"]
        _until_gone(of_may, case["case_id"])

        # he pays: nobody has the case any more
        town.deposit(borrower, 34_002)
        body = {"loan_id": loan_id, "amount_fen": 34_002}
        paid = borrower.post(f"/bidding/accounts/{borrower.account}/loan-payments", body)
        assert paid.status_code == 201, paid.text
        _until_gone(of_lee, case["case_id"])
        _until_gone(of_chief, case["case_id"])

    # ids are places in the whole view, so the other desk can go on from where this one was: nothing since is its business
    with watching(late, QUEUE, after=known) as stream:
        stream.next_ping()
    analyst.position = paid.headers["Loanstream-Position"]
    assert {"current", "M1"} <= set(paged(analyst, "/repayment/overdue-buckets", "1", "bucket"))


def collector(town: Town, name: str) -> Person:
    """A member of staff with a desk."""
    person = appointed(town, name, "collector")
    eventually(lambda: _stages(person, ["early"]))
    return person


def appointed(town: Town, name: str, role: str) -> Person:
    """A member of staff with a role and the scope of that name."""
    staff = f"stf_{name}{uuid4().hex[:6]}"
    answer = town.person("stf_admin", "admin").post(
        f"/onboarding/staff/{staff}/appointments", {"roles": [role], "region": None}
    )
    assert answer.status_code == 201, answer.text
    return town.person(staff, role)


def _is_let_in(chief: Person) -> None:
    assert chief.get("/collections/queue").status_code == 200


def _stages(person: Person, stages: list[str]) -> None:
    desk = person.get(f"/collections/collectors/{person.subject}")
    assert (desk.status_code, desk.json().get("stages")) == (200, stages), desk.text


def _spend(town: Town, person: Person, amount_fen: int) -> None:
    """He has all of it paid out."""
    eventually(lambda: _has(person, amount_fen))
    out = person.post(f"/bidding/accounts/{person.account}/withdrawals", {"amount_fen": amount_fen})
    paid = town.bank(f"/bidding/bank/withdrawals/{person.account}/{out.json()['id']}", amount_fen)
    assert paid.status_code == 200, paid.text


def _has(person: Person, amount_fen: int) -> None:
    assert person.balance()["available_fen"] == amount_fen


def _until(stream: Stream, name: str, value: str | int) -> dict[str, Any]:
    """The next event whose data say this; others of the same town come between."""
    while True:
        event = stream.next()
        if event["data"] is not None and event["data"].get(name) == value:
            return event


def _until_gone(stream: Stream, case_id: str) -> None:
    while True:
        event = stream.next()
        if event["data"] is None and event["subject"].endswith(f":{case_id}"):
            return
