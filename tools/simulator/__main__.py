"""`python -m tools.simulator 0 100`: run seeds, say which fail, and what was seen."""

import argparse
import logging
import sys
import time
import traceback
from collections import Counter

import structlog
from rich.console import Console

from tools.simulator.run import simulate


def main() -> int:
    """Run the seeds of a range; exit code 1 when one fails. A failing seed run again fails the same way."""
    parser = argparse.ArgumentParser(prog="python -m tools.simulator", description=__doc__)
    parser.add_argument("first", type=int, help="first seed")
    parser.add_argument("last", type=int, help="first seed that is not run")
    parser.add_argument("-v", "--verbose", action="store_true", help="one line per seed")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console(soft_wrap=True)
    events: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    failed: list[int] = []
    started = time.process_time()
    for seed in range(arguments.first, arguments.last):
        try:
            report = simulate(seed)
        except Exception as error:  # noqa: BLE001 - whatever a seed raises, the next one is run
            failed.append(seed)
            console.print(f"seed {seed}: {type(error).__name__}: {error}", style="red")
            console.print("".join(traceback.format_exception(error, limit=-4)), highlight=False)
            continue
        events += report.auditor.events
        events += Counter({f"refused: {code}": n for code, n in report.auditor.refusals.items()})
        figures += Counter(
            steps=report.steps,
            crashes=report.crashes,
            days=report.days,
            events=report.decided_events,
            repeats=report.auditor.repeats,
            foreign=report.auditor.foreign,
        )
        if arguments.verbose:
            rate = report.decided_events / max(report.seconds, 1e-9)
            console.print(
                f"{seed} {report.digest[:12]} steps {report.steps} crashes {report.crashes} days {report.days} "
                f"events {report.decided_events} in {report.seconds:.2f} s ({rate:.0f}/s)"
            )
    seconds = time.process_time() - started
    for name, count in sorted(events.items()):
        console.print(f"{count:8} {name}", highlight=False)
    console.print(dict(figures), f"{seconds:.1f} CPU-s, {figures['events'] / seconds:.0f} events/CPU-s")
    if failed:
        console.print(f"failed seeds: {failed}", style="bold red")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
