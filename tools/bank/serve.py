"""The simulator's process: its addresses, its bookings and its call-backs, on a ledger in the stack's data directory."""

import asyncio
import signal
from contextlib import nullcontext

import httpx
import uvicorn

from libs.runtime.errors import OperatorError, the_one_to_tell
from libs.runtime.process import listen
from libs.runtime.settings import Settings
from tools.bank.app import build_app
from tools.bank.calling import call_back, settle
from tools.bank.ledger import Ledger


def serve(settings: Settings, port: int) -> None:
    """Be the bank on 127.0.0.1:`port` until SIGTERM or SIGINT. Blocks. Raises OperatorError without a key or a gateway."""
    if settings.gateway is None:
        raise OperatorError(
            "The bank does not know whom to call back: start it with a stack (LOANSTREAM_BANK_SIMULATOR=true), or set "
            "LOANSTREAM_GATEWAY to the platform's address."
        )
    asyncio.run(_serve(settings, settings.gateway, settings.bank_key(), port))


async def _serve(settings: Settings, gateway: str, secret: bytes, port: int) -> None:
    ledger = Ledger(settings.data_dir / "bank" / "ledger.sqlite3")
    config = uvicorn.Config(
        build_app(ledger, secret),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    # signals are handled here, once for the server and the loops
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def answer() -> None:
        serving = asyncio.ensure_future(server.serve(sockets=[listen(port)]))
        await stop.wait()
        server.should_exit = True
        await serving

    try:
        async with httpx.AsyncClient(base_url=gateway) as client, asyncio.TaskGroup() as group:
            group.create_task(answer())
            group.create_task(settle(ledger, stop))
            group.create_task(call_back(ledger, client, secret, stop))
    except ExceptionGroup as errors:
        raise the_one_to_tell(errors) from errors
    finally:
        ledger.close()
