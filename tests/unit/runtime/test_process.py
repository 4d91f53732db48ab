"""The socket that a service's API listens on."""

import socket

import pytest

from libs.runtime.errors import OperatorError
from libs.runtime.process import listen, run
from tests.conftest import MakeSettings


def test_an_accepted_connection_sends_at_once() -> None:
    """Without it the second half of every answer waits 40 ms for the client's acknowledgement of the first."""
    with listen(0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert accepted.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_a_sentence() -> None:
    """The operator reads which port it is and what to do."""
    with listen(0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(OperatorError, match=rf"^Port {port} is in use: stop what listens there"):
            listen(port)


def test_a_role_that_a_service_does_not_have_is_a_sentence(make_settings: MakeSettings) -> None:
    """Only who has requests to take to somebody outside has a courier, and nothing is started to find that out."""
    with pytest.raises(OperatorError, match=r"^repayment has no courier"):
        run(make_settings(), "repayment", {"courier"}, 0)
