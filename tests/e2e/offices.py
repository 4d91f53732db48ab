"""The staff of the end-to-end tests at their posts, and people who come to them: registered, verified, assessed, applying."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from pydantic_core import to_json

from libs.runtime.auth import CUSTOMER_SCOPES
from tests import posts
from tests.e2e.town import POSITION, Person, Town, decided, eventually


@dataclass
class Resident:
    """A person with what the vault alone may know of him."""

    person: Person
    name: str
    phone: str
    identity: str
    card: str

    @property
    def secrets(self) -> list[str]:
        """What nobody finds anywhere: the whole name, its unmistakable part, and every number."""
        return [self.name, self.name.split()[-1], self.phone, self.identity, self.card]


@dataclass
class Offices:
    """Whoever works on applications and cases. `number` tells this run's people apart from those of others."""

    town: Town
    number: int = 0
    residents: list[Resident] = field(default_factory=list)

    def staff(self, scope: str) -> Person:
        """Who holds a post."""
        return self.town.person(posts.POSTS[scope][0], scope)

    def appoint(self) -> None:
        """Everybody takes his post."""
        admin = self.town.person("stf_abe", "admin")
        for subject, (roles, region) in posts.APPOINTMENTS.items():
            answer = admin.post(
                f"/onboarding/staff/{subject}/appointments", {"roles": [*roles], "region": region}
            )
            assert answer.status_code in (200, 201), answer.text
        # with his own writes in it: posts are looked up in the staff of each service
        admin.read("/onboarding/staff")
        for scope, path in (
            ("finance", "/bidding/reviews"),
            ("collections_supervisor", "/collections/queue"),
        ):
            holder = self.staff(scope)
            holder.position = admin.position
            holder.read(path)

    def register(self, name: str, *, assisted: bool = False, referrer: str | None = None) -> Resident:
        """Somebody registers by himself, or at the desk of the customer manager."""
        self.number += 1
        phone = f"1397742{self.number:04d}"
        body = {"region": "CN-31", "name": name, "phone": phone, "referrer": referrer}
        if assisted:
            answer = self.staff("customer_manager").post("/onboarding/assisted-users", body)
        else:
            answer = self.without_a_token("/onboarding/users", body)
        assert answer.status_code == 201, answer.text
        person = self.town.person(answer.json()["id"], *CUSTOMER_SCOPES)
        person.position = answer.headers[POSITION]
        number = 700 + self.number
        resident = Resident(person, name, phone, posts.identity_number(number), posts.card_number(number))
        self.residents.append(resident)
        return resident

    def without_a_token(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        """A request of nobody in particular."""
        headers = {"Idempotency-Key": key or str(uuid4()), "Content-Type": "application/json"}
        return decided(lambda: self.town.http.post(path, content=to_json(body), headers=headers))

    def verify(self, resident: Resident) -> httpx.Response:
        """He has his number and his card compared."""
        body = {"identity": resident.identity, "card": resident.card}
        return resident.person.post(f"/onboarding/users/{resident.person.subject}/verification", body)

    def welcome(self, name: str, level: list[int] | None = None, **how: Any) -> Resident:
        """Registered, verified and assessed, with an account that bidding opened by itself."""
        resident = self.register(name, **how)
        answer = self.verify(resident)
        assert (answer.status_code, answer.json()["status"]) == (201, "verified"), answer.text
        if level is not None:
            path = f"/onboarding/users/{resident.person.subject}/suitability"
            assert resident.person.post(path, {"answers": level}).status_code == 201
        eventually(resident.person.balance)
        return resident

    def apply(self, who: Resident, amount_fen: int, **wish: Any) -> str:
        """He asks for a loan; the application is at its intake when this returns."""
        asked = who.person.post("/onboarding/applications", posts.wish(amount_fen, **wish))
        assert asked.status_code == 201, asked.text
        application: str = asked.json()["id"]
        eventually(lambda: self.is_at(who, application, "intake"))
        return application

    def stage(self, who: Resident, application: str) -> str:
        """Where an application stands, as its applicant sees it."""
        found: str = who.person.read(f"/onboarding/applications/{application}")["stage"]
        return found

    def is_at(self, who: Resident, application: str, stage: str) -> None:
        """An application stands here."""
        assert self.stage(who, application) == stage

    def take(self, application: str, step: posts.Step) -> httpx.Response:
        """One step of one post."""
        return self.town.person(step.subject, step.scope).post(
            f"/onboarding/applications/{application}/{step.name}", step.body
        )

    def walk(self, application: str, *steps: posts.Step) -> None:
        """Steps that succeed, each once the one before has its consequences: approval asks another stream."""
        for step in steps:
            eventually(lambda step=step: self._taken(application, step))  # type: ignore[misc]

    def _taken(self, application: str, step: posts.Step) -> None:
        answer = self.take(application, step)
        assert answer.status_code in (200, 201), (step.name, answer.text)

    def sign(self, who: Resident, application: str) -> None:
        """He reads what he is offered and signs it."""
        offered = eventually(lambda: self._offered(who, application))
        self.walk(application, posts.acceptance(who.person.subject, offered))

    def _offered(self, who: Resident, application: str) -> dict[str, Any]:
        shown: dict[str, Any] = who.person.read(f"/onboarding/applications/{application}")
        assert shown["stage"] == "approved", shown
        return shown

    def list_loan(self, who: Resident, amount_fen: int, **more: Any) -> str:
        """The whole way of an application; the id of its loan, whose listing is open."""
        application = self.apply(who, amount_fen)
        day = self.town.today.isoformat()
        self.walk(application, *posts.to_the_offer(day, amount_fen, **more))
        self.sign(who, application)
        self.walk(application, posts.precedents())
        loan = application.replace("app_", "loan_")
        self.publish_when_prepared(loan)
        eventually(lambda: self.listing(who, loan, "open"))
        return loan

    def publish_when_prepared(self, loan: str) -> None:
        """Somebody of legal has read what investors will read of it, and lets it out."""
        eventually(lambda: self._published(loan))

    def _published(self, loan: str) -> None:
        answer = self.publish(loan)
        assert answer.status_code in (200, 201), answer.text

    def publish(self, loan: str, hash_of: str | None = None) -> httpx.Response:
        """Let a prepared listing out by the hash of its text, or of another one."""
        listing, legal = loan.replace("loan_", "lst_"), self.staff("legal")
        waiting = {each["id"]: each for each in legal.read("/bidding/publications")["items"]}
        assert listing in waiting, waiting
        text = waiting[listing]["text"] if hash_of is None else hash_of
        body = {"verdict": "approve", "content_hash": sha256(text.encode()).hexdigest()}
        return legal.post(f"/bidding/listings/{listing}/checks", body)

    def listing(self, who: Resident, loan: str, state: str) -> dict[str, Any]:
        """The listing of a loan, in a state."""
        found: dict[str, Any] = self.listing_now(who, loan).json()
        assert found.get("state") == state, found
        return found

    def listing_now(self, who: Resident, loan: str) -> httpx.Response:
        """Whatever there is of the listing of a loan."""
        return who.person.get(f"/bidding/listings/{loan.replace('loan_', 'lst_')}")
