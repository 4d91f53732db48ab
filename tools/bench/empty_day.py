"""`empty_day_ms`: what closing a day costs on which nothing happens, measured as the demo does and on the demo's settings:
the whole platform on both cores, two partitions, from the operator's request to the calendar's next date in the log.
"""

import time
from datetime import timedelta
from statistics import median
from typing import Final

from deploy.local.stack import PROCESSES
from tools.bench.arithmetic import interval
from tools.bench.lab import Figure, Lab
from tools.bench.machine import cpu_seconds
from tools.bench.people import FIRST_DATE
from tools.load.open_loop import quantile
from tools.replay.gateway import Gateway
from tools.replay.log_tail import LogTail

AIM_MS: Final = 80.0
#: The first days pay for connections and compiled shapes.
_WARM_DAYS: Final = 5
_OPERATOR: Final = "stf_operator"
#: What `loanstream demo` chooses (libs.runtime.cli), and nothing else.
DEMO: Final = {"partitions": "2", "flush": "false", "view_hold_ms": "250"}


async def measure(lab: Lab) -> Figure:
    """Open the calendar and close so many days one after the other."""
    settings = lab.settings("day", **DEMO)
    took_ms: list[float] = []
    with lab.stack(settings, PROCESSES, pinned=False) as stack:
        services = [child.pid for child in stack.children]
        async with (
            LogTail(stack.settings) as tail,
            Gateway(stack.settings, staff={_OPERATOR: ("operator",)}) as gateway,
        ):
            await gateway.post(
                _OPERATOR, "/repayment/calendar", "open", {"business_date": FIRST_DATE.isoformat()}
            )
            for service in ("bidding", "onboarding", "collections"):
                await tail.dated(service, FIRST_DATE)
            used = cpu_seconds(services)
            for number in range(_WARM_DAYS + lab.pick(100, 5)):
                if number == _WARM_DAYS:
                    used = cpu_seconds(services)
                if number > _WARM_DAYS and lab.left_s < 0:
                    break
                day = FIRST_DATE + timedelta(days=number)
                began = time.perf_counter()
                await gateway.post(
                    _OPERATOR, "/repayment/calendar/close", f"close-{day}", {"business_date": day.isoformat()}
                )
                await tail.closed(day)
                took_ms.append((time.perf_counter() - began) * 1000)
            used = cpu_seconds(services) - used
    days = took_ms[_WARM_DAYS:]
    low, high = interval(days)
    parts = {
        "days": len(days),
        "p99_ms": round(quantile(days, 0.99), 1),
        "cpu_ms_per_day": round(1000 * used / len(days), 1),
    }
    middle = median(days)
    return Figure("empty_day_ms", middle, low, high, f"<= {AIM_MS:g}", middle <= AIM_MS, parts)
