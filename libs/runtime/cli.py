"""The command line `loanstream`: parses arguments, prints results, and leaves the work to the module that owns it.

Each command imports what it needs when it runs, so that `loanstream --help` is quick and `run` loads only its roles.
An OperatorError is one sentence on stderr and exit code 2, and so is a broker, a database or a disk that is away; a check
that fails is exit code 1. Only `run` ends with 1 when something is away, because its supervisor then starts it again.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from libs.runtime.cli_bank import bank, of_the_bank
from libs.runtime.cli_log import of_the_log, parked
from libs.runtime.cli_proof import of_the_proof
from libs.runtime.errors import OperatorError, PassingTrouble
from libs.runtime.settings import ROLES, Settings, load_settings
from libs.runtime.terminal import conclude, err, local_settings, out, progress_bar, services_of

app = typer.Typer(
    name="loanstream",
    help="An event-sourced lending platform: every number can be recomputed from its log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(of_the_log)
app.add_typer(of_the_proof)
app.add_typer(of_the_bank)
app.add_typer(parked, name="parked")
app.add_typer(bank, name="bank")

_TOKEN_HOURS = 12


@app.command()
def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal until Ctrl-C.")
    ] = False,
) -> None:
    """Start Kafka, MongoDB, the services and the gateway, and leave them running."""
    from deploy.local.supervisor import run_foreground, start_in_background

    settings = load_settings(use_run_file=False)
    if foreground:
        run_foreground(settings, lambda step: err.print(step, highlight=False))
        return
    with err.status("starting") as status:
        start_in_background(settings, lambda step: status.update(step))
    _print_addresses(load_settings())


@app.command()
def down() -> None:
    """Stop what `up` started, and wait until it is gone."""
    from deploy.local.supervisor import stop_background

    settings = load_settings()
    with err.status("stopping"):
        stopped = stop_background(settings)
    out.print("stopped" if stopped else f"nothing runs on {settings.data_dir}", highlight=False)


@app.command()
def run(
    service: Annotated[str, typer.Argument(help="bidding, repayment, … or `all`.")],
    roles: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(ROLES)}.")] = "api,decider,policy",
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1 for HTTP, /healthz, /readyz and /metrics.")
    ] = 0,
) -> None:
    """Run one process of a service until SIGTERM."""
    chosen = {role.strip() for role in roles.split(",") if role.strip()}
    if not chosen or chosen - set(ROLES):
        raise OperatorError(f"--roles takes a comma-separated list of {', '.join(ROLES)}; got {roles!r}.")
    settings = load_settings()
    import structlog

    from libs.runtime.observability import configure_logging
    from libs.runtime.process import run as run_process

    configure_logging(service, "+".join(sorted(chosen)), settings.log_level)
    try:
        run_process(settings, service, chosen, port)
    except Exception as error:
        from libs.runtime.outages import sentence_of

        outage = sentence_of(error)
        if outage is None:
            raise
        if isinstance(error, OSError):
            structlog.get_logger().exception("refused_by_the_system")
        raise PassingTrouble(outage) from error


@app.command()
def topics() -> None:
    """Create the topics, or check that they are as they must be, and print the log id."""
    from libs.runtime.identity import ensure_identity, keep_log_id
    from libs.runtime.topics_admin import ensure_topics

    settings = ensure_identity(load_settings())
    log_id = asyncio.run(ensure_topics(settings))
    keep_log_id(settings, log_id)
    out.print(log_id, highlight=False)


@app.command()
def rebuild(
    view: Annotated[str, typer.Argument(help="The view's name, or `all`.")],
    check: Annotated[
        bool, typer.Option("--verify", help="Only compare with the live view; nothing is switched.")
    ] = False,
) -> None:
    """Build a view anew from the log beside the live one, compare the two, and switch to the new one."""
    from libs.runtime.rebuild import rebuild_views
    from libs.runtime.telling import rebuilt

    settings = local_settings()
    names = () if view == "all" else (view,)
    with progress_bar() as progress:
        reports = asyncio.run(rebuild_views(settings, services_of(settings), names, check, progress))
    out.print(rebuilt(reports))
    equal = all(report.equal is not False for report in reports)
    conclude(equal, "no live view differs from its events", "a live view DIFFERED from its events: see above")


@app.command()
def explain(
    what: Annotated[
        str, typer.Argument(help="A command's id, an address service/partition/position, or a figure's name.")
    ],
) -> None:
    """Show what came of a command, as the log tells it; or how a figure comes about, down to its events."""
    from libs.runtime.explain import explain_command, explain_figure, is_figure
    from libs.runtime.telling import explained_figure, tree

    settings = local_settings()
    services = services_of(settings)
    if is_figure(services, what):
        out.print(explained_figure(asyncio.run(explain_figure(settings, services, what))), highlight=False)
        return
    with progress_bar() as progress:
        node = asyncio.run(explain_command(settings, what, progress))
    out.print(tree(node))


@app.command()
def sagas(service: Annotated[str | None, typer.Argument(help="Only this service.")] = None) -> None:
    """List what was begun and is not ended, oldest first."""
    from libs.runtime.open_sagas import list_open
    from libs.runtime.telling import open_ones

    found = asyncio.run(list_open(local_settings(), service))
    out.print(open_ones(found) if found else "no saga is open")


@app.command()
def rules(
    service: Annotated[str | None, typer.Argument(help="Only this service.")] = None,
    allow: Annotated[
        int | None,
        typer.Option(
            min=0, help="Let these rules decide although the log has seen higher ones: a roll-back."
        ),
    ] = None,
) -> None:
    """Show by which rules each partition was decided last, by whom, and whether this code may decide it."""
    from libs.runtime.rules import allow_rules, show_rules
    from libs.runtime.telling import rules_of

    settings = local_settings()
    if allow is not None:
        table = allow_rules(settings, service, allow)
        out.print(f"{settings.replicas_path} is version {table.version} now", highlight=False)
        return
    out.print(rules_of(asyncio.run(show_rules(settings, services_of(settings), service))))


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="Who the token is for, e.g. usr_ada.")] = "stf_operator",
    scopes: Annotated[str, typer.Option(help="Comma-separated; empty gives every scope.")] = "",
    hours: Annotated[
        float, typer.Option(min=0.001, max=24 * 31, help="How long it is valid.")
    ] = _TOKEN_HOURS,
) -> None:
    """Print a bearer token of the development issuer."""
    from libs.runtime.auth import issue_token

    wanted = tuple(scope.strip() for scope in scopes.split(",") if scope.strip()) or _every_scope()
    sys.stdout.write(issue_token(local_settings(), subject, wanted, int(hours * 3600)) + "\n")


@app.command()
def replay(
    book: Annotated[Path | None, typer.Argument(help="A loan book as CSV; none: a generated one.")] = None,
    loans: Annotated[int | None, typer.Option(min=1, help="How many loans of it.")] = None,
) -> None:
    """Replay a loan book against the running stack."""
    from tools.replay import run_replay

    raise typer.Exit(run_replay(load_settings(), book, loans))


@app.command()
def demo(
    book: Annotated[
        Path | None,
        typer.Option(help="A loan book as CSV; none: the real one if present, else a generated one."),
    ] = None,
    loans: Annotated[int | None, typer.Option(min=1, help="How many loans of it.")] = None,
) -> None:
    """Start a fresh stack, replay a loan book through it, show the books, and stop everything again."""
    from deploy.local.supervisor import own_stack
    from tools.replay.run import choose_loans, replay_loans

    chosen = choose_loans(book, loans)  # first: a book that cannot be read need not wait for a stack
    base = load_settings(use_run_file=False)
    # Its own data directory, so that it can start from nothing while another stack keeps its data; on a broker or
    # database that somebody else runs, its own names.
    # A demo closes a thousand days and throws its log away: two partitions cost less than four, nothing is lost that the
    # disk was not asked to keep, and nobody waits for its views (decisions/0003).
    names: dict[str, str] = {"partitions": "2", "flush": "false", "view_hold_ms": "250"}
    if base.kafka or base.mongo:
        name = f"demo{os.getpid()}x{os.urandom(3).hex()}"
        names |= {"topic_prefix": f"{name}.", "mongo_database": name}
    with own_stack(base.data_dir / "demo", names, lambda step: err.print(step, style="dim")) as stack:
        code = replay_loans(stack.settings, *chosen)
    raise typer.Exit(code)


@app.command()
def schemas(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file would change.")
    ] = False,
) -> None:
    """Generate the JSON Schemas of all events."""
    from tools.schemas import write_schemas

    raise typer.Exit(write_schemas(check))


def main() -> None:
    """Entry point of the console script: a person's mistake, or a part that is away, is one sentence and exit code 2."""
    # The sentence says what the client would say on its own; `run` logs what it does (configure_logging).
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except OperatorError as error:
        _refuse(str(error), error.exit_code)
    except Exception as error:
        from libs.runtime.outages import (
            sentence_of,
        )  # brings the clients along: only when something went wrong

        outage = sentence_of(error)
        if outage is None:
            raise
        _refuse(outage, OperatorError.exit_code)


def _refuse(sentence: str, exit_code: int) -> NoReturn:
    err.print(f"loanstream: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(exit_code)


def _every_scope() -> tuple[str, ...]:
    from libs.runtime.auth import SCOPES

    return tuple(SCOPES)


def _print_addresses(settings: Settings) -> None:
    """What a person needs next: where things are, and a token to try them with."""
    from libs.runtime.auth import issue_token
    from libs.runtime.telling import addresses

    out.print(addresses(settings))
    out.print(f"An operator's token, valid {_TOKEN_HOURS} hours:", highlight=False)
    sys.stdout.write(issue_token(settings, "stf_operator", _every_scope(), _TOKEN_HOURS * 3600) + "\n")


if __name__ == "__main__":
    main()
