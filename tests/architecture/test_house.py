"""The house's own rules, with teeth: rooms import only what they may, modules stay small and say why they exist."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("libs", "services", "deploy", "tools")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*argv], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_import_contracts_hold() -> None:
    """Services never import each other, libs no service, pure rooms nothing impure (import-linter)."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = _run(str(linter))
    assert result.returncode == 0, result.stdout + result.stderr


def test_collections_of_the_standard_library_is_not_shadowed() -> None:
    """With everything imported, `collections` is still Python's own and ours is `services.collections`."""
    code = (
        "import services.collections.app, collections, sys; "
        "assert hasattr(collections, 'OrderedDict'), collections.__file__; "
        f"assert {str(ROOT / 'services')!r} not in [p.rstrip('/') for p in sys.path]"
    )
    result = _run(sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr
    assert (ROOT / "services" / "__init__.py").exists()


def test_every_module_imports_without_a_socket_or_a_loop() -> None:
    """Importing any module opens no socket and starts no event loop."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES]
    names = [name.removesuffix(".__init__") for name in modules if not name.endswith("deploy.local.launch")]
    code = (
        "import asyncio, importlib, socket, sys\n"
        "def closed(*a, **k): raise AssertionError('a socket was opened at import time')\n"
        "real = socket.socket\n"
        "class Closed(real):\n"
        "    def __init__(self, *a, **k): closed()\n"
        "socket.socket = Closed\n"
        "asyncio.new_event_loop = closed\n"
        "sys.argv = ['import-test']\n"
        "for name in sys.stdin.read().split(): importlib.import_module(name)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        input="\n".join(names),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("library", ["aiokafka", "faust", "motor", "rocksdict"])
def test_each_driver_is_named_in_one_module(library: str) -> None:
    """Faust, aiokafka, motor and rocksdict are each imported by one module only; the bench's bare baseline is not ours."""
    homes = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if path != ROOT / "tools" / "bench" / "baselines.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] == library for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == library)
    }
    assert len(homes) == 1, homes


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_is_small_and_says_why_it_exists(path: Path) -> None:
    """Every module opens with its reason to exist; functions stay under 70 lines, files under 400."""
    text = path.read_text()
    tree = ast.parse(text)
    empty_package = path.name == "__init__.py" and not tree.body
    assert empty_package or ast.get_docstring(tree), "no docstring"
    assert len(text.splitlines()) <= FILE_LINES_MAX, f"{len(text.splitlines())} lines"
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long, long


def test_every_test_says_what_must_hold_and_none_is_skipped() -> None:
    """Each test has a docstring; nothing is skipped, expected to fail, or slept through."""
    faults: list[str] = []
    for path in TESTS:
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
            if named and not ast.get_docstring(node):  # type: ignore[arg-type]  # narrowed by `named`
                faults.append(f"{path.relative_to(ROOT)}: {node.name} has no docstring")  # type: ignore[attr-defined]
        banned = ("mark.ski" + "p", "pytest.ski" + "p(", "xfai" + "l", "importorski" + "p")
        faults += [f"{path.relative_to(ROOT)}: {word}" for word in banned if word in text]
    assert not faults, faults


def test_no_registry_or_machine_path_is_named() -> None:
    """The tree names no package index, proxy or path of one machine."""
    listed = _run("git", "ls-files", "-co", "--exclude-standard").stdout.split()
    banned = ("pypi" + ".org", "index" + "-url =", "/root" + "/", "/home" + "/", "/work" + "/")
    faults = [
        f"{name}: {word}"
        for name in listed
        if (ROOT / name).is_file() and (ROOT / name).suffix not in {".png", ".sha256"}
        for word in banned
        if word in (ROOT / name).read_text(errors="replace")
    ]
    assert not faults, faults
