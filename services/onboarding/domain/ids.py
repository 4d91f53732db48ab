"""How ids are told apart, and how those of one loan follow from each other."""

import re

from libs.events.deciding import Refused

#: A prefix, an underscore, and at most 64 characters that neither a document's path nor an address gives a meaning.
_ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}", re.ASCII)


def is_id(name: str, prefix: str) -> bool:
    """Whether it is an id with this prefix (`usr`, `stf`, `app` …)."""
    return _ID.fullmatch(name) is not None and name.startswith(f"{prefix}_")


def require_id(name: str, prefix: str, code: str) -> None:
    """Refused with `code` unless it is an id with this prefix."""
    if not is_id(name, prefix):
        raise Refused(code)


def loan_of(application_id: str) -> str:
    """The loan that an application may become: `loan_` + the suffix of `app_…`. Refused: `invalid_application`."""
    require_id(application_id, "app", "invalid_application")
    return f"loan_{application_id.removeprefix('app_')}"
