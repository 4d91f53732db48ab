"""Who works at the platform in a replay: one person per post, and two where a second pair of eyes is the rule.

A post is a role in onboarding and the scope of a token; an office of the committee is a role too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from libs.events.onboarding import Office

#: Closes days and looks at figures; appoints nobody and lends nothing.
OPERATOR: Final = "stf_replay"
_OPERATOR_SCOPES: Final = ("operator", "analyst")

#: Post -> (role in onboarding, scope of the token).
_POSTS: Final[Mapping[str, tuple[str, str]]] = {
    "manager": ("customer_manager", "customer_manager"),
    "desk": ("customer_manager", "customer_manager"),
    "reviewer": ("risk", "risk"),
    "investigator": ("risk", "risk"),
    "director": ("general_manager", "committee"),
    "assessor": ("risk_assessor", "committee"),
    "treasurer": ("finance_supervisor", "committee"),
    "releaser": ("disbursement", "disbursement"),
    "cashier": ("cashier", "finance"),
    "accountant": ("accountant", "finance"),
    "caller": ("collector", "collector"),
    "writer": ("collector", "collector"),
    "supervisor": ("collections_supervisor", "collections_supervisor"),
}


@dataclass(frozen=True, slots=True)
class Staff:
    """The staff of one replay: their ids carry its tag, so that another replay on the same stack brings its own."""

    tag: str

    @property
    def admin(self) -> str:
        """Who appoints the others, and himself to nothing."""
        return f"stf_{self.tag}_admin"

    def of(self, post: str) -> str:
        """The id of who holds a post. Raises KeyError for a post that there is not."""
        if post not in _POSTS:
            raise KeyError(post)
        return f"stf_{self.tag}_{post}"

    def appointments(self) -> Iterator[tuple[str, str]]:
        """(id, role) of everybody."""
        return ((self.of(post), role) for post, (role, _) in _POSTS.items())

    def committee(self) -> tuple[tuple[str, Office], ...]:
        """(id, office) of the three who vote."""
        return (
            (self.of("director"), "general_manager"),
            (self.of("assessor"), "risk_assessor"),
            (self.of("treasurer"), "finance_supervisor"),
        )

    def reviewers(self) -> tuple[str, str]:
        """The two of finance who look at a full listing above the threshold."""
        return self.of("cashier"), self.of("accountant")

    def scopes(self) -> dict[str, tuple[str, ...]]:
        """What each one's token says."""
        found: dict[str, tuple[str, ...]] = {self.of(post): (scope,) for post, (_, scope) in _POSTS.items()}
        return found | {self.admin: ("admin",), OPERATOR: _OPERATOR_SCOPES}
