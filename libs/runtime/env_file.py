"""The files of settings in a data directory: written in one step, and naming who wrote them."""

import os
from pathlib import Path

import psutil

_OWNER = "# written by process "


def write_env_file(path: Path, values: dict[str, str], *, secret: bool = False) -> None:
    """Replace `path` by NAME='value' lines in one step, so that a reader meets the old file or the new one.

    The first line names this process, so that a reader can tell the addresses of a stack that died.
    """
    owner = psutil.Process()
    lines = [f"{_OWNER}{owner.pid} {owner.create_time()}\n"]
    lines += [f"{name}='{value}'\n" for name, value in sorted(values.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(lines)
    draft.replace(path)


def owner_lives(path: Path) -> bool:
    """True if the process that wrote the file still runs: same pid and same start time."""
    try:
        first_line = path.open(encoding="utf-8").readline()
        pid, created = first_line.removeprefix(_OWNER).split()
        return psutil.Process(int(pid)).create_time() == float(created)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return False
