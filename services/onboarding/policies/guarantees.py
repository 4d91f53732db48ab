"""The register of guarantors answers an application: its listing may open, or nothing of the loan counts any more."""

from libs.events.application import ApplicationDeclined, GuaranteeRequested
from libs.events.guarantees import GuaranteeDeclined, GuaranteeReserved
from libs.events.onboarding import PrecedentsMet
from libs.events.records import RecordedEvent
from libs.events.sagas import Saga, Send, Step
from libs.events.system import CommandRefused
from services.onboarding.commands import ConfirmGuarantee, FailPrecedents

#: Repayment's command whose refusal means that nobody of that name is in the register.
_RESERVE = "repayment.ReserveGuarantee"


def on_repayment(event: RecordedEvent) -> list[Send]:
    """There is room for the loan under its guarantor's limit, or not."""
    match event.data:
        case GuaranteeReserved() as kept:
            confirm = ConfirmGuarantee(application_id=kept.application_id)
            return [Send("guarantee", kept.application_id, confirm)]
        case GuaranteeDeclined() as declined:
            return [_fail(declined.application_id, declined.code)]
        case CommandRefused() as refused if refused.command_type == _RESERVE and refused.about:
            return [_fail(refused.about["application_id"], refused.code)]
        case _:
            return []


def _fail(application_id: str, code: str) -> Send:
    return Send("guarantee", application_id, FailPrecedents(application_id=application_id, code=code))


SAGAS = (
    Saga(
        name="guarantee",
        why="The listing opens once the register of guarantors has room for the loan; without it nothing of the loan counts any more.",
        opened_by={GuaranteeRequested: lambda asked: f"register {asked.application_id}"},
        closed_by={
            PrecedentsMet: lambda met: f"register {met.application_id}",
            ApplicationDeclined: lambda declined: f"register {declined.application_id}",
        },
        steps=(
            Step(on=GuaranteeReserved, send=ConfirmGuarantee),
            Step(on=GuaranteeDeclined, send=FailPrecedents),
            Step(on=CommandRefused, send=FailPrecedents),
        ),
    ),
)
