"""Replays a loan book through the running platform over HTTP, then proves the books: the main job, on real input."""

from pathlib import Path

from libs.runtime.settings import Settings


def run_replay(settings: Settings, book: Path | None, loans: int | None) -> int:
    """See tools.replay.run, which brings the clients of the log and the database along: books and plans do without them."""
    from tools.replay import run

    return run.run_replay(settings, book, loans)
