"""A forked service process is to its starter what one is that was started by an exec."""

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.parts import Parts
from deploy.local.processes import Child, PartDied
from libs.runtime.settings import PREFIX
from tests.warm import Forked

_LOANSTREAM = (sys.executable, "-P", "-m", "libs.runtime.cli")


def _ended(child: Child) -> int | None:
    child.start()
    assert isinstance(child._process, Forked)
    with pytest.raises(PartDied):
        child.wait_until(lambda: False, 60)
    return child.exit_code


def test_a_forked_process_ends_like_any_other(parts: Parts, tmp_path: Path) -> None:
    """Its own session, environment and log; its exit code and the signal that killed it; and nothing is left of it."""
    log = tmp_path / "child.log"
    here = {PREFIX + "DATA_DIR": str(tmp_path / "data")}
    refused = Child("refused", [*_LOANSTREAM, "run", "bidding", "--roles", "nonsense"], log, env=here)
    assert _ended(refused) == 2
    assert "--roles takes a comma-separated list" in log.read_text()
    quick = Child("quick", [*_LOANSTREAM, "--help"], log, env=here)
    assert _ended(quick) == 0
    lasting = Child("lasting", [*_LOANSTREAM, "bank", "serve", "--port", "0"], log, env=here)
    lasting.start()
    os.kill(lasting.pid, signal.SIGSTOP)  # before it has found out that it has nobody to call back
    assert lasting.alive, log.read_text()
    assert os.getsid(lasting.pid) == lasting.pid
    pid = lasting.pid
    lasting.kill()
    assert lasting.exit_code == -9
    assert not psutil.pid_exists(pid)
