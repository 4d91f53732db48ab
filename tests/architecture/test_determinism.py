"""Pure rooms stay pure: nothing in them may differ between two runs, two processes or two hash seeds (design.md 2.11).

The rules are read from the syntax tree, so a banned call is found before any input happens to reach it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(
    path
    for pattern in (
        "libs/events/*.py",
        "services/*/domain/*.py",
        "services/*/policies.py",
        "services/*/policies/*.py",
        "services/*/projections/*.py",
    )
    for path in ROOT.glob(pattern)
)
#: The one module that may round, divide and set the decimal context.
MONEY = ROOT / "libs" / "events" / "money.py"

BANNED_MODULES = ("time", "random", "secrets", "os", "threading", "asyncio")
BANNED_CALLS = ("hash", "id", "float", "eval", "exec", "input", "open", "vars", "globals")
BANNED_ATTRIBUTES = ("now", "utcnow", "today", "uuid1", "uuid4", "getcontext", "setcontext", "perf_counter")
MONEY_ONLY = ("localcontext", "quantize")
#: What goes through all items of its argument in the argument's own order.
WALKS = ("list", "tuple", "enumerate", "iter", "zip", "map", "filter", "next", "reversed", "dict")
SET_METHODS = ("union", "intersection", "difference", "symmetric_difference")


class Finder(ast.NodeVisitor):
    """Collects what is banned, with its line."""

    def __init__(self, *, may_divide: bool = False) -> None:
        self.found: list[str] = []
        self._may_divide = may_divide
        self._sets: list[set[str]] = [set()]

    def _ban(self, node: ast.AST, what: str) -> None:
        self.found.append(f"line {getattr(node, 'lineno', '?')}: {what}")

    # --- numbers, clocks, chance --------------------------------------------------------------------------------

    def visit_Constant(self, node: ast.Constant) -> None:
        """No float and no complex literal."""
        if isinstance(node.value, float | complex):
            self._ban(node, f"{node.value!r} is a float")

    def visit_Name(self, node: ast.Name) -> None:
        """No banned builtin, called or handed on; a field may have such a name."""
        if not isinstance(node.ctx, ast.Load):
            return
        if node.id in BANNED_CALLS or node.id in BANNED_ATTRIBUTES:
            self._ban(node, node.id)
        if node.id in MONEY_ONLY and not self._may_divide:
            self._ban(node, f"{node.id} outside libs.events.money")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """No clock, no chance, no decimal context of one's own."""
        if node.attr in BANNED_ATTRIBUTES:
            self._ban(node, node.attr)
        if node.attr in MONEY_ONLY and not self._may_divide:
            self._ban(node, f"{node.attr} outside libs.events.money")
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """No module of clocks or chance."""
        for name in node.names:
            if name.name.split(".")[0] in BANNED_MODULES:
                self._ban(node, f"import {name.name}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Neither by name."""
        if (node.module or "").split(".")[0] in BANNED_MODULES:
            self._ban(node, f"from {node.module} import")
        for name in node.names:
            if name.name in BANNED_ATTRIBUTES or (name.name in MONEY_ONLY and not self._may_divide):
                self._ban(node, f"import of {name.name}")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Money is divided in one place only."""
        if isinstance(node.op, ast.Div) and not self._may_divide:
            self._ban(node, "/ outside libs.events.money")
        self.generic_visit(node)

    # --- sets have no order -------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Names of sets are known per function."""
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        known = {name.arg for name in arguments if name.annotation and _is_set_type(name.annotation)}
        self._sets.append(known)
        self.generic_visit(node)
        self._sets.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        """A name that holds a set, or no longer does."""
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._know(target.id, self._is_set(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Said or seen to be a set."""
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self._know(
                node.target.id,
                _is_set_type(node.annotation) or (node.value is not None and self._is_set(node.value)),
            )

    def _know(self, name: str, is_set: bool) -> None:
        (self._sets[-1].add if is_set else self._sets[-1].discard)(name)

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Call(func=ast.Attribute(attr=method)) if method in SET_METHODS:
                return True
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.Sub() | ast.BitXor()):
                return self._is_set(node.left) or self._is_set(node.right)
            case ast.Name():
                return any(node.id in names for names in self._sets)
            case ast.IfExp():
                return self._is_set(node.body) or self._is_set(node.orelse)
            case _:
                return False

    def _walks(self, node: ast.expr) -> None:
        if self._is_set(node):
            self._ban(node, "a set is gone through in an order that nobody chose")

    def visit_For(self, node: ast.For) -> None:
        """A loop."""
        self._walks(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """A comprehension. Making a set or asking all/any/sum of one is fine, but is written without the detour."""
        self._walks(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        """Unpacking."""
        self._walks(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Whatever keeps the order of its argument; sorted, len, sum, min, max, any and all do not."""
        match node.func:
            case ast.Name(id=name) if name in WALKS:
                for argument in node.args:
                    self._walks(argument)
            case ast.Attribute(attr="join"):
                for argument in node.args:
                    self._walks(argument)
            case ast.Attribute(attr="pop", value=value):
                self._walks(value)
            case _:
                pass
        self.generic_visit(node)


def _is_set_type(annotation: ast.expr) -> bool:
    name = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(name, ast.Name) and name.id in ("set", "frozenset", "AbstractSet")


def banned_in(source: str, *, may_divide: bool = False) -> list[str]:
    """Everything banned in a module's text."""
    finder = Finder(may_divide=may_divide)
    finder.visit(ast.parse(source))
    return finder.found


def relative(paths: list[Path]) -> Iterator[str]:
    """Paths as a test's name shows them."""
    return (path.relative_to(ROOT).as_posix() for path in paths)


@pytest.mark.parametrize("room", list(relative(ROOMS)))
def test_nothing_in_a_pure_room_can_differ_between_two_runs(room: str) -> None:
    """No float, clock, chance, object identity, own decimal context, and no order of a set."""
    path = ROOT / room
    assert not banned_in(path.read_text(), may_divide=path == MONEY)


def test_the_rooms_are_where_they_are_said_to_be() -> None:
    """A renamed room would be watched by nobody."""
    names = set(relative(ROOMS))
    assert {
        "libs/events/money.py",
        "services/bidding/domain/account.py",
        "services/bidding/policies/lending.py",
        "services/bidding/projections/balances.py",
        "services/repayment/domain/loan.py",
        "services/repayment/policies/lending.py",
    } <= names


@pytest.mark.parametrize(
    "code",
    [
        "rate = 0.1",
        "float('1')",
        "convert = float",
        "half = total / 2",
        "import random",
        "from time import time",
        "import os.path",
        "datetime.now(UTC)",
        "date.today()",
        "from uuid import uuid4",
        "uuid.uuid1()",
        "getcontext().prec = 10",
        "with localcontext(): pass",
        "amount.quantize(Decimal(1))",
        "key = hash(name)",
        "id(state)",
        "for name in {1, 2}: pass",
        "for name in set(names): pass",
        "seen = set()\nfor name in seen: pass",
        "def f(names: set[str]):\n    return [name for name in names]",
        "def f(names: frozenset[str]):\n    return tuple(names)",
        "first = next(iter({1, 2}))",
        "text = ','.join({a, b})",
        "both = [*({a} | {b})]",
        "missing = set(all_) - done\nreturned = list(missing)",
        "pending = {a for a in b}\none = pending.pop()",
        "for name in x.union(y): pass",
    ],
)
def test_each_ban_has_teeth(code: str) -> None:
    """A line that breaks the rule is found."""
    assert banned_in(code)


@pytest.mark.parametrize(
    "code",
    [
        "known = {a for a in names}\nif name in known: pass",
        "ordered = sorted({a, b})",
        "size = len(set(names))",
        "for name in sorted(set(names)): pass",
        "names = set(a)\nnames = sorted(names)\nfor name in names: pass",
        "for key in mapping: pass",
        "share = total * weight // sum(weights)",
        "rate = Decimal('0.1')",
        "class Head:\n    hash: bytes",
        "rest = a - b",
    ],
)
def test_what_is_ordered_is_allowed(code: str) -> None:
    """Membership, size and sorting do not show a set's order."""
    assert not banned_in(code)
