"""The command line as of the release that a file names: this one, the next, whose rules are newer and whose events say more, or the one before,
whose policies do less.

`python -m tests.integration.releases FILE run bidding …`: whoever deploys writes the file and starts the process again.
"""

import sys
from pathlib import Path

BEFORE, THIS, NEXT = "before", "this", "next"
#: What the next release tells in an event, and this one does not know.
NEW_FIELD = "opened_through"


def become_the_next() -> None:
    """Declare one event anew with an optional field, before any service is loaded, and raise bidding's rules."""
    from libs.events import bidding as language
    from libs.events.codec import EVENT_TYPES, event, name_of

    name = name_of(language.AccountOpened)
    del EVENT_TYPES[name]

    @event(name)
    class AccountOpened:
        account_id: str
        owner: str
        opened_through: str | None = "app"

    language.AccountOpened = AccountOpened  # type: ignore[assignment]  # what domain and policies import from now on
    from services.bidding import app

    app.RULES += 1


def become_the_one_before() -> None:
    """Nobody who is verified gets an account: that step of bidding's policies is not there yet."""
    from services.bidding.commands import OpenAccount
    from services.bidding.policies import POLICIES

    real = POLICIES["onboarding"]
    POLICIES["onboarding"] = lambda event: [
        send for send in real(event) if not isinstance(send.command, OpenAccount)
    ]


if __name__ == "__main__":
    release = Path(sys.argv.pop(1))
    if release.read_text(encoding="utf-8") == NEXT:
        become_the_next()
    elif release.read_text(encoding="utf-8") == BEFORE:
        become_the_one_before()
    from libs.runtime.cli import main

    main()
