"""An import-linter contract that says what a room *may* import, where the built-in ones only say what it may not.

Purity is a promise about everything that is not on the list: a deny list would let the next library through. Named in
pyproject.toml as contract type `only_these`.
"""

from __future__ import annotations

import sys
from typing import TypedDict

import grimp
from importlinter import Contract, ContractCheck, fields, output


class IllegalImport(TypedDict):
    """One import that no entry of `allowed` covers."""

    importer: str
    imported: str
    lines: tuple[int, ...]


def _covers(pattern: str, module: str) -> bool:
    """True if `module` is the package that `pattern` names, or lies inside it; `*` stands for one name."""
    wanted = pattern.split(".")
    actual = module.split(".")
    return len(actual) >= len(wanted) and all(
        want in ("*", have) for want, have in zip(wanted, actual, strict=False)
    )


class OnlyTheseImports(Contract):
    """Modules inside `modules` may directly import what `allowed` names, and nothing else.

    `allowed` holds packages (`libs.events`), `stdlib` (less `forbidden_stdlib`) or `own:<name>`: for the module
    services.bidding.domain.account, `own:commands` is services.bidding.commands and `own:room` services.bidding.domain.
    Importing nothing at all, or a pattern that matches no module yet, is fine.
    """

    type_name = "only_these"

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())
    forbidden_stdlib = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Walk every import of the named modules; the graph is import-linter's."""
        illegal = [
            IllegalImport(importer=importer, imported=imported, lines=self._lines(graph, importer, imported))
            for importer in sorted(graph.modules)
            if any(_covers(pattern, importer) for pattern in self._texts("modules"))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._is_allowed(importer, imported)
        ]
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per illegal import, with the place to go to."""
        illegal: list[IllegalImport] = check.metadata["illegal"]
        for found in illegal:
            lines = ", ".join(f"l. {line}" for line in found["lines"])
            output.print_error(f"- {found['importer']} -> {found['imported']} ({lines})", bold=False)
        output.new_line()

    def _texts(self, field: str) -> list[str]:
        texts: list[str] = getattr(self, field)
        return texts

    def _is_allowed(self, importer: str, imported: str) -> bool:
        top = imported.split(".")[0]
        if top in sys.stdlib_module_names:
            return "stdlib" in self._texts("allowed") and top not in self._texts("forbidden_stdlib")
        service = importer.split(".")[:2]
        room = importer.split(".")[2] if len(importer.split(".")) > 2 else ""
        for entry in self._texts("allowed"):
            if entry.startswith("own:"):
                name = entry.removeprefix("own:")
                entry = ".".join([*service, room if name == "room" else name])
            if _covers(entry, imported):
                return True
        return False

    @staticmethod
    def _lines(graph: grimp.ImportGraph, importer: str, imported: str) -> tuple[int, ...]:
        details = graph.get_import_details(importer=importer, imported=imported)
        return tuple(detail["line_number"] for detail in details)
