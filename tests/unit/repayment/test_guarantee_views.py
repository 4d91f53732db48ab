"""What people read of guarantors, of what they are asked for, and of the claims that pass to them."""

from dataclasses import replace
from typing import Any

from libs.events.guarantees import GuarantorSuspended
from services.repayment.api.guarantee_shapes import GuarantorOut
from services.repayment.projections.claims import VIEW as CLAIMS
from services.repayment.projections.guarantees import COMPENSATIONS, GUARANTORS
from services.repayment.projections.loans import VIEW as LOANS
from tests.unit.documents import documents, history
from tests.unit.repayment import guarantee_story as g


def _shown(view: Any, stream: str, *events: Any) -> dict[str, Any]:
    """The documents without where they come from."""
    return {
        name: {field: value for field, value in fields.items() if not field.startswith("src.")}
        for name, fields in documents(view, history(stream, *events)).items()
    }


def test_a_guarantor_is_shown_with_what_he_may_and_does_guarantee() -> None:
    """Proposed, then admitted with his limit, then with his loans; suspended he keeps them."""
    first = _shown(GUARANTORS, "gua_g", g.NOMINATED)["gua_g"]
    assert (first["proposal"]["proposed_by"], first.keys() & {"state", "limit_fen"}) == ("stf_ria", set())
    suspended = GuarantorSuspended(
        guarantor="gua_g", code="net_worth_too_small", suspended_by="stf_ria", suspended_on=g.DAY
    )
    assert _shown(GUARANTORS, "gua_g", *g.KNOWN, suspended)["gua_g"] == {
        "guarantor": "gua_g",
        "state": "suspended",
        "code": "net_worth_too_small",
        "limit_fen": 100_000,
        "guaranteed_fen": 60_000,
        "valid_to": "2024-12-31",
        "admitted_by": "stf_gm",
        "liability": "joint",
        "proposal": None,
    }
    refused = _shown(GUARANTORS, "gua_g", g.NOMINATED, g.NOT_AGREED)["gua_g"]
    assert refused == {"guarantor": "gua_g", "proposal": None, "refused": "file_incomplete"}
    assert GuarantorOut.of(refused).state == "refused"
    assert GuarantorOut.of(first).state == "proposed"


def test_a_compensation_is_shown_from_its_proposal_to_its_end() -> None:
    """Who signed it, how much it is and whose claim it became; or why nothing came of it."""
    paid = _shown(COMPENSATIONS, "loan_7", *g.SIGNED, g.SUBROGATED)["cmp_1"]
    assert paid == {
        "compensation_id": "cmp_1",
        "loan_id": "loan_7",
        "guarantor": "gua_g",
        "covers": "overdue",
        "dpd": 30,
        "amount_fen": g.AMOUNT,
        "proposed_by": "stf_acc",
        "proposed_on": "2024-03-30",
        "sign_until": "2024-04-09",
        "approved_by": "stf_fin",
        "executed_by": "stf_cas",
        "claim_id": "clm_7_4",
        "code": None,
        "state": "paid",
    }
    declined = _shown(COMPENSATIONS, "loan_7", *g.SIGNED, g.DECLINED)["cmp_1"]
    assert (declined["state"], declined["code"]) == ("declined", "insufficient_available")
    asked = _shown(COMPENSATIONS, "loan_7", g.PROPOSED, replace(g.DECLINED, declined_by="stf_fin"))["cmp_1"]
    assert (asked["state"], asked["approved_by"]) == ("declined", None)


def test_the_claims_that_pass_to_him_are_shown_on_both_sides() -> None:
    """The holders' principal comes back and is his claim; the loan is owed the same, by others."""
    claims = _shown(CLAIMS, "loan_7", *g.COMPENSATED)
    owed = {name: (claim["investor"], claim["outstanding_fen"]) for name, claim in claims.items()}
    assert owed == {
        "clm_7_1": ("usr_1", 33_499),
        "clm_7_2": ("usr_2", 20_099),
        "clm_7_3": ("usr_3", 13_400),
        "clm_7_4": ("usr_g", 33_002),
    }
    loan = _shown(LOANS, "loan_7", *g.COMPENSATED)["loan_7"]
    assert (loan["outstanding_fen"], loan["guarantor"]) == (100_000, "gua_g")
    assert sum(loan[f"held.{name}"] for name in owed) == 100_000
