"""I10: how long callers wait, and how long anything is left over, counted from the moment at which the injector has ended.

Bringing processes back, waiting for callers in flight and asking again all lie within that time: a caller does not care what
the harness is busy with. Every row has one limit for both, ten seconds unless the fault says another one and why.
"""

from tools.faults.history import History
from tools.faults.report import Row
from tools.faults.scenario import Fault


def answered_after_s(history: History, ended_s: float) -> float:
    """The longest that anybody waited for his first answer: from the end of the injector, or from his asking if that was later."""
    waited = (
        wish.conclusive[0].ended_s - max(ended_s, wish.attempts[0].sent_s)
        for wish in history.wishes
        if wish.conclusive
    )
    return round(max(0.0, *waited, 0.0), 2)


def too_late(fault: Fault, row: Row) -> list[str]:
    """What took longer than the row's limit, in words."""
    limit_s = fault.answered_within_s
    took = (
        (row.answered_after_s, "the last caller was answered"),
        (row.caught_up_after_s, "nothing of the fault was left over"),
        (row.at_rest_after_s, "nothing of the last asking was left over"),
    )
    return [
        f"{what} after {after_s:.1f} s, the limit is {limit_s:g} s"
        for after_s, what in took
        if after_s > limit_s
    ]
