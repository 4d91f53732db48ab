"""The commands that try to break the platform and measure it: what a developer runs before he believes a change."""

from typing import Annotated

import typer

from libs.runtime.settings import load_settings
from libs.runtime.terminal import conclude, err, out, progress_bar

#: Joined to the command line's own commands, without a name of its own.
of_the_proof = typer.Typer()


@of_the_proof.command()
def sim(
    seeds: Annotated[
        int | None, typer.Option(min=1, help="None: 200, or as many as --minutes allow.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first one.")] = 0,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Begin no seed after so long.")] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Plant known bugs: is each found?")] = False,
) -> None:
    """Search the simulated platform for a seed that breaks a rule; the figures go to out/sim.json or out/mutants.json."""
    from tools.simulator import search

    with progress_bar() as progress:
        found = search.hunt(progress) if mutants else search.search(seed, seeds, minutes, progress)
    search.write_json(found)
    out.print(found.told(), markup=False, highlight=False, soft_wrap=True)
    conclude(not found.failed, "as it must be", f"{found.failed} FAILED: see above")


@of_the_proof.command()
def faults(
    quick: Annotated[
        bool, typer.Option("--quick", help="The selection of `make test`, with fewer injections.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this fault; may be given several times.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only say what there is.")] = False,
    write_docs: Annotated[
        bool, typer.Option("--write-docs", help="Only put the last figures into docs/reliability.md.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of all random moments.")] = 0,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Begin no fault after so long.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="Requests a second under which faults are injected.")
    ] = None,
) -> None:
    """Break a stack of its own under load, in every way of docs/reliability.md, and compare what callers were told with the log."""
    from tools.faults import command

    if show or write_docs:
        out.print(command.listed() if show else command.documented(), highlight=False)
        return
    report = command.run(
        load_settings(use_run_file=False).data_dir,
        only or (),
        quick=quick,
        seed=seed,
        minutes=minutes,
        rate_per_s=rate,
        say=lambda step: err.print(step, markup=False, highlight=False, soft_wrap=True),
    )
    out.print(command.table(report))
    for sentence in command.wrong(report):
        out.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    conclude(report.good, "nothing lost, nothing doubled", "a promise was BROKEN: see above")


@of_the_proof.command()
def bench(
    only: Annotated[
        list[str] | None, typer.Option(help="Only this figure; may be given several times.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: does it run? Its figures mean nothing.")
    ] = False,
    write_docs: Annotated[
        bool,
        typer.Option("--write-docs", help="Measure nothing: put out/bench.json into docs/performance.md."),
    ] = False,
) -> None:
    """Measure the platform beside bare baselines in the same run; at most 17 minutes. The figures go to out/bench.json."""
    if write_docs:
        from tools.bench.report import write_docs as put_into_docs

        put_into_docs()
        return
    from tools.bench.run import run_bench

    raise typer.Exit(run_bench(only or [], quick))
