"""The examples of the OpenAPI documents that the running services show: sent as they stand, none has a wrong shape."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
from pydantic_core import to_json

from libs.runtime.auth import CUSTOMER_SCOPES, SCOPES
from libs.runtime.bank_signature import signed_headers
from tests import posts
from tests.e2e.offices import Offices
from tests.e2e.town import Person, Town, decided

SERVICES = ("onboarding", "bidding", "repayment", "collections", "reporting")
#: Told of what was sent, whoever sent it: an example that is answered so does not run.
WRONG = {"invalid_request", "malformed_json", "unexpected_parameter", "not_found", "internal"}
#: The customer whose account the examples of addresses name.
CUSTOMER = "usr_7f3a"


def callers(town: Town, operation: dict[str, Any]) -> Iterator[Person | None]:
    """Who may call it: nobody in particular, the customer of the examples, or each of the staff until one holds the post."""
    asked = {scope for way in operation["security"] for scope in way.get("bearer", ())}
    if not asked:
        yield None
    elif asked & {*CUSTOMER_SCOPES}:
        yield town.person(CUSTOMER, *SCOPES)
    else:
        yield from (town.person(subject, *SCOPES) for subject in posts.APPOINTMENTS)


def send(town: Town, who: Person | None, method: str, path: str, operation: dict[str, Any]) -> httpx.Response:
    """The example of one operation, with the example of every name in its address and of every query."""
    named: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation["parameters"]:
        if "example" in parameter:
            named[parameter["in"]][parameter["name"]] = parameter["example"]
    path = path.format(**named["path"])
    if method == "GET":
        assert who is not None
        return who.get(path, **{name: str(value) for name, value in named["query"].items()})
    ((_, media),) = operation.get("requestBody", {"content": {"": {"example": {}}}})["content"].items()
    if who is not None:
        return who.post(path, media["example"])
    body = to_json(media["example"])
    if any("bank" in way for way in operation["security"]):
        headers = signed_headers(town.stack.settings.bank_key(), path, body, now=time.time())
    else:
        headers = {"Idempotency-Key": "6f1d2c1e-0000-4000-8000-000000000001"}
    headers |= {"Content-Type": "application/json"}
    return decided(lambda: town.http.post(path, content=body, headers=headers))


def answered(town: Town, method: str, path: str, operation: dict[str, Any]) -> httpx.Response:
    """The answer to the first of its callers who is let in."""
    answers = (send(town, who, method, path, operation) for who in callers(town, operation))
    last = None
    for last in answers:  # the last one counts where nobody is let in
        if problem(last) != "forbidden_post":
            break
    assert last is not None
    return last


def problem(answer: httpx.Response) -> str:
    """The name of what is wrong, empty where nothing is."""
    return "" if answer.is_success else str(answer.json()["type"]).rpartition(":")[2]


def test_every_example_runs(town: Town) -> None:
    """Every POST of every service is decided: accepted, or refused by the name of a rule, by somebody who holds the post. Every
    GET that is no stream answers what is there, or by name that there is no such thing."""
    Offices(town).appoint()
    answers: Counter[str] = Counter()
    for service in SERVICES:
        document = town.http.get(f"/{service}/openapi.json").json()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if "/live/" in path:
                    continue
                answer = answered(town, method.upper(), path, operation)
                shown = f"{method} {path} {answer.status_code}: {answer.text[:300]}"
                assert problem(answer) not in {*WRONG, "forbidden_post"}, shown
                assert answer.status_code < 500, shown
                assert method == "post" or answer.status_code in (200, 404), shown
                answers[method] += 1
    assert answers["post"] > 40
    assert answers["get"] > 40
