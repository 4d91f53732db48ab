"""The commands that prove, copy and mend the log: the part of the command line that an operator needs on a bad day."""

import asyncio
import sys
from typing import Annotated

import typer

from libs.runtime.terminal import conclude, err, local_settings, out, progress_bar, services_of

#: Joined to the command line's own commands, without a name of its own.
of_the_log = typer.Typer()
parked = typer.Typer(help="Commands and events that could not be handled.", no_args_is_help=True)


@of_the_log.command()
def verify(
    service: Annotated[str | None, typer.Argument(help="Only this service.")] = None,
    require_heads: Annotated[
        bool, typer.Option("--require-heads", help="A service without signed heads is a fault.")
    ] = False,
) -> None:
    """Walk the log and prove it: chain, one decision per command, hashes, sequences, signed heads."""
    from libs.runtime.telling import proof
    from libs.runtime.verify import verify as verify_log

    with progress_bar() as progress:
        report = asyncio.run(verify_log(local_settings(), service, progress, require_heads=require_heads))
    out.print(proof(report))
    conclude(report.ok, "the log is proven", "the log is NOT proven: see the faults above")


@parked.command("list")
def parked_list() -> None:
    """List refusals `malformed` and `internal`, and policies that failed."""
    from libs.runtime.parked import list_parked
    from libs.runtime.telling import parked_ones

    settings = local_settings()
    entries = asyncio.run(list_parked(settings, services_of(settings)))
    out.print(parked_ones(entries) if entries else "nothing is parked")


@parked.command("show")
def parked_show(ref: Annotated[str, typer.Argument(help="The address that `parked list` shows.")]) -> None:
    """Show one parked command with its bytes."""
    from libs.runtime.parked import show_parked

    found = asyncio.run(show_parked(local_settings(), ref))
    err.print(
        f"{found.topic}/{found.partition} at {found.position}, {len(found.value)} bytes", highlight=False
    )
    sys.stdout.write((repr(found.value) if found.text is None else found.text) + "\n")
