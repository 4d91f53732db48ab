"""The command line in a process of its own, without a second of imports each time: forked from one that has them all."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

import libs.runtime.kafka
import libs.runtime.mongo
import libs.runtime.projector
import libs.runtime.store  # noqa: F401  (what a command imports when it runs is there before the fork)
from libs.runtime.cli import main

#: As wide as the terminal is for whom is started here; rich looks once, when it is imported.
COLUMNS = "200"
_SECONDS = 60


def loanstream(
    argv: Sequence[str], environment: Mapping[str, str], directory: Path
) -> subprocess.CompletedProcess[str]:
    """Run `loanstream argv` in exactly this environment; what it prints passes through files of the directory."""
    said, told = directory / "stdout", directory / "stderr"
    os.environ["COLUMNS"] = COLUMNS
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(list(argv), dict(environment), str(said), str(told)))
    process.start()
    process.join(_SECONDS)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"loanstream {' '.join(argv)} did not end in {_SECONDS} s")
    return subprocess.CompletedProcess(
        ["loanstream", *argv], process.exitcode, said.read_text(), told.read_text()
    )


def _run(argv: list[str], environment: dict[str, str], said: str, told: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, said), (2, told)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["loanstream", *argv]
    main()
