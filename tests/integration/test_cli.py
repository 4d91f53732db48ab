"""The command line's manners: a person's mistake is one sentence and exit code 2, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.lock import STACK_LOCK, DirectoryLock
from tests.integration.warm_cli import COLUMNS, loanstream

LOANSTREAM = Path(sys.executable).with_name("loanstream")


def _environment(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOANSTREAM_")}
    return {**inherited, "LOANSTREAM_DATA_DIR": str(tmp_path / "data"), "COLUMNS": COLUMNS, **environment}


def _loanstream(tmp_path: Path, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return loanstream(argv, _environment(tmp_path, environment), tmp_path)


def _cold(tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """As a shell starts it."""
    return subprocess.run(
        [str(LOANSTREAM), *argv],
        env=_environment(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("argv", "environment", "says"),
    [
        (
            ["run", "bidding", "--roles", "api,juggler"],
            {},
            "--roles takes a comma-separated list of api, decider",
        ),
        (
            ["verify"],
            {},
            "LOANSTREAM_KAFKA is not set and no local stack runs: start one with `loanstream up`",
        ),
        (
            ["down"],
            {"LOANSTREAM_KAFAK": "x"},
            "LOANSTREAM_KAFAK is not a setting of Loanstream. Did you mean",
        ),
        (
            ["down"],
            {"LOANSTREAM_PARTITIONS": "many"},
            "LOANSTREAM_PARTITIONS: Input should be a valid integer",
        ),
        (["token", "ada"], {}, "usr_"),
        (["rules", "reporting", "--allow", "1"], {}, "reporting decides nothing: choose from onboarding"),
        (["parked", "retry", "bidding/x"], {}, "bidding/x is no address: write service/partition/position"),
        (["export", "reporting"], {}, "reporting owns no topics: choose from"),
        (["export", "--from", "3", "--to", "2"], {}, "No position lies from 3 to 2"),
        (["restore", "/no/such/archive"], {}, "/no/such/archive is no file: give one that"),
        (["restore", "/etc/hostname"], {}, "/etc/hostname is broken at byte 0"),
        (["repair", "reporting"], {}, "reporting owns no topics: choose from"),
        (
            ["bank", "top-up", "acc_a", "top_a", "5"],
            {},
            "No gateway runs: start the stack with `loanstream up`",
        ),
        (
            ["bank", "withdrawal", "acc_a", "wdr_a", "5"],
            {"LOANSTREAM_GATEWAY": "http://127.0.0.1:1"},
            "The gateway http://127.0.0.1:1 does not answer (",
        ),
        (
            ["bank", "top-up", "acc_a", "top_a", "5"],
            {"LOANSTREAM_GATEWAY": "http://127.0.0.1:1", "LOANSTREAM_BANK": "http://127.0.0.1:2"},
            "The bank at http://127.0.0.1:2 answers by itself",
        ),
        (["bank", "behave"], {}, "No bank is configured: start the stack with"),
        (
            ["bank", "behave"],
            {"LOANSTREAM_BANK": "http://127.0.0.1:1"},
            "http://127.0.0.1:1 does not answer (",
        ),
        (["bank", "serve"], {}, "The bank does not know whom to call back"),
        (["down"], {"LOANSTREAM_BANK": "127.0.0.1:1"}, "LOANSTREAM_BANK: String should match pattern"),
    ],
)
def test_a_mistake_is_a_sentence(
    tmp_path: Path, argv: list[str], environment: dict[str, str], says: str
) -> None:
    """A wrong role, a missing or dead address, a misspelt or wrong variable, a wrong subject: one sentence, exit code 2."""
    result = _loanstream(tmp_path, *argv, **environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


AWAY = {
    "LOANSTREAM_KAFKA": "127.0.0.1:1",
    "LOANSTREAM_MONGO": "mongodb://127.0.0.1:1/?directConnection=true",
    "LOANSTREAM_MONGO_WAIT_MS": "200",
    "LOANSTREAM_LOG_ID": "0" * 32,
}


@pytest.mark.parametrize(
    ("argv", "says", "code"),
    [
        (["verify"], "The Kafka broker cannot be used", 2),
        (["topics"], "The Kafka broker cannot be used", 2),
        (["export"], "The Kafka broker cannot be used", 2),
        (["backup", "/no/such/directory/archive"], "The Kafka broker cannot be used", 2),
        (["repair"], "The Kafka broker cannot be used", 2),
        (["parked", "retry", "bidding/0/0"], "The Kafka broker cannot be used", 2),
        (["resend", "bidding", "bidding.RecordDeathFlag"], "The Kafka broker cannot be used", 2),
        (["explain", "bidding/0/0"], "The Kafka broker cannot be used", 2),
        (["rebuild", "all"], "MongoDB cannot be used", 2),
        (["parked", "list"], "MongoDB cannot be used", 2),
        (["sagas"], "MongoDB cannot be used", 2),
        (["rules"], "The Kafka broker cannot be used", 2),
        (["up"], "The Kafka broker cannot be used", 2),
        # Its supervisor does not start a process again that ended with 2.
        (["run", "bidding", "--roles", "decider", "--port", "0"], "The Kafka broker cannot be used", 1),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_an_outage_is_a_sentence(tmp_path: Path, argv: list[str], says: str, code: int) -> None:
    """A broker or a database that is away proves nothing about the log: one sentence, and not the exit code of a fault."""
    result = _loanstream(tmp_path, *argv, **AWAY)
    assert (result.returncode, result.stdout) == (code, "")
    told = [line for line in result.stderr.splitlines() if line and line[0] != "{"]  # `run` logs JSON
    assert len(told) == 1
    assert told[0].startswith(f"loanstream: {says} (")


@pytest.mark.parametrize(
    ("argv", "environment", "says"),
    [
        (
            ["verify"],
            {"LOANSTREAM_KAFKA": "host:notaport"},
            "LOANSTREAM_KAFKA: Value error, 'host:notaport' is no",
        ),
        (["verify"], {"LOANSTREAM_KAFKA": "a:1,b:70000"}, "LOANSTREAM_KAFKA: Value error, 'b:70000' is no"),
        (
            ["parked", "list"],
            {"LOANSTREAM_MONGO": "mongodb://u:p@h:port/"},
            "LOANSTREAM_MONGO: Value error, 'h:port' is no",
        ),
        (
            ["parked", "list"],
            {"LOANSTREAM_MONGO": "h:27017"},
            "LOANSTREAM_MONGO: Value error, write it as mongodb://",
        ),
        (["up"], {"LOANSTREAM_DATA_DIR": "/proc/x"}, "/proc/x cannot be written ("),
        (["up", "--foreground"], {"LOANSTREAM_DATA_DIR": "/proc/x"}, "/proc/x"),
        (["token"], {"LOANSTREAM_DATA_DIR": "/etc/hostname"}, "/etc/hostname/run.env cannot be read ("),
        (["down"], {"LOANSTREAM_DATA_DIR": "/etc/hostname"}, "/etc/hostname/run.env cannot be read ("),
        (["demo", "--book", "/no/such/book.csv"], {}, "/no/such/book.csv"),
    ],
    ids=str,
)
def test_a_wrong_address_or_path_is_a_sentence(
    tmp_path: Path, argv: list[str], environment: dict[str, str], says: str
) -> None:
    """What cannot be an address, a directory or a book is refused by name before anything is started."""
    result = _loanstream(tmp_path, *argv, **environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "u:p" not in result.stderr
    assert not (tmp_path / "data" / "demo").exists()


def test_a_broken_status_stops_nobody(tmp_path: Path) -> None:
    """Where supervisor.json says nothing and no stack has the directory, nothing runs; where one has it, it is named."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "supervisor.json").write_text('{"pid":')
    result = _loanstream(tmp_path, "down")
    assert (result.returncode, result.stdout.startswith("nothing runs on")) == (0, True)
    lock = DirectoryLock(data, STACK_LOCK)
    lock.take()
    try:
        result = _loanstream(tmp_path, "down")
    finally:
        lock.release()
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        f"supervisor.json is broken, so whom to stop is only a guess: if process {os.getpid()} "
        in result.stderr
    )


def test_help_is_quick() -> None:
    """`--help` brings no client of the broker or the database along."""
    loaded = "import sys; import libs.runtime.cli; print([name for name in ('aiokafka', 'motor', 'faust') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_down_without_a_stack_says_so(tmp_path: Path) -> None:
    """Stopping what does not run is no error."""
    result = _cold(tmp_path, "down")
    assert (result.returncode, result.stdout.startswith("nothing runs on")) == (0, True)


def test_a_token_is_the_only_thing_on_stdout(tmp_path: Path) -> None:
    """`TOKEN=$(loanstream token)` works: one line, three parts."""
    result = _cold(tmp_path, "token")
    assert result.returncode == 0
    assert len(result.stdout.strip().split(".")) == 3


def test_bare_make_lists_the_verbs() -> None:
    """A person who types `make` learns every verb with one line of help."""
    root = Path(__file__).parents[2]
    said = subprocess.run(["make", "-s"], cwd=root, capture_output=True, text=True, check=True).stdout
    listed = [line.split()[1] for line in said.splitlines()]
    assert {"demo", "test", "check", "up", "down", "schemas"} <= set(listed)
