"""The commands of the custodian bank of a development stack: run the simulator, have it misbehave, or answer in its place; and
the comparison of its files with our books.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from libs.runtime.errors import OperatorError
from libs.runtime.settings import Settings, load_settings
from libs.runtime.terminal import conclude, local_settings, out, progress_bar

bank = typer.Typer(help="Be the custodian bank of a development stack.", no_args_is_help=True)
#: Joined to the command line's own commands, without a name of its own.
of_the_bank = typer.Typer()


@bank.command("serve")
def bank_serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; a stack brings its own.")
    ] = 0,
) -> None:
    """Run the bank simulator until SIGTERM: a ledger of its own, signed call-backs, a daily file."""
    settings = load_settings()
    from libs.runtime.observability import configure_logging
    from tools.bank.serve import serve

    configure_logging("bank", "simulator", settings.log_level)
    serve(settings, port)


@bank.command("behave")
def bank_behave(
    orders: Annotated[int, typer.Option(min=1, help="How many of the next orders.")] = 1,
    hold: Annotated[float, typer.Option(min=0, help="Seconds before an order is booked.")] = 0.0,
    late: Annotated[float, typer.Option(min=0, help="Seconds from there to the call-back.")] = 0.0,
    times: Annotated[int, typer.Option(min=0, max=20, help="How often it calls back; 0 is never.")] = 1,
    contradict: Annotated[
        Literal["outcome", "amount", "reference"] | None,
        typer.Option(help="Say another one of these afterwards."),
    ] = None,
    refuse: Annotated[str | None, typer.Option(help="Book nothing, and say this code.")] = None,
) -> None:
    """Have the simulator hold, delay, repeat, lose, contradict or refuse the next orders."""
    from tools.bank.client import behave

    wish: dict[str, Any] = {"hold_s": hold, "late_s": late, "times": times}
    behave(local_settings(), orders, contradiction=contradict, refuse=refuse, **wish)
    out.print(f"the next {orders} {'order meets' if orders == 1 else 'orders meet'} that", highlight=False)


@bank.command("top-up")
def bank_top_up(
    account: Annotated[str, typer.Argument(help="acc_…")],
    top_up: Annotated[str, typer.Argument(help="top_…, as the request was answered.")],
    amount_fen: Annotated[int, typer.Argument(min=1, help="What was collected, in fen.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Say that no money came.")] = False,
) -> None:
    """Answer a top-up as the bank does, by a signed call-back."""
    from tools.bank.by_hand import call_back

    settings = _without_a_bank()
    answer = call_back(settings, "top-ups", account, top_up, amount_fen, succeeded=not refuse)
    sys.stdout.write(answer + "\n")


@bank.command("withdrawal")
def bank_withdrawal(
    account: Annotated[str, typer.Argument(help="acc_…")],
    withdrawal: Annotated[str, typer.Argument(help="wdr_…, as the request was answered.")],
    amount_fen: Annotated[int, typer.Argument(min=1, help="What was paid out, in fen.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Say that nothing was paid out.")] = False,
) -> None:
    """Answer a withdrawal as the bank does, by a signed call-back."""
    from tools.bank.by_hand import call_back

    settings = _without_a_bank()
    answer = call_back(settings, "withdrawals", account, withdrawal, amount_fen, succeeded=not refuse)
    sys.stdout.write(answer + "\n")


def _without_a_bank() -> Settings:
    """Two banks would give one request two answers, and the second one's books would be wrong for good."""
    settings = local_settings()
    if settings.bank is not None:
        raise OperatorError(
            f"The bank at {settings.bank} answers by itself; `loanstream bank behave` says how the next orders go."
        )
    return settings


@of_the_bank.command()
def reconcile(
    day: Annotated[str, typer.Argument(metavar="DATE", help="A business date that is over, YYYY-MM-DD.")],
    file: Annotated[
        Path | None, typer.Option(help="The bank's file; none: it is fetched from the bank.")
    ] = None,
) -> None:
    """Compare a date's file of the bank with the ledger, the accounts and the claims; what differs is put on finance's list."""
    from tools.bank import reconcile as bank_day

    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise OperatorError(f"A date is written YYYY-MM-DD; got {day!r}.") from None
    with progress_bar() as progress:
        found = bank_day.reconcile(local_settings(), on, file, progress)
    out.print(bank_day.told(found), highlight=False)
    left = found["open_after"]
    conclude(not left, "nothing differs", f"{left} differences are not resolved: GET /bidding/bank-breaks")
