"""No command without its three cases: it does something, it refuses by name, and done already it has no effect."""

import pytest

from services.onboarding.commands import (
    CompleteErasure,
    ConfirmApplicant,
    ConfirmExposure,
    CreditReferral,
    DeclineErasure,
    RecordStaffTie,
    ReduceExposure,
    RefuseVerification,
    ReleaseApplicant,
    ReleaseExposure,
    ReportInvestigation,
    RestoreExposure,
    ResubmitApplication,
)
from services.onboarding.domain import aggregates
from services.onboarding.domain.profile import DEMO
from tests.unit.onboarding import test_application, test_guarantee, test_staff, test_staff_tie, test_user

SPECS = [
    *test_user.SPECS,
    *test_application.SPECS,
    *test_guarantee.SPECS,
    *test_staff.SPECS,
    *test_staff_tie.SPECS,
]
COMMANDS = [kind for aggregate in aggregates(DEMO) for kind in aggregate.commands]

#: Each time is a new fact: a question answered, an attempt, a better report, other papers.
NEVER_WITHOUT_EFFECT = (
    ConfirmApplicant,
    ConfirmExposure,
    RefuseVerification,
    ReportInvestigation,
    ResubmitApplication,
)
#: A saga's notice about what never was is no fault, and its question is always answered by event.
NEVER_REFUSED = (
    CreditReferral,
    ReduceExposure,
    RestoreExposure,
    ReleaseExposure,
    ReleaseApplicant,
    ConfirmExposure,
    CompleteErasure,
    DeclineErasure,
    RecordStaffTie,
)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_command_is_specified_in_all_its_cases(kind: type) -> None:
    """Each command has a spec that does, one that refuses, and one without effect where that exists."""
    cases = {spec.case for spec in SPECS if type(spec.when) is kind}
    missing = {"has no effect"} if kind in NEVER_WITHOUT_EFFECT else set()
    missing |= {"refuses"} if kind in NEVER_REFUSED else set()
    assert cases == {"does", "refuses", "has no effect"} - missing


def test_the_refusals_of_a_command_stand_on_it() -> None:
    """A code that a command is refused with is named in its docstring, or is one that the module names for all."""
    for spec in SPECS:
        if isinstance(spec.then, str) and spec.then != "forbidden_not_staff":
            assert f"`{spec.then}`" in (type(spec.when).__doc__ or ""), (
                f"{type(spec.when).__name__}: {spec.then}"
            )
