"""The names under which every registered figure can be asked for: of parts, all that the lists of the platform show."""

from typing import Any, Final

from libs.events.views import Figure

#: A figure's view -> the address that lists what a figure of parts may be asked for there.
LISTS: Final = {
    "bidding.balances": "/bidding/accounts",
    "repayment.overdue-buckets": "/repayment/overdue-segments",
    "collections.stages": "/collections/stages",
    "onboarding.pipeline": "/onboarding/pipeline",
}


def asked(figure: Figure, shown: dict[str, Any]) -> list[str]:
    """A figure's names, given what its list shows."""
    items = shown["items"] if "items" in shown else [{"stage": stage} for stage in shown["stages"]]
    parts = dict.fromkeys(
        tuple(item["id" if part == "account" else part] for part in figure.of) for item in items
    )
    return [":".join((figure.name, *values)) for values in parts]
