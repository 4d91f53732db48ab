"""The allow-list contract has teeth: what is not on the list is found, wherever in the room it is imported."""

import grimp
import pytest

from tools.import_contracts import OnlyTheseImports


def _contract() -> OnlyTheseImports:
    return OnlyTheseImports(
        name="pure rooms",
        session_options={},
        contract_options={
            "modules": ["services.*.domain", "services.*.policies"],
            "allowed": ["stdlib", "libs.events", "own:commands", "own:room"],
            "forbidden_stdlib": ["random"],
        },
    )


def _illegal(importer: str, imported: str) -> list[str]:
    graph = grimp.ImportGraph()
    for module in (importer, imported):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported, line_number=3, line_contents="…")
    found: list[dict[str, str]] = _contract().check(graph, verbose=False).metadata["illegal"]
    return [illegal["imported"] for illegal in found]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("services.bidding.domain.account", "dataclasses"),
        ("services.bidding.domain.account", "libs.events.money"),
        ("services.bidding.domain.account", "services.bidding.commands"),
        ("services.bidding.domain.account", "services.bidding.domain.profile"),
        ("services.bidding.domain", "services.bidding.domain.account"),
        ("services.bidding.policies", "services.bidding.commands"),
        ("services.bidding.api.routes", "fastapi"),
        ("services.bidding.app", "libs.runtime.service"),
    ],
)
def test_what_a_room_may_import_is_kept(importer: str, imported: str) -> None:
    """The standard library, libs.events, own commands and the own room pass; other rooms are none of this contract's business."""
    assert _illegal(importer, imported) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("services.bidding.domain.account", "random"),
        ("services.bidding.domain.account", "pydantic"),
        ("services.bidding.domain.deep.down", "libs.runtime.kafka"),
        ("services.bidding.domain.account", "services.repayment.commands"),
        ("services.bidding.domain.account", "services.bidding.api"),
        ("services.bidding.policies", "services.bidding.domain.account"),
        ("services.bidding.policies", "libs.eventsourcing"),
    ],
)
def test_what_a_room_may_not_import_is_found(importer: str, imported: str) -> None:
    """A forbidden standard module, a library, the runtime, another service and another room each break the contract."""
    assert _illegal(importer, imported) == [imported]
