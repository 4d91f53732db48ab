"""What all commands of the command line share: where they print, how they show progress, how they end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from libs.runtime.service import Service

out = Console()
err = Console(stderr=True)


def local_settings() -> Settings:
    """Settings with the secrets of the data directory."""
    from libs.runtime.identity import ensure_identity

    return ensure_identity(load_settings())


def services_of(settings: Settings) -> "list[Service]":
    """Every service of the profile."""
    from libs.runtime.service import load_services

    return list(load_services(settings.profile).values())


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr, moved by calling (done, total, what)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


def conclude(good: bool, well: str, ill: str) -> None:
    """Say the result in words; exit code 1 if it is not good."""
    out.print(well if good else ill, style="green" if good else "bold red", highlight=False)
    if not good:
        raise typer.Exit(1)
