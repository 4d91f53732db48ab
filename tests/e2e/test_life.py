"""What a month of the whole platform leaves behind, over HTTP: cases closed, promises judged, holds released, books balanced."""

from typing import Any

from tests import posts
from tests.e2e.life import Life
from tests.e2e.offices import Resident
from tests.e2e.test_live import paged
from tests.e2e.town import Person, eventually


def _case(life: Life, case: str, **expected: Any) -> dict[str, Any]:
    file: dict[str, Any] = life.offices.staff("collections_supervisor").read(f"/collections/cases/{case}")
    assert {name: file[name] for name in expected} == expected, file
    return file


def _promises(life: Life, case: str, status: str) -> None:
    assert [promise["status"] for promise in _case(life, case)["promises"]] == [status]


def test_a_promise_is_kept_by_the_payment_and_its_case_closes(life: Life) -> None:
    """Paid on the day that was promised: kept, cured, out of the queue; the collector is credited with it."""
    case = life.kept["case"]
    eventually(lambda: _promises(life, case, "kept"))
    eventually(lambda: _case(life, case, state="closed", closed_because="cured"))
    eventually(lambda: _is_out_of_the_queue(life, case))
    figures = eventually(lambda: _credited(life))
    assert figures["promises_broken"] == 1


def _is_out_of_the_queue(life: Life, case: str) -> None:
    queue = life.offices.staff("collector").read("/collections/queue")["items"]
    assert case not in [item["case_id"] for item in queue]


def _credited(life: Life) -> dict[str, Any]:
    figures: dict[str, Any] = life.offices.staff("collector").read("/collections/collectors/stf_lee")
    assert (figures["promises_made"], figures["promises_kept"], figures["promises_broken"]) == (2, 1, 1)
    return figures


def test_a_promise_that_nobody_kept_is_broken_by_the_end_of_its_day(life: Life) -> None:
    """Phase 5 of the day judges it; the case goes on, higher in the queue."""
    case = life.broken["case"]
    eventually(lambda: _promises(life, case, "broken"))
    eventually(lambda: _case(life, case, state="open", broken_promises=1))
    eventually(lambda: _is_queued_as_broken(life, case))


def _is_queued_as_broken(life: Life, case: str) -> None:
    queue = life.offices.staff("collector").read("/collections/queue")["items"]
    assert [item["broken_promises"] for item in queue if item["case_id"] == case] == [1]


def test_a_lease_keeps_others_out_until_it_is_given_back(life: Life) -> None:
    """The supervisor ends the claim, and another collector of the desk takes the debtor."""
    case = life.broken["case"]
    at = f"/collections/debtors/{life.eve.person.subject.replace('usr_', 'dbt_')}"
    admin, sue = life.town.person("stf_abe", "admin"), life.offices.staff("collections_supervisor")
    appointed = admin.post(
        "/onboarding/staff/stf_jo/appointments", {"roles": ["collector"], "region": "CN-31"}
    )
    assert appointed.status_code in (200, 201)
    jo = life.town.person("stf_jo", "collector")
    assert life.offices.staff("collector").post(f"{at}/cases/{case}/claim").status_code == 200
    answer = eventually(lambda: _desk(jo.post(f"{at}/cases/{case}/claim")))
    assert answer.json()["type"] == "urn:loanstream:problem:claimed_by_another"
    assert sue.post(f"{at}/release").status_code == 200
    assert jo.post(f"{at}/cases/{case}/claim").json()["collector"] == "stf_jo"


def _desk(answer: Any) -> Any:
    assert answer.json()["type"] != "urn:loanstream:problem:unknown_collector", answer.text
    return answer


def _ended(who: Resident, application: str, stage: str) -> None:
    assert who.person.read(f"/onboarding/applications/{application}")["stage"] == stage


def test_what_is_not_answered_lapses_and_what_is_voted_down_is_rejected(life: Life) -> None:
    """Thirty days after the papers were returned; and by two votes of three, at once. Neither has a listing."""
    for (who, application), stage in ((life.lapsed, "lapsed"), (life.rejected, "rejected")):
        eventually(lambda who=who, application=application, stage=stage: _ended(who, application, stage))  # type: ignore[misc]
        answer = life.offices.listing_now(who, application.replace("app_", "loan_"))
        assert answer.status_code == 404


def test_an_expired_listing_gives_every_hold_and_the_exposure_back(life: Life) -> None:
    """Phase 1 of the day that ends the window: what ivan had held is available, and the applicant may borrow again."""
    who, loan = life.expired
    eventually(lambda: life.offices.listing(who, loan, "expired"))
    eventually(lambda: _holds_nothing(life.ivan))
    eventually(lambda: _owes_nothing(who))


def _holds_nothing(who: Resident) -> None:
    assert who.person.balance()["held_fen"] == 0


def _owes_nothing(who: Resident) -> None:
    assert who.person.read(f"/onboarding/users/{who.person.subject}")["exposure_fen"] == 0


def test_the_loans_page_shows_how_late_it_was(life: Life) -> None:
    """The class of the day: special mention while anything was overdue, penalty charged, and current after the payment."""
    eventually(lambda: _is_late(life))
    cured = eventually(lambda: _loan(life, bucket="current", overdue_fen=0))
    assert cured["rows"][0]["missed"]
    assert [row["status"] for row in cured["rows"]] == ["paid", *["future"] * (len(cured["rows"]) - 1)]
    assert cured["next_due"]["number"] == 2


def test_each_amount_of_the_loans_page_is_followed_to_its_events(life: Life) -> None:
    """What is outstanding, was paid, is due next and would end the loan: each is the sum of its events, which the history names."""
    at, person = f"/repayment/loans/{life.loan}", life.bea.person
    page = eventually(lambda: _loan(life, bucket="current", overdue_fen=0))
    lines = paged(person, f"{at}/history", "2", "event")
    kinds = [line["kind"] for line in lines.values()]
    assert {*kinds} >= {"LoanOpened", "PaymentMissed", "OverdueBucketChanged", "PaymentReceived"}
    assert [*lines.values()][-1]["left"]["outstanding_fen"] == page["outstanding_fen"]
    for figure in ("outstanding_fen", "totals.paid_fen", "next_due.open_fen", "settlement.amount_fen"):
        found = person.read(f"{at}/explanation", figure=figure)
        parts = [part["amount_fen"] for part in found["shares"] + found["computed"]]
        head, _, name = figure.rpartition(".")
        assert sum(parts) == found["value_fen"] == (page[head] if head else page)[name], found
        assert {share["event"] for share in found["shares"]} <= lines.keys()


def _is_late(life: Life) -> None:
    late = life.eve.person.read("/repayment/loans")["items"]
    assert [(loan["bucket"], loan["loan_class"]) for loan in late] == [("M1", "special_mention")]


def _loan(life: Life, **expected: Any) -> dict[str, Any]:
    loan: dict[str, Any] = life.bea.person.read(f"/repayment/loans/{life.loan}")
    assert {name: loan[name] for name in expected} == expected
    return loan


def test_the_statement_adds_up_to_the_balance(life: Life) -> None:
    """Every movement of ivan's account, page by page: their sums are what he has. Two views may be a moment apart."""
    eventually(lambda: _adds_up(life))


def _adds_up(life: Life) -> None:
    lines: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "3", "order": "oldest"}
    while True:
        page = life.ivan.person.read("/reporting/statement", **query)
        lines += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    balance = life.ivan.person.balance()
    assert sum(line["available_fen"] for line in lines) == balance["available_fen"]
    assert sum(line["held_fen"] for line in lines) == balance["held_fen"] == 0
    last = lines[-1]
    assert (last["available_after_fen"], last["held_after_fen"]) == (balance["available_fen"], 0)


def test_the_books_balance_and_nothing_is_left_in_between(life: Life) -> None:
    """Trial balance zero, clearing none open, and no saga of all services that is about these people is open."""
    reader = life.town.person("stf_ana", "analyst")
    assert reader.read("/reporting/trial-balance")["total_fen"] == 0
    eventually(lambda: _no_saga_is_open(life))
    eventually(lambda: _nothing_is_in_clearing(reader))
    eventually(lambda: _three_were_listable(reader))


def _nothing_is_in_clearing(reader: Person) -> None:
    assert reader.read("/reporting/clearing")["items"] == []


def _three_were_listable(reader: Person) -> None:
    stages = reader.read("/onboarding/pipeline")["stages"]
    assert stages["listable"] >= 3, stages


def test_the_funnel_counts_those_whose_bids_were_accepted(life: Life) -> None:
    """Six have come, four with money; ann and bea have bid in vain, so that ivan is the only one who counts as a bidder."""
    reader = life.town.person("stf_ana", "analyst")
    eventually(lambda: _funnel(reader))


def _funnel(reader: Person) -> None:
    found = {stage["stage"]: stage["users"] for stage in reader.read("/reporting/funnel")["stages"]}
    assert found == {
        "registered": 6,
        "verified": 6,
        "assessed": 5,
        "topped_up": 4,
        "bid": 1,
        "funded": 1,
    }


def _no_saga_is_open(life: Life) -> None:
    sagas = life.town.person("stf_ana", "analyst").read("/reporting/sagas")["items"]
    assert sagas == [], sagas


def test_registration_is_one_wish_and_a_number_is_one_persons(life: Life) -> None:
    """The same key is the same person; a phone or an identity number belongs to one; the documented numbers answer as said."""
    offices = life.offices
    key = "1d0c1a52-7a0e-4a9e-9a51-0c6f6a6f0b11"
    body = {"region": "CN-31", "name": "Hortensia Palindrome", "phone": "13977429999"}
    first, again = (offices.without_a_token("/onboarding/users", body, key) for _ in range(2))
    assert (first.status_code, first.content) == (201, again.content)
    taken = offices.without_a_token("/onboarding/users", body)
    assert taken.json()["type"] == "urn:loanstream:problem:phone_taken"
    person = life.town.person(first.json()["id"], "user:own")
    path = f"/onboarding/users/{person.subject}/verification"
    for number, status, said in (
        (life.bea.identity, 409, "identity_taken"),
        ("110101199003079016", 201, "name_differs"),
        ("110101199003079032", 503, "provider_unavailable"),
        ("110101199003070012", 422, "invalid_identity"),
    ):
        numbers = {"identity": number, "card": posts.card_number(999)}
        eventually(lambda n=numbers, s=status, w=said: _answers(person, path, n, s, w))  # type: ignore[misc]


def _answers(person: Person, path: str, numbers: dict[str, str], status: int, said: str) -> None:
    """Under one key: a decision that takes its time is asked for again."""
    answer = person._send("POST", path, {"Idempotency-Key": numbers["identity"]}, json=numbers)
    assert answer.status_code == status, answer.text
    assert said in answer.text


def test_a_vote_needs_the_office(life: Life) -> None:
    """Who sits on the committee votes for his office and for no other."""
    _, application = life.rejected
    step = posts.vote("general_manager")
    wrong = posts.Step("votes", "stf_fay", "committee", step.body)
    answer = life.offices.take(application, wrong)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:loanstream:problem:forbidden_office")


def test_a_lender_gets_his_papers_from_six_people(life: Life) -> None:
    """The pack of his claim became overdue while nobody worked; then each post does its step, and he is sent it as he wishes."""
    town, ivan, claim = life.town, life.ivan.person, life.loan.removeprefix("loan_") + "_1"
    pack = eventually(lambda: _overdue_pack(ivan, claim))
    at = f"/bidding/deal-packs/pack_{claim}"
    assert ivan.post(f"{at}/delivery", {"channel": "email"}).status_code == 201
    done = [
        town.person(signer, "papers").post(f"{at}/steps", {"step": step})
        for step, signer in posts.PACK_SIGNERS.items()
    ]
    assert [answer.status_code for answer in done] == [201] * len(done), [answer.text for answer in done]
    assert (done[-1].json()["next_step"], done[-1].json()["channel"]) == (None, "email")
    alone = town.person("stf_ulf", "papers").post(f"{at}/steps", {"step": "review"})
    assert alone.json()["type"] == "urn:loanstream:problem:forbidden_post"
    certificate = ivan.get(f"/bidding/certificates/clm_{claim}.pdf")
    assert (certificate.status_code, certificate.headers["content-type"]) == (200, "application/pdf")
    assert pack["certificate_hash"].encode() in certificate.content
    assert life.bea.person.get(f"/bidding/certificates/clm_{claim}.pdf").status_code == 404


def _overdue_pack(who: Person, claim: str) -> dict[str, Any]:
    packs = who.read("/bidding/deal-packs")["items"]
    [pack] = [pack for pack in packs if pack["claim_id"] == f"clm_{claim}"] or [{}]
    assert (pack.get("is_overdue"), pack.get("next_step")) == (True, "receipt"), packs
    assert pack["pack_id"] == f"pack_{claim}"
    return dict(pack)
