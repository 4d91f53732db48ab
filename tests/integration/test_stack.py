"""The stack's own conduct, with small stand-ins for the service processes: order, restarts, refusals, nothing left."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.local.parts import Parts
from deploy.local.processes import PartDied
from deploy.local.stack import ProcessPlan, Stack, answers
from libs.runtime.errors import OperatorError
from libs.runtime.settings import load_settings
from tests.conftest import MakeSettings

_READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
_CRASHING = "raise SystemExit(1)"

BIDDING = ProcessPlan("bidding", "bidding", "api")


def _stand_in(code: str = _READY) -> Callable[[ProcessPlan, int], list[str]]:
    return lambda _plan, port: [sys.executable, "-c", code, str(port)]


def _dead_within(stack: Stack, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while stack.child("bidding").alive:
        assert time.monotonic() < deadline, "the process still lives"
        time.sleep(0.02)


def test_a_started_stack_is_complete_and_a_stopped_one_is_gone(
    parts: Parts, make_settings: MakeSettings
) -> None:
    """start() gives every address and the log id, for other commands too; after stop() neither process nor address is left."""
    settings = make_settings()
    stack = Stack(settings, processes=(BIDDING,), command=_stand_in(), parts=parts)
    with stack:
        filled = stack.settings
        assert filled.log_id is not None
        assert answers(filled.api_ports["bidding"], "/readyz")
        assert load_settings(settings.data_dir) == filled
        assert answers(int(str(filled.gateway).rsplit(":", 1)[1]), "/healthz")
        pid = stack.child("bidding").pid
    assert not psutil.pid_exists(pid)
    assert load_settings(settings.data_dir).gateway is None
    assert load_settings(settings.data_dir).log_id == filled.log_id
    parts.check()


def test_a_killed_service_is_started_again(parts: Parts, make_settings: MakeSettings) -> None:
    """A service process that dies comes back on its port; its death is counted."""
    with Stack(make_settings(), processes=(BIDDING,), command=_stand_in(), parts=parts) as stack:
        first = stack.child("bidding").pid
        os.kill(first, signal.SIGKILL)
        _dead_within(stack)
        stack.check()
        child = stack.child("bidding")
        child.wait_until(lambda: answers(stack.settings.api_ports["bidding"], "/readyz"), 60)
        assert (child.pid != first, stack.restarts) == (True, 1)


def test_a_service_that_keeps_dying_ends_the_stack(parts: Parts, make_settings: MakeSettings) -> None:
    """Four deaths within a minute are reported instead of tried again for ever."""
    with Stack(make_settings(), processes=(BIDDING,), command=_stand_in(), parts=parts) as stack:
        for _ in range(3):
            stack.child("bidding").kill()
            stack.check()
        stack.child("bidding").kill()
        with pytest.raises(PartDied, match="bidding ended unexpectedly"):
            stack.check()


def test_a_service_that_asks_for_a_person_is_not_started_again(
    parts: Parts, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Exit code 2 is an operator's error: it is told at once, with what the process said."""
    marker = tmp_path / "refuse"
    code = f"import os, sys\nif os.path.exists({str(marker)!r}): print('delete the store'); sys.exit(2)\n{_READY}"
    with Stack(make_settings(), processes=(BIDDING,), command=_stand_in(code), parts=parts) as stack:
        marker.touch()
        stack.child("bidding").kill()
        stack.check()
        _dead_within(stack)
        with pytest.raises(PartDied, match=r"exit code 2\)[\s\S]*delete the store"):
            stack.check()


def test_a_service_that_does_not_come_up_fails_the_start(parts: Parts, make_settings: MakeSettings) -> None:
    """start() raises the reason and leaves nothing running and nothing locked."""
    settings = make_settings()
    for _ in range(2):
        with pytest.raises(PartDied, match=r"bidding ended unexpectedly \(exit code 1\)"):
            Stack(settings, processes=(BIDDING,), command=_stand_in(_CRASHING), parts=parts).start()
    assert load_settings(settings.data_dir).gateway is None


def test_a_second_stack_on_the_same_data_is_refused(parts: Parts, make_settings: MakeSettings) -> None:
    """Two stacks never share a data directory."""
    settings = make_settings()
    with (
        Stack(settings, processes=(BIDDING,), command=_stand_in(), parts=parts),
        pytest.raises(OperatorError, match="already runs on"),
    ):
        Stack(settings, processes=(BIDDING,), command=_stand_in(), parts=parts).start()


def test_a_gateway_port_in_use_is_refused_before_anything_starts(make_settings: MakeSettings) -> None:
    """The fixed port is checked first: no broker is started for a stack that could not be reached."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = make_settings(gateway_port=taken.getsockname()[1])
        with pytest.raises(OperatorError, match="for the gateway is in use"):
            Stack(settings).start()
    assert not (settings.data_dir / "kafka").exists()
