"""Settings: one place, the environment wins, nothing misspelt passes, no secret leaves its file."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from libs.runtime.env_file import write_env_file
from libs.runtime.errors import OperatorError
from libs.runtime.identity import ensure_identity, keep_log_id
from libs.runtime.settings import Settings, load_settings


def test_every_setting_is_documented() -> None:
    """Each field says what it is for and in which unit."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_environment_wins_over_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running stack's file gives an address unless the environment names another."""
    monkeypatch.delenv("LOANSTREAM_KAFKA", raising=False)
    write_env_file(
        tmp_path / "run.env", {"LOANSTREAM_KAFKA": "file:1", "LOANSTREAM_API_PORTS": '{"bidding": 7}'}
    )
    assert load_settings(tmp_path).kafka == "file:1"
    assert load_settings(tmp_path).api_ports == {"bidding": 7}
    monkeypatch.setenv("LOANSTREAM_KAFKA", "env:1")
    assert load_settings(tmp_path).kafka == "env:1"


def test_addresses_of_a_dead_stack_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """run.env of a process that is gone, killed or otherwise, is ignored; and so it is on demand."""
    monkeypatch.delenv("LOANSTREAM_KAFKA", raising=False)
    code = (
        "from pathlib import Path; from libs.runtime.env_file import write_env_file;"
        f"write_env_file(Path({str(tmp_path / 'run.env')!r}), {{'LOANSTREAM_KAFKA': 'gone:1'}})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert load_settings(tmp_path).kafka is None
    write_env_file(tmp_path / "run.env", {"LOANSTREAM_KAFKA": "here:1"})
    assert load_settings(tmp_path, use_run_file=False).kafka is None


def test_a_misspelt_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with our prefix that is no setting is refused, with the name that was probably meant."""
    monkeypatch.setenv("LOANSTREAM_KAKFA", "x:1")
    with pytest.raises(
        OperatorError, match=r"LOANSTREAM_KAKFA is not a setting .*Did you mean LOANSTREAM_KAFKA"
    ):
        load_settings(tmp_path)


def test_a_wrong_value_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that does not fit is one sentence that names the variable."""
    monkeypatch.setenv("LOANSTREAM_PARTITIONS", "0")
    with pytest.raises(OperatorError, match="LOANSTREAM_PARTITIONS: Input should be greater"):
        load_settings(tmp_path)


def test_secrets_are_minted_once_and_only_for_their_owner(tmp_path: Path) -> None:
    """Two starts see the same secrets; no other user can read them; they differ between installations."""
    first = ensure_identity(load_settings(tmp_path / "a"))
    again = ensure_identity(load_settings(tmp_path / "a"))
    other = ensure_identity(load_settings(tmp_path / "b"))
    assert first.bank_key() == again.bank_key() == load_settings(tmp_path / "a").bank_key()
    assert first.bank_key() != other.bank_key()
    for path in (first.identity_file, first.token_private_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_not_shown_and_not_handed_on(tmp_path: Path) -> None:
    """Neither the text of the settings nor a child's environment holds a secret."""
    settings = ensure_identity(load_settings(tmp_path))
    secret = settings.bank_key().hex()
    assert secret not in repr(settings)
    assert secret not in " ".join(settings.environment().values())


def test_a_child_reads_back_what_it_was_handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment made for a child gives it the same settings."""
    settings = load_settings(
        tmp_path,
        kafka="k:1",
        mongo="mongodb://m",
        topic_prefix="t.",
        mongo_database="d",
        api_ports={"bidding": 5},
        profile="demo",
    )
    settings = keep_log_id(ensure_identity(settings), "ab" * 16)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert ensure_identity(load_settings()) == settings


def test_the_log_id_outlives_a_restart(tmp_path: Path) -> None:
    """A log id once kept is there at the next start."""
    keep_log_id(ensure_identity(load_settings(tmp_path)), "cd" * 16)
    assert ensure_identity(load_settings(tmp_path)).log_id == "cd" * 16


@pytest.mark.parametrize("missing", ["require_kafka", "require_mongo", "require_log_id", "bank_key"])
def test_what_is_missing_is_a_sentence(tmp_path: Path, missing: str) -> None:
    """Asking for an address or secret that nobody set says how to get it."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    with pytest.raises(OperatorError, match=r"LOANSTREAM_\w+ .*loanstream (up|topics)"):
        getattr(settings, missing)()
