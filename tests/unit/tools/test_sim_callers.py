"""The callers of a simulation: whoever is not answered asks again, and each time that he has to, he waits longer."""

from random import Random

from services.bidding.commands import OpenAccount
from tools.simulator.log import NO_FAULTS, Log, Place
from tools.simulator.people import PATIENCE_STEPS, Api

COMMANDS = Place("bidding.commands", 0)


def test_a_call_that_is_not_answered_is_sent_again_ever_more_rarely() -> None:
    """Three times at the usual patience; then the pause doubles, to a limit: callers must not bury a decider that is behind."""
    log = Log(Random(0), NO_FAULTS)
    for topic in ("commands", "events"):
        log.create(Place(f"bidding.{topic}", 0))
    api = Api(log, ["bidding"], 1, log_id="5151515151515151", slot=-1)
    api.ask("bidding", "acc_1", OpenAccount(owner="usr_1"))
    sent_at = []
    for step in range(PATIENCE_STEPS * 140):
        if api.step(Random(0)):
            sent_at.append(step)
        while log.step():
            pass
    pauses = [after - before for before, after in zip([-1, *sent_at], sent_at, strict=False)]
    assert pauses[:9] == [1 + PATIENCE_STEPS * times for times in (1, 1, 1, 2, 4, 8, 16, 32, 32)]
    assert log.end(COMMANDS) == 1 + len(sent_at)
