"""The commands that prove, copy and mend the log: the part of the command line that an operator needs on a bad day."""

import asyncio
import os
import sys
from pathlib import Path
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


@parked.command("retry")
def parked_retry(ref: Annotated[str, typer.Argument(help="The address that `parked list` shows.")]) -> None:
    """Send a policy's parked command again, or run a policy that failed once more. Twice is decided once."""
    from libs.runtime.retrying import retry
    from libs.runtime.telling import retried_ones

    settings = local_settings()
    with progress_bar() as progress:
        retried = asyncio.run(retry(settings, services_of(settings), ref, progress))
    out.print(
        retried_ones(retried) if retried else "the policy makes no command of its event: nothing was sent"
    )
    good = all(each.outcome in ("decided", "no_effect") for each in retried)
    conclude(good, "what was parked is done", "NOT everything is done: see above")


@of_the_log.command()
def resend(
    service: Annotated[str, typer.Argument(help="Whose command it is.")],
    command: Annotated[
        str, typer.Argument(help="Its type, as docs/sagas.md names it with its service in front.")
    ],
) -> None:
    """Send a command of policies for the events from before a release that added it. What was ever decided is not sent."""
    from libs.runtime.resending import resend as resend_from_log
    from libs.runtime.telling import retried_ones

    settings = local_settings()
    with progress_bar() as progress:
        sent = asyncio.run(resend_from_log(settings, services_of(settings), service, command, progress))
    out.print(
        retried_ones(sent)
        if sent
        else f"no event asks for a {command} that was not decided before: nothing was sent"
    )
    good = all(each.outcome in ("decided", "no_effect") for each in sent)
    conclude(good, "none is missing", "NOT everything is done: see above")


@of_the_log.command()
def export(
    service: Annotated[str | None, typer.Argument(help="Only this service.")] = None,
    first: Annotated[int, typer.Option("--from", min=0, help="From this position of each partition on.")] = 0,
    last: Annotated[int | None, typer.Option("--to", min=0, help="Up to and with this position.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A new file; none: stdout.")] = None,
) -> None:
    """Write the log's events as CloudEvents 1.0, one JSON object a line, in order within a partition."""
    from libs.runtime.export import export as export_events
    from libs.runtime.handing_out import new_file

    try:
        with new_file(file) as target, progress_bar() as progress:
            report = asyncio.run(
                export_events(
                    local_settings(), service, target.write, first=first, last=last, progress=progress
                )
            )
    except BrokenPipeError:  # whoever read has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    err.print(
        f"{report.events:,} events of {report.decisions:,} decisions; {report.passed_over:,} records that the chain does "
        "not accept were passed over",
        highlight=False,
    )


@of_the_log.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Copy the whole log into a file, every record as it is; the platform may run meanwhile."""
    from libs.runtime.copying import backup as copy_log

    with progress_bar() as progress:
        copied = asyncio.run(copy_log(local_settings(), file, progress))
    out.print(f"{copied.records:,} records of the log {copied.log_id} are in {file}", highlight=False)


@of_the_log.command()
def restore(file: Annotated[Path, typer.Argument(help="What `backup` wrote.")]) -> None:
    """Append a copy of the log to empty topics, record by record, and take over its log id. No process may run."""
    from libs.runtime.copying import restore as restore_log

    with progress_bar() as progress:
        copied = asyncio.run(restore_log(local_settings(), file, progress))
    out.print(
        f"{copied.records:,} records of the log {copied.log_id} are restored: run `loanstream verify`, then start the platform",
        highlight=False,
    )


@of_the_log.command()
def repair(
    service: Annotated[str | None, typer.Argument(help="Only this service.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Repair; else only say what is damaged.")] = False,
) -> None:
    """Let partitions whose decided commands were lost take commands again. Stop the service first.

    It cannot see commands that were lost before they were decided: people ask again, policies only where their commits are gone.
    """
    from libs.runtime.repairing import repair as repair_commands
    from libs.runtime.telling import damaged_ones, told_again

    with progress_bar() as progress:
        found = asyncio.run(repair_commands(local_settings(), service, yes=yes, progress=progress))
    if found:
        out.print(damaged_ones(found))
    conclude(
        yes or not found,
        f"repaired: {told_again(found)}, start the service again, then run `loanstream verify`"
        if found
        else "no command is missing",
        "commands that were decided are lost: see above; `--yes` marks their positions and appends displaced ones once more",
    )
