"""How the platform behaves towards honest clients on a bad day: races, double clicks, deaths, a look at one's own writes."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import httpx

from tests.e2e.town import Person, Town, eventually


def test_ones_own_writes_are_seen_at_once(town: Town) -> None:
    """With the last answer's position, the first read that is not called stale shows that answer's effect, every time."""
    gil = town.customer("gil")
    for round_number in range(1, 11):
        town.deposit(gil, 100)
        told = gil.position
        assert gil.balance()["available_fen"] == 100 * round_number
        assert gil.position == told


def test_racing_bids_never_overdraw(town: Town) -> None:
    """Twenty bids at once on money for five: five are held, fifteen refused, and the listing holds exactly those five."""
    hal, bo = town.customer("hal", 50_000), town.customer("bo")
    listing_id = town.list_loan(bo, 1_000_000)["id"]
    body = {"listing_id": listing_id, "amount_fen": 10_000}

    def bid(_number: int) -> int:
        person = Person(town.http, hal.subject, hal.token)
        return person.post(f"/bidding/accounts/{hal.account}/bids", body).status_code

    with ThreadPoolExecutor(max_workers=20) as clicks:
        statuses = sorted(clicks.map(bid, range(20)))
    assert statuses == [201] * 5 + [409] * 15
    eventually(lambda: _raised(hal, listing_id, 50_000))
    eventually(lambda: _held(hal, 50_000))
    assert hal.balance()["available_fen"] == 0


def _raised(person: Person, listing_id: str, amount_fen: int) -> None:
    assert person.read(f"/bidding/listings/{listing_id}")["raised_fen"] == amount_fen


def test_a_double_click_is_one_wish(town: Town) -> None:
    """Ten requests at once with one key: one withdrawal, ten equal answers."""
    ivy = town.customer("ivy", 1_000)
    path, key = f"/bidding/accounts/{ivy.account}/withdrawals", uuid4().hex

    def click(_number: int) -> tuple[int, bytes]:
        answer = Person(town.http, ivy.subject, ivy.token).post(path, {"amount_fen": 100}, key=key)
        return answer.status_code, answer.content

    with ThreadPoolExecutor(max_workers=10) as clicks:
        answers = set(clicks.map(click, range(10)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    eventually(lambda: _held(ivy, 100))


def _held(person: Person, amount_fen: int) -> None:
    assert person.balance()["held_fen"] == amount_fen


def test_an_answer_outlives_the_process_that_gave_it(town: Town) -> None:
    """After a kill -9 of api, decider and policy, the same key and body give the same bytes; nothing happened twice."""
    joe = town.customer("joe", 5_000)
    path, key = f"/bidding/accounts/{joe.account}/withdrawals", uuid4().hex
    first = joe.post(path, {"amount_fen": 3_000}, key=key)
    refused = joe.post(path, {"amount_fen": 3_000}, key=key + "x")
    assert (first.status_code, refused.status_code) == (201, 409)

    town.stack.child("bidding").kill()
    town.stack.check()

    def again(which: str, expected: httpx.Response) -> None:
        answer = joe.post(path, {"amount_fen": 3_000}, key=which)
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)

    eventually(lambda: again(key, first))
    eventually(lambda: again(key + "x", refused))
    eventually(lambda: _held(joe, 3_000))
    assert joe.balance()["available_fen"] == 2_000


def test_a_command_can_be_asked_for(town: Town) -> None:
    """What became of a command stands at its address: for its sender, and for nobody else."""
    kim, lou = town.customer("kim"), town.customer("lou")
    asked = kim.post(f"/bidding/accounts/{kim.account}/top-ups", {"amount_fen": 100}).json()
    path = f"/bidding/commands/{UUID(asked['id'].removeprefix('top_'))}"
    shown = eventually(lambda: kim.read(path))
    assert (shown["type"], shown["status"], shown["answer"]) == ("bidding.RequestTopUp", "decided", asked)
    other = lou.get(path)
    assert (other.status_code, other.json()["type"]) == (404, "urn:loanstream:problem:unknown_command")
