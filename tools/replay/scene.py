"""What those who play a plan share: the platform's two faces, the staff, and the ids that the platform gave to the plan's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from tools.replay.log_tail import Fact
from tools.replay.staff import Staff


class Asks(Protocol):
    """The calls of Gateway that playing needs."""

    async def post(self, user: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See Gateway."""

    async def bank(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See Gateway."""

    async def read(self, user: str, path: str) -> dict[str, Any] | None:
        """See Gateway."""


class Tells(Protocol):
    """What playing needs of LogTail."""

    @property
    def business_date(self) -> date | None:
        """See LogTail."""

    async def closed(self, business_date: date) -> None:
        """See LogTail."""

    async def dated(self, service: str, business_date: date) -> None:
        """See LogTail."""

    async def told(self, *facts: Fact) -> Fact:
        """See LogTail."""


@dataclass(slots=True)
class Scene:
    """`users` are the platform's ids of people by their names in the plan; `loans` what the ids of each loan's application,
    listing, loan and case share, by the book's number."""

    gateway: Asks
    log: Tells
    staff: Staff
    users: dict[str, str] = field(default_factory=dict)
    loans: dict[str, str] = field(default_factory=dict)

    def account(self, user: str) -> str:
        """A person's custody account."""
        return "acc_" + self.users[user].removeprefix("usr_")

    def debtor(self, user: str) -> str:
        """A person as collections knows him."""
        return "dbt_" + self.users[user].removeprefix("usr_")

    def application(self, loan: str) -> str:
        """The application for a loan of the book."""
        return f"app_{self.loans[loan]}"

    def listing(self, loan: str) -> str:
        """Its listing."""
        return f"lst_{self.loans[loan]}"

    def loan(self, loan: str) -> str:
        """The loan here."""
        return f"loan_{self.loans[loan]}"

    def case(self, loan: str) -> str:
        """The case of its arrears."""
        return f"case_{self.loans[loan]}"
