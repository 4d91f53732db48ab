"""An application's way through every post, as requests: shared by the tests that walk it in one process and over the stack.

Who sits at which post, what each step's body is, and numbers of right form that the bundled provider confirms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stdnum import luhn
from stdnum.cn import ric

from services.bidding.domain.standing_text import TEXT_HASH

#: scope -> (subject, roles of his appointment, region). One person per post; the committee is three.
POSTS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "customer_manager": ("stf_max", ("customer_manager",), None),
    "risk": ("stf_ria", ("risk",), None),
    "committee": ("stf_gus", ("general_manager",), None),
    "legal": ("stf_lia", ("legal",), None),
    "disbursement": ("stf_leo", ("disbursement",), None),
    "collector": ("stf_lee", ("collector",), "CN-31"),
    "finance": ("stf_fin", ("cashier",), None),
    "papers": ("stf_liz", ("legal",), None),
    "redemption": ("stf_mia", ("market_specialist",), None),
    "measure": ("stf_rex", ("risk",), None),
    "correction": ("stf_pia", ("finance_supervisor",), None),
    "collections_supervisor": ("stf_sue", ("collections_supervisor",), None),
    "contract_stock": ("stf_lou", ("loan_clerk",), "CN-31"),
}
#: office -> who holds it.
COMMITTEE = {"general_manager": "stf_gus", "risk_assessor": "stf_rob", "finance_supervisor": "stf_fay"}
#: Everybody who is appointed before the day begins: subject -> (roles, region).
APPOINTMENTS: dict[str, tuple[tuple[str, ...], str | None]] = {
    **{subject: (roles, region) for subject, roles, region in POSTS.values()},
    **{subject: ((office,), None) for office, subject in COMMITTEE.items()},
    "stf_kim": (("collector",), "CN-44"),
    "stf_ulf": (("accountant",), None),  # the second of finance
    "stf_cas": (("cashier",), None),  # the third, who pays out
    "stf_zoe": (("admin",), None),  # keeps the company's seal
    "stf_cyd": (("customer_service",), None),
}
#: Who does which step of a deal pack.
PACK_SIGNERS = {
    "receipt": "stf_ulf",
    "claim_list": "stf_ria",
    "review": "stf_liz",
    "seal_legal_representative": "stf_gus",
    "seal_company": "stf_zoe",
    "delivery": "stf_cyd",
}
DOCUMENTS = (
    "identity_card",
    "income_proof",
    "bank_statements",
    "asset_proof",
    "credit_report",
    "purpose_evidence",
)
#: A standing order that takes no loan that anybody has, and the hash of the text that its owner has read.
ORDER_TERMS: dict[str, Any] = {
    "grades": ["Z"],
    "annual_rate_min": "0.3",
    "tenor_months_max": 1,
    "loan_max_fen": 100_00,
}
STANDING_ORDER = ORDER_TERMS | {"text_hash": TEXT_HASH}
PRECEDENTS = (
    "approval_valid",
    "contract_signed",
    "guarantee_authentic",
    "conditions_fulfilled",
    "purpose_account_known",
)
ASPECTS = ("legal", "credit", "operations", "tax", "guarantee")
#: The questionnaire of who shuns no risk (C5), and of who shuns all (C1).
BOLD, CAREFUL = [5] * 8, [1] * 8


@dataclass(frozen=True, slots=True)
class Step:
    """One request on an application: its address below it, who sends it under which scope, and its body."""

    name: str
    subject: str
    scope: str
    body: Any


def identity_number(serial: int) -> str:
    """A resident identity number of right form (GB 11643) that is nobody's test number: born on 1990-03-07 in Beijing."""
    first = f"11010119900307{serial:03d}"
    return first + str(ric.calc_check_digit(first + "0"))


def card_number(serial: int) -> str:
    """A bank card's number of right form (Luhn)."""
    first = f"621700001{serial:09d}"
    return first + str(luhn.calc_check_digit(first))


def wish(amount_fen: int, tenor_months: int = 3, documents: Sequence[str] = DOCUMENTS) -> dict[str, Any]:
    """An application's body."""
    return {
        "product": "consumer",
        "purpose": "renovation",
        "amount_fen": amount_fen,
        "tenor_months": tenor_months,
        "documents": [*documents],
    }


def report(day: str, grade: str = "B", limit_fen: int = 200_000_00) -> dict[str, Any]:
    """A sound report: all five aspects seen on the spot."""
    aspects = [
        {
            "aspect": aspect,
            "finding": "sound",
            "score": 80,
            "manner": "field_visit",
            "found_on": day,
            "evidence": f"doc_{aspect}",
        }
        for aspect in ASPECTS
    ]
    return {"aspects": aspects, "grade": grade, "limit_fen": limit_fen, "recommends": True}


def terms(amount_fen: int, tenor_months: int = 3, **more: Any) -> dict[str, Any]:
    """What the committee is asked for, with the fees that are published for a consumer's loan."""
    asked = {"amount_fen": amount_fen, "annual_rate": "0.12", "tenor_months": tenor_months, "grade": "B"}
    fees = {"origination_fee_fen": origination_fee_fen(amount_fen), "interest_fee_permille": 100}
    return asked | fees | more


def origination_fee_fen(amount_fen: int) -> int:
    """Two per mille of a consumer's loan, whose amounts here are whole yuan."""
    return amount_fen // 500


def vote(office: str, voice: str = "agree") -> Step:
    """One office's vote by its holder."""
    return Step(
        "votes", COMMITTEE[office], "committee", {"office": office, "vote": voice, "reason": "as_reported"}
    )


def to_the_committee(day: str, amount_fen: int, tenor_months: int = 3, **more: Any) -> list[Step]:
    """From the papers to the convened committee."""
    manager, risk = POSTS["customer_manager"][0], POSTS["risk"][0]
    return [
        Step("intake", manager, "customer_manager", {}),
        Step(
            "interview",
            manager,
            "customer_manager",
            {"repayment_source": "salary", "record": "note_1"},
        ),
        Step("review", risk, "risk", {"is_eligible": True}),
        Step("report", risk, "risk", report(day)),
        Step("committee", risk, "risk", terms(amount_fen, tenor_months, **more)),
    ]


def acceptance(applicant: str, offered: Mapping[str, Any]) -> Step:
    """The applicant signs what he was offered: the text on his application's page, by the hash that it really has."""
    text_hash = sha256(offered["terms_text"].encode()).hexdigest()
    assert offered["terms_hash"] == text_hash
    return Step("acceptance", applicant, "application:own", {"text_hash": text_hash, "evidence": "sign_1"})


def precedents() -> Step:
    """Everything that must hold before the listing opens was seen to hold."""
    return Step("precedents", POSTS["disbursement"][0], "disbursement", {"checks": [*PRECEDENTS]})


def to_the_offer(day: str, amount_fen: int, tenor_months: int = 3, **more: Any) -> list[Step]:
    """From the papers to the offered terms."""
    return [
        *to_the_committee(day, amount_fen, tenor_months, **more),
        *(vote(office) for office in COMMITTEE),
    ]
