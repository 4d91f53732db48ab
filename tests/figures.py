"""The names under which every registered figure can be asked for: of parts, all that the lists of the platform show."""

from typing import Any, Final

from libs.events.views import Figure

#: A figure's view -> the address that lists what a figure of parts may be asked for there.
LISTS: Final = {
    "bidding.balances": "/bidding/accounts",
    "repayment.overdue-buckets": "/repayment/overdue-segments",
    "repayment.loan-history": "/repayment/running-loans",
    "collections.stages": "/collections/stages",
    "onboarding.pipeline": "/onboarding/pipeline",
}
#: Parts that are called by what the list calls `id`.
_BY_ID: Final = ("account", "loan")
#: Of loans only the first is asked for: each has lines of its own, and each line is read from the log.
_LOANS: Final = 1


def asked(figure: Figure, shown: dict[str, Any]) -> list[str]:
    """A figure's names, given what its list shows."""
    items = shown["items"] if "items" in shown else [{"stage": stage} for stage in shown["stages"]]
    parts = dict.fromkeys(
        tuple(item["id" if part in _BY_ID else part] for part in figure.of) for item in items
    )
    return [
        ":".join((figure.name, *values)) for values in [*parts][: _LOANS if "loan" in figure.of else None]
    ]
