"""Nobody holds two roles that separation of duties keeps apart, and nobody appoints himself."""

from dataclasses import replace

import pytest

from libs.events.onboarding import StaffAppointed, StaffDismissed
from services.onboarding.commands import AppointStaff, DismissStaff
from services.onboarding.domain.staff import AGGREGATE
from tests.unit.onboarding.stories import Spec, by

APPOINT = AppointStaff(staff_id="stf_ria", roles=("risk_assessor", "risk"), region="CN-31")
APPOINTED = StaffAppointed(staff_id="stf_ria", roles=("risk", "risk_assessor"), region="CN-31")
DISMISS = DismissStaff(staff_id="stf_ria")
DISMISSED = StaffDismissed(staff_id="stf_ria", roles=("risk", "risk_assessor"), region="CN-31")
ADMIN = by("stf_adm")

SPECS = [
    Spec("an administrator appoints", (), APPOINT, (APPOINTED,), ADMIN),
    Spec("once", (APPOINTED,), APPOINT, (), ADMIN),
    Spec("other roles replace", (APPOINTED,), replace(APPOINT, roles=("risk",)), (replace(APPOINTED, roles=("risk",)),), ADMIN),
    Spec("who left may come back", (APPOINTED, DISMISSED), APPOINT, (APPOINTED,), ADMIN),
    Spec("to a staff id", (), replace(APPOINT, staff_id="usr_1"), "invalid_staff", ADMIN),
    Spec("to some role", (), replace(APPOINT, roles=()), "invalid_roles", ADMIN),
    Spec("that there is", (), replace(APPOINT, roles=("king",)), "invalid_roles", ADMIN),
    Spec("named once", (), replace(APPOINT, roles=("risk", "risk")), "invalid_roles", ADMIN),
    Spec("who brings customers does not assess them", (), replace(APPOINT, roles=("customer_manager", "risk")), "conflicting_roles", ADMIN),
    Spec("who approves does not pay out", (), replace(APPOINT, roles=("disbursement", "general_manager")), "conflicting_roles", ADMIN),
    Spec("who confirms arrival does not pay out", (), replace(APPOINT, roles=("accountant", "cashier")), "conflicting_roles", ADMIN),
    Spec("nobody appoints himself", (), APPOINT, "forbidden_self", by("stf_ria")),
    Spec("an administrator dismisses", (APPOINTED,), DISMISS, (DISMISSED,), ADMIN),
    Spec("once", (APPOINTED, DISMISSED), DISMISS, (), ADMIN),
    Spec("somebody who is there", (), DISMISS, "unknown_staff", ADMIN),
    Spec("not himself", (APPOINTED,), DISMISS, "forbidden_self", by("stf_ria")),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_staff(spec: Spec) -> None:
    """Each rule about an appointment, in a sentence."""
    spec.check(AGGREGATE)
