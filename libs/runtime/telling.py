"""How results look on a terminal: tables and trees, made of what the commands found out."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text
from rich.tree import Tree

from libs.events.views import events_of
from libs.runtime.settings import Settings

if TYPE_CHECKING:
    from libs.runtime.explain import ExplainedFigure
    from libs.runtime.open_sagas import OpenSaga
    from libs.runtime.parked import Parked
    from libs.runtime.rebuild import RebuildReport
    from libs.runtime.repair_plan import Damage
    from libs.runtime.retrying import Retried
    from libs.runtime.rules import RulesRow
    from libs.runtime.tracing import DecisionNode
    from libs.runtime.verify import VerifyReport

_PROOF = ("commands", "decisions", "events", "repeats", "foreign", "undecided", "repaired")


def proof(report: "VerifyReport") -> RenderableType:
    """A row per service, then every fault with its place."""
    table = Table("service", *(Column(name, justify="right") for name in _PROOF))
    for name in dict.fromkeys(partition.service for partition in report.partitions):
        own = [partition for partition in report.partitions if partition.service == name]
        table.add_row(name, *(f"{sum(getattr(each, figure) for each in own):,}" for figure in _PROOF))
    faults = [
        Text(f"{partition.service}/{partition.partition}: {fault}", "red")
        for partition in report.partitions
        for fault in partition.faults
    ]
    faults += [Text(fault, "red") for fault in report.faults]
    notes = [Text(note, "yellow") for note in report.notes]
    return Group(table, *notes, Text(f"{report.heads:,} signed heads compared"), *faults)


def rebuilt(reports: "Sequence[RebuildReport]") -> Table:
    """A row per view, and below it the names of some documents that differed."""
    numbers = (Column(name, justify="right") for name in ("events", "per second", "differences"))
    table = Table(Column("view", no_wrap=True), *numbers, "read from")
    for report in reports:
        comparison = report.comparison
        differences = report.not_compared if comparison is None else str(comparison.differences)
        read_from = f"generation {report.generation}" if report.flipped else "the live one"
        table.add_row(
            report.view, f"{report.events:,}", f"{report.events_per_second:,.0f}", differences, read_from
        )
        for example in () if comparison is None else comparison.examples:
            table.add_row("", "", "", example, "")
    return table


def parked_ones(entries: "Sequence[Parked]") -> Table:
    """A row per parked decision."""
    table = Table(Column("address", no_wrap=True), "what the view says")
    for entry in entries:
        table.add_row(entry.ref, ", ".join(f"{name} {value}" for name, value in entry.fields.items()))
    return table


def retried_ones(retried: "Sequence[Retried]") -> Table:
    """A row per command: what it is now called, and what came of it."""
    table = Table(
        "command", "stream", Column("id", no_wrap=True), Column("decision", no_wrap=True), "what came of it"
    )
    for each in retried:
        told = f"refused: {each.code}" if each.outcome == "refused" else each.outcome
        if not each.sent:
            told += " before; nothing was sent"
        table.add_row(each.command_type, each.stream, each.command_id, each.address, told)
    return table


def damaged_ones(found: "Sequence[Damage]") -> Table:
    """A row per damaged partition."""
    table = Table(
        "commands of",
        *(Column(name, justify="right") for name in ("end", "decided up to", "missing", "displaced")),
    )
    for each in found:
        place = f"{each.service}/{each.commands.partition}"
        table.add_row(
            place,
            f"{each.end:,}",
            f"{each.next_position - 1:,}",
            f"{each.missing:,}",
            f"{len(each.displaced):,}",
        )
    return table


def told_again(found: "Sequence[Damage]") -> str:
    """What makes policies send again what was lost before it was decided: their commits say that it is stored."""
    groups = ", ".join(f"`{service}-reads-*`" for service in dict.fromkeys(each.service for each in found))
    return f"delete the commits of the consumer groups {groups}"


def open_ones(sagas: "Sequence[OpenSaga]") -> Table:
    """A row per open saga, in the order given."""
    table = Table(Column("age", justify="right", no_wrap=True), "service", "saga", "of", "opened by")
    for saga in sagas:
        opened = f"{saga.opened_by} at {saga.opened_at.isoformat()}" if saga.opened_at else saga.opened_by
        table.add_row(age(saga.age), saga.service, saga.name, saga.key, opened)
    return table


def rules_of(rows: "Sequence[RulesRow]") -> Table:
    """A row per partition: who decided its head by which rules, what this code has, and what the table says."""
    numbers = (Column(name, justify="right") for name in ("log's rules", "this code's"))
    table = Table(
        Column("partition", no_wrap=True), "decided last by", *numbers, "this code", "active", "standby"
    )
    for row in rows:
        allowed = row.assignment.rules_allowed
        table.add_row(
            f"{row.service}/{row.partition}",
            row.head_by or "nobody yet",
            "" if row.head_rules is None else str(row.head_rules),
            str(row.rules),
            Text(row.verdict, "red" if row.verdict == "held back" else "green")
            + ("" if allowed is None else f" (from {allowed})"),
            row.assignment.active,
            row.assignment.standby or "",
        )
    return table


def age(passed: timedelta | None) -> str:
    """A time span in its two largest units."""
    if passed is None:
        return "unknown"
    seconds = max(0, int(passed.total_seconds()))
    for size, unit, smaller, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} {seconds % size // smaller} {small_unit}"
    return f"{seconds // 60} min {seconds % 60} s"


def tree(node: "DecisionNode", under: Tree | None = None) -> Tree:
    """A decision and what came of it, below a branch."""
    from libs.runtime.tracing import told

    under = Tree("", hide_root=True) if under is None else under
    traced = node.traced
    by = traced.decision.principal
    branch = under.add(
        Text(f"{traced.command_type or 'unreadable'}  {traced.address}  by {by or 'nobody'}", "bold")
    )
    for event in node.events:
        leaf = branch.add(Text(told(event.event), overflow="fold"))
        for following in event.followed_by:
            tree(following, leaf)
    return under


def explained_figure(explained: "ExplainedFigure") -> RenderableType:
    """A figure's value and formula, then the rows behind it with their events."""
    from libs.runtime.tracing import told

    figure = explained.figure
    place = f"stands in {figure.view}, document {figure.doc}, field {figure.field}"
    if figure.doc is None:
        place = f"counts the documents of {figure.view} that have the field {figure.field}"
    table = Table("row", "what it says", Column("its events", overflow="fold"))
    for each in explained.rows:
        fields = {name: value for name, value in each.row.items() if name not in ("_id", "src", "event")}
        said = ", ".join(
            f"{name} {value}" for name, value in fields.items() if not isinstance(value, dict | list)
        )
        events = [f"{address}  {told(event)}" for address, event in each.events]
        if more := len(events_of(each.row)) - len(events):
            events.append(f"and {more:,} more events")
        table.add_row(each.row["_id"], said, "\n".join(events))
    return Group(
        Text(f"{figure.title}: {explained.value:,} {figure.unit}", "bold"),
        Text(f"= {figure.formula}  ({figure.rule})"),
        Text(place),
        table,
        *([Text("and more rows")] if explained.more else []),
    )


def addresses(settings: Settings) -> Table:
    """Where the parts of a running stack are."""
    gateway = settings.gateway or ""
    # An address is copied from the screen: it may fold, never be cut.
    table = Table(
        "", Column("", overflow="fold"), title="Loanstream is up", show_header=False, title_justify="left"
    )
    table.add_row("gateway", gateway)
    for name in settings.api_ports:
        if name not in ("views", "bank"):
            table.add_row(f"{name}: OpenAPI", f"{gateway}/{name}/docs")
    if settings.bank is not None:
        table.add_row("custodian bank", settings.bank)
    table.add_row("Kafka", settings.require_kafka())
    table.add_row("MongoDB", settings.require_mongo())
    table.add_row("log id", settings.require_log_id())
    table.add_row("logs", str(settings.logs_dir))
    table.add_row("stop it", "make down")
    return table
