"""What a person sees: a bar while the replay runs, tables when it is done, and the same figures as JSON."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from tools.replay.bank_side import Reconciled
from tools.replay.chronicle import Line
from tools.replay.drive import Driven
from tools.replay.figures import Custody, Lender, LoanFigures
from tools.replay.wording import money
from tools.replay.work import Work

#: What `demo.json` holds, in this order, and nothing else.
KEYS: Final = (
    "loans",
    "business_days",
    "empty_day_ms",
    "commands",
    "events",
    "repeats",
    "foreign",
    "custody_difference",
    "clearing_open",
    "instalments_compared",
    "instalments_equal",
    "chain_ok",
    "rebuild_equal",
    "seconds",
    "commands_per_second",
    "users",
    "cases",
    "promises_kept",
    "trial_balance",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What walking the log and building the views again has shown. Counts are of the whole log."""

    commands: int
    events: int
    repeats: int
    foreign: int
    chain_ok: bool
    rebuild_equal: bool
    details: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a replay has measured. `seconds` = the whole replay with its proofs; `driving_s` = the business days
    alone, over which `commands_per_second` counts the commands that were written meanwhile. `parked` are refusals and
    failures that nobody expected; `chronicle` tells one loan from registration to its last event."""

    title: str
    planned: int
    driven: Driven
    loans: LoanFigures
    custody: Custody
    reconciled: Reconciled
    lenders: Sequence[Lender]
    buckets: Sequence[dict[str, Any]]
    parked: int
    work: Work
    queue: Sequence[Mapping[str, Any]]
    funnel: Sequence[tuple[str, int]]
    chronicle: Sequence[Line]
    proof: Proof
    seconds: float
    driving_s: float
    commands_driven: int

    @property
    def commands_per_second(self) -> int:
        """Commands of all services, people's and policies', while the days ran."""
        return round(self.commands_driven / self.driving_s)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the replay proves nothing good; empty when everything holds."""
        found = {
            "the log does not prove itself (chain_ok)": not self.proof.chain_ok,
            "a rebuilt view differs from the live one (rebuild_equal)": not self.proof.rebuild_equal,
            f"custody differs by {money(self.custody.difference_fen)}": self.custody.difference_fen != 0,
            f"the bank, the books and the claims differ by {money(self.reconciled.difference_fen)}": (
                self.reconciled.difference_fen != 0
            ),
            f"{self.planned - self.loans.opened} loans are missing": self.loans.opened != self.planned,
            f"{self.loans.otherwise} loans ended otherwise than in the book": self.loans.otherwise != 0,
            f"{self.custody.clearing_open} loans have money left in clearing": self.custody.clearing_open
            != 0,
            f"{self.proof.foreign} foreign records stand in the log": self.proof.foreign != 0,
            f"{self.parked} commands are parked (loanstream parked list)": self.parked != 0,
            f"the trial balance is {money(self.work.trial_balance_fen)}": self.work.trial_balance_fen != 0,
            f"{self.work.open_sagas} sagas are not at their end (loanstream sagas)": self.work.open_sagas
            != 0,
            "one loan's time-line is empty": not self.chronicle,
        }
        for count in self.work.counts:
            found[f"{count.what}: {count.found} of the {count.planned} planned"] = (
                count.found != count.planned
            )
        return tuple(sentence for sentence, holds in found.items() if holds)

    def as_json(self) -> dict[str, Any]:
        """The figures under KEYS; money in fen."""
        values = (
            self.loans.opened,
            self.driven.days,
            self.driven.empty_day_ms,
            self.proof.commands,
            self.proof.events,
            self.proof.repeats,
            self.proof.foreign,
            self.custody.difference_fen,
            self.custody.clearing_open,
            self.loans.compared,
            self.loans.equal,
            self.proof.chain_ok,
            self.proof.rebuild_equal,
            round(self.seconds, 1),
            self.commands_per_second,
            self.work.users.found,
            self.work.cases.found,
            self.work.kept.found,
            self.work.trial_balance_fen,
        )
        return dict(zip(KEYS, values, strict=True))


def write_json(result: Result, path: Path) -> None:
    """Write the figures where a program can read them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")


# --- while it runs -------------------------------------------------------------------------------------------------


@contextmanager
def day_bar(console: Console, days: int, loans: int) -> Iterator[Callable[[Driven, int], None]]:
    """A bar of business days; call it with how far the replay is and the commands written so far.

    Where nobody looks at a terminal, it is a line at every tenth of the way instead.
    """
    columns = (
        TextColumn("business days"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=days)
        started = time.perf_counter()

        def show(driven: Driven, commands: int) -> None:
            rate = round(commands / (time.perf_counter() - started))
            state = f"{driven.funded:,} of {loans:,} loans funded · {rate:,} commands/s"
            bar.update(task, completed=driven.days, description=state)
            if not console.is_terminal and driven.days * 10 // days > (driven.days - 1) * 10 // days:
                console.print(f"business day {driven.days:,} of {days:,} · {state}", highlight=False)

        yield show


@contextmanager
def step_bar(console: Console, what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar for a proof that calls back with (done, total, detail)."""
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, detail: bar.update(task, completed=done, total=total, description=detail)


# --- at the end ----------------------------------------------------------------------------------------------------


def show(result: Result) -> Group:
    """All tables, what a failed proof found, and one line that says whether everything holds."""
    verdict = (
        Text("Everything holds: " + result.title, style="bold green")
        if not result.faults
        else Text("NOT GOOD: " + "; ".join(result.faults), style="bold red")
    )
    parts: tuple[Any, ...] = (
        _chronicle(result.chronicle),
        _funnel(result.funnel),
        _queue(result.queue),
        _custody(result.custody),
        _reconciled(result.reconciled),
        _lenders(result.lenders),
        _endings(result.loans),
        _buckets(result.buckets),
        _figures(result),
        *(result.proof.details if result.faults else ()),
        verdict,
    )
    return Group(*(part for table in parts for part in (Text(""), table)))


def _table(title: str, *columns: str) -> Table:
    """A table whose first column is a name and whose others are figures."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_header=any(columns),
        show_edge=False,
        pad_edge=False,
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _chronicle(lines: Sequence[Line]) -> Table:
    """Words, not figures: the second column is read from the left, and may need more than one line."""
    table = _table("One loan, as the log tells it", "", "")
    table.columns[1].justify, table.columns[1].no_wrap = "left", False
    for when, what in lines:
        table.add_row(when, what)
    return table


def _funnel(stages: Sequence[tuple[str, int]]) -> Table:
    table = _table("Funnel", "stage", "users")
    for stage, users in stages:
        table.add_row(stage.replace("_", " "), f"{users:,}")
    return table


def _queue(entries: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(
        "Head of the collection queue", "case", "stage", "bucket", "priority", "days past due", "overdue"
    )
    for entry in entries:
        table.add_row(
            str(entry["case_id"])[:13],
            entry["stage"],
            entry["bucket"],
            f"{entry['priority']:,}",
            f"{entry['dpd']:,}",
            money(entry["overdue_fen"]),
        )
    return table


def _custody(custody: Custody) -> Table:
    table = _table("Custody: bank against accounts", "", "")
    for name, fen in (
        ("deposits", custody.deposits_fen),
        ("withdrawals", -custody.withdrawals_fen),
        (f"available on {custody.accounts:,} accounts", -custody.available_fen),
        ("held", -custody.held_fen),
        ("platform's fees", -custody.fees_fen),
        (f"in clearing ({custody.clearing_open} open)", -custody.clearing_fen),
    ):
        table.add_row(name, money(fen))
    table.add_section()
    table.add_row(
        "difference", money(custody.difference_fen), style="green" if not custody.difference_fen else "red"
    )
    return table


def _reconciled(done: Reconciled) -> Table:
    table = _table("Bank file against ledger against claims", "", "")
    for name, fen in (
        (f"the bank's files, balance of {done.last}", done.bank_fen),
        ("ledger", done.ledger_fen),
        ("customers, fees and all others", done.accounts_fen),
        ("paid for claims and not paid back", done.lent_fen),
        ("register of claims", done.claims_fen),
    ):
        table.add_row(name, money(fen))
    table.add_row(f"bookings compared line by line since {done.first}", f"{done.bookings:,}")
    table.add_row("of them in flight at midnight: the bank's of the next date", f"{done.matched:,}")
    table.add_row("of them different, and explained by nothing", f"{done.left:,}")
    table.add_section()
    is_zero = not done.difference_fen
    table.add_row("difference", money(done.difference_fen), style="green" if is_zero else "red")
    return table


def _lenders(lenders: Sequence[Lender]) -> Table:
    table = _table("Five investors", "", "invested", "returned", "interest", "fees", "balance")
    for lender in lenders:
        amounts = (
            lender.invested_fen,
            lender.principal_back_fen,
            lender.interest_fen,
            -lender.fees_fen,
            lender.balance_fen,
        )
        table.add_row(lender.user, *(money(fen) for fen in amounts))
    return table


def _endings(loans: LoanFigures) -> Table:
    table = _table("What became of the loans", "in the book", "loans", "here", "as in the book")
    for ending in loans.endings:
        places = ", ".join(f"{count} {where}" for where, count in ending.found.items())
        table.add_row(ending.status.value, f"{ending.loans:,}", places, f"{ending.as_in_book:,}")
    return table


def _buckets(buckets: Sequence[dict[str, Any]]) -> Table:
    table = _table("Overdue buckets", "bucket", "loans", "outstanding principal")
    for bucket in buckets:
        table.add_row(bucket["bucket"], f"{bucket['loans']:,}", money(bucket["principal_fen"]))
    return table


def _figures(result: Result) -> Table:
    loans, proof = result.loans, result.proof
    share = f"{100 * loans.equal / loans.compared:.1f} %" if loans.compared else "none to compare"
    empty = result.driven.empty_day_ms
    table = _table("Figures", "", "")
    for name, value in (
        ("loans", f"{loans.opened:,} of {result.planned:,}"),
        ("instalments equal to the book's, to the cent", f"{loans.equal:,} of {loans.compared:,} ({share})"),
        *((count.what, f"{count.found:,} of {count.planned:,}") for count in result.work.counts),
        ("trial balance of all accounts", money(result.work.trial_balance_fen)),
        ("sagas not at their end", f"{result.work.open_sagas:,}"),
        ("business days closed", f"{result.driven.days:,}"),
        ("an empty day takes", "no day was empty" if empty is None else f"{empty} ms"),
        ("commands in the log", f"{proof.commands:,}"),
        ("events in the log", f"{proof.events:,}"),
        ("repeated / foreign records", f"{proof.repeats:,} / {proof.foreign:,}"),
        ("parked: refused or failed without being expected", f"{result.parked:,}"),
        ("commands/s while the days ran", f"{result.commands_per_second:,}"),
        ("the days took", f"{result.driving_s:.1f} s"),
        ("with all proofs", f"{result.seconds:.1f} s"),
        ("verify: every chain whole", "yes" if proof.chain_ok else "NO"),
        ("rebuild: all views equal to the live ones", "yes" if proof.rebuild_equal else "NO"),
    ):
        table.add_row(name, value)
    return table
