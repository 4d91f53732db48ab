"""Onboarding's streams with its policies between them: the whole way of an application, and a stranger's."""

from typing import Any

from libs.events.codec import name_of
from libs.events.system import CommandRefused
from services.onboarding.domain import aggregates
from services.onboarding.domain.profile import CN_P2P_2016, PRECEDENTS
from services.onboarding.domain.terms import hash_of
from services.onboarding.policies import POLICIES
from tests.unit.documents import recorded
from tests.unit.given import context, decided, fold
from tests.unit.onboarding import stories as s
from tests.unit.onboarding.policy_story import EXPIRED, PAID


class Town:
    """Onboarding's streams with its policies between them: every command's events are answered until all is quiet."""

    def __init__(self) -> None:
        self.kinds = {aggregate.prefix: aggregate for aggregate in aggregates(CN_P2P_2016)}
        self.states: dict[str, Any] = {}
        self.said: list[Any] = []

    def tell(self, stream: str, command: Any, who: str = "") -> str | None:
        """Decide a command and all that follows. Returns the code of its refusal."""
        kind = self.kinds[stream.split("_")[0]]
        decision = decided(kind, self.states.get(stream, kind.initial), command, context(principal=who))
        if isinstance(decision, str):
            return decision
        self.states[stream] = fold(kind, decision, self.states.get(stream))
        self.said += decision
        for event in decision:
            self.hear("onboarding", event)
        return None

    def hear(self, source: str, event: Any) -> None:
        """An event reaches the policies."""
        for send in POLICIES[source](recorded(event, service=source)):
            code = self.tell(send.stream_id, send.command)
            if code is not None:
                about = dict(send.about)
                refused = CommandRefused(
                    command_type=name_of(type(send.command)), code=code, stream_id=send.stream_id, about=about
                )
                self.hear("onboarding", refused)


def test_the_whole_way_from_registration_to_a_listing_and_back() -> None:
    """A verified user's application is approved with its exposure reserved, listed, expires, and the cap is free again."""
    town = Town()
    for event in (s.REGISTERED, s.VERIFIED):
        town.states[s.BEA] = fold(town.kinds["usr"], [event], town.states.get(s.BEA))
    steps = [
        (s.BEA, s.SUBMIT),
        (s.MAX, _of("CheckIntake")),
        (s.MAX, _of("RecordInterview", repayment_source="salary", record="note_1")),
        (s.RIA, _of("ReviewEligibility", is_eligible=True)),
        (s.RIA, s.REPORT),
        (s.RIA, s.CONVENE),
        (s.GM, s.cast("general_manager")),
        (s.RA, s.cast("risk_assessor")),
        (s.FS, s.cast("finance_supervisor")),
        (s.BEA, _of("AcceptTerms", text_hash=hash_of(s.TERMS_TEXT), evidence="sign_1")),
        (s.LEO, _of("ConfirmPrecedents", checks=PRECEDENTS)),
    ]
    for who, command in steps:
        assert town.tell("app_1", command, who) is None
    assert town.states["app_1"].kind == "ready"
    assert town.states[s.BEA].exposure_fen == 90_000_00
    town.hear("repayment", PAID)
    assert town.states[s.BEA].exposure_fen == 83_000_00
    town.hear("bidding", EXPIRED)
    assert town.states[s.BEA].exposure_fen == 0


def test_a_stranger_s_application_is_declined() -> None:
    """Nobody of that name is registered: the refusal of his stream reaches the application."""
    town = Town()
    assert town.tell("app_1", s.SUBMIT, s.BEA) is None
    assert town.said[-1] == s.declined("unknown_user", "submitted")


def _of(name: str, **fields: Any) -> Any:
    from services.onboarding import commands

    return getattr(commands, name)(application_id="app_1", **fields)
