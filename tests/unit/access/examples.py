"""What the matrix cannot read off a declared route: whose things a parameter names, how far a scope sees, a body that fits.

A new route needs a line here only for a parameter, a query or a required body that is new; the matrix says which.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

from tests import posts
from tests.unit.access.settlers import Customer, Settlement

#: Whether a scope sees what is its bearer's own (his desk's, for a collector), or everybody's.
SIGHT: Final[dict[str, Literal["own", "all"]]] = {
    "account:own": "own",
    "bid:own": "own",
    "loan:own": "own",
    "listing:read": "all",
    "user:own": "own",
    "application:own": "own",
    "customer_manager": "all",
    "risk": "all",
    "committee": "all",
    "disbursement": "all",
    "legal": "all",
    "admin": "all",
    "operator": "all",
    "finance": "all",
    "papers": "all",
    "redemption": "all",
    "measure": "all",
    "correction": "all",
    "claim:own": "own",
    "analyst": "all",
    "collector": "own",
    "collections_supervisor": "all",
    "contract_stock": "all",
}
#: Who bears a scope alone; None for customers' scopes.
BEARERS: Final[dict[str, str | None]] = {
    **dict.fromkeys(SIGHT, None),
    **{scope: subject for scope, (subject, _, _) in posts.POSTS.items()},
    "admin": "stf_abe",
    "operator": "stf_ole",
    "analyst": "stf_ana",
}
#: Parameters of a path that name somebody's thing.
OWNED: Final = (
    "account",
    "user",
    "application",
    "loan",
    "debtor",
    "case",
    "contact",
    "command",
    "staff",
    "top_up",
    "withdrawal",
    "claim",
    "pack",
    "voucher",
    "redemption",
    "measure",
    "offer",
    "order",
)
#: Of those, what stays its owner's even before those who see everything else.
PERSONAL: Final = ("command",)
#: Parameters of a path that name what all may see who may see one.
PUBLIC: Final[dict[str, Callable[[Customer], str]]] = {
    "listing": lambda about: about.objects["listing"],
    "figure": lambda _about: "custody_balance",
    "bid": lambda about: about.objects["listing"].replace("lst_", "bid_"),
    "booking": lambda _about: "bankref_B1",
    "month": lambda _about: "2024-03",
    "open_offer": lambda about: about.objects["offer"],
    "bank_break": lambda _about: "brk_0",
    "guarantor": lambda _about: "gua_sure",
    "compensation": lambda _about: "cmp_1",
    "stock": lambda _about: "stock_CN-31_202403_borrower",
    "asset": lambda about: about.objects["asset"],
    "disposal": lambda _about: "dsp_1",
    "correction": lambda about: about.objects["correction"],
}
#: Values of a query that point at other people's things; the first one is used where the route requires one.
QUERIES: Final[dict[str, Callable[[Settlement], list[str]]]] = {
    # a name is no cursor, and somebody else's cursor is none of one's own list (test_http_cursors)
    "cursor": lambda town: [town.bob.objects["application"]],
    "limit": lambda _town: ["200"],
    "on": lambda town: [town.due_day],
    "valid_to": lambda town: [town.due_day],
    "step": lambda _town: ["review"],
    "state": lambda _town: ["open"],
    "kind": lambda _town: ["missing_here"],
    "why": lambda _town: ["has_money", "owes"],
    "stage": lambda _town: ["early"],
    "post": lambda _town: ["risk"],
    "waits_for": lambda _town: ["market_specialist"],
    "newcomers_only": lambda _town: ["false"],
    "product": lambda _town: ["consumer"],
    # a consumer's loan of 10,000 yuan at 6 %, funded on the day of the others
    "amount_fen": lambda _town: ["1000000"],
    "annual_rate": lambda _town: ["0.06"],
    "tenor_months": lambda _town: ["12"],
    "funded_on": lambda town: [town.due_day],
    "method": lambda _town: ["equal_instalments"],
    "mode": lambda _town: ["reamortise"],
    "region": lambda town: [town.bob.region, town.ada.region],
    "grade": lambda _town: ["B"],
    "rate_min": lambda _town: ["0.01"],
    "matures_by": lambda town: [town.due_day],
    "price_max": lambda _town: ["1100"],
    "since": lambda _town: ["2024-01-01"],
    "until": lambda _town: ["2030-01-01"],
    "order": lambda _town: ["oldest"],
    "grades": lambda _town: ["A,B"],
    "min_rate": lambda _town: ["0.05"],
    "tenor_from": lambda _town: ["1"],
    "tenor_to": lambda _town: ["360"],
    "left_from": lambda _town: ["1"],
    "sort": lambda _town: ["rate"],
    "due_until": lambda _town: ["2099-12-31"],
    "figure": lambda _town: ["outstanding_fen"],
    "number": lambda _town: ["1"],
    "payment": lambda _town: ["pay_none"],
    "bucket": lambda _town: ["M1"],
    "branch": lambda _town: ["CN-31"],
    "asset_stage": lambda _town: ["kept"],
    "overdue": lambda _town: ["true"],
}
#: Routes that nobody in particular may call, each with its reason.
ANYBODY: Final = {
    "POST /onboarding/users": "who registers has no token yet",
}
#: Routes whose effect on the other is what they are for, each with its reason.
SEEN_BY_THE_OTHER: Final = {
    "POST /onboarding/users/{user}/relations": "a relation holds both ways: neither lends to the other",
}

_Body = Callable[[Customer, Settlement], Any]


def _registration(about: Customer, _town: Settlement) -> dict[str, Any]:
    """Somebody who is there already: his phone is taken, so asking a hundred times makes no hundred people."""
    return {"region": about.region, "name": about.name, "phone": about.phone}


def _amount(_about: Customer, _town: Settlement) -> dict[str, Any]:
    return {"amount_fen": 1_00}


def _day(_about: Customer, _town: Settlement) -> dict[str, Any]:
    return {"business_date": "2024-03-15"}


def _vote(_about: Customer, _town: Settlement) -> Any:
    return posts.vote("general_manager").body


#: Blank contracts.
_NUMBERS: Final = {"first": 1, "last": 2}

#: route -> a body that it accepts, about somebody's things.
BODIES: Final[dict[str, _Body]] = {
    "POST /bidding/accounts/{account}/top-ups": _amount,
    "POST /bidding/accounts/{account}/withdrawals": _amount,
    "POST /bidding/accounts/{account}/bids": lambda about, _: {
        "listing_id": about.objects["listing"],
        "amount_fen": 100_00,
    },
    "POST /bidding/accounts/{account}/loan-payments": lambda about, _: {
        "loan_id": about.objects["loan"],
        "amount_fen": 5,
    },
    "POST /bidding/listings": lambda about, _: {
        "borrower": about.user,
        "amount_fen": 10_000_00,
        "annual_rate": "0.12",
        "tenor_months": 3,
        "grade": "B",
    },
    "POST /bidding/listings/{listing}/checks": lambda _about, _: {
        "verdict": "approve",
        "content_hash": "0" * 64,
    },
    "POST /bidding/listings/{listing}/payout": lambda _about, _: {"voucher": "F8-1"},
    "POST /bidding/listings/{listing}/cancellation": lambda _about, _: {"code": "duplicate"},
    "POST /bidding/listings/{listing}/reviews": lambda _about, _: {"verdict": "approve"},
    "POST /bidding/bank/top-ups/{account}/{top_up}": lambda _about, _: {
        "bank_reference": "B-1",
        "amount_fen": 1,
        "succeeded": True,
    },
    "POST /bidding/bank/unrequested/{booking}": lambda _about, _: {"amount_fen": 1},
    "POST /bidding/bank/withdrawals/{account}/{withdrawal}": lambda _about, _: {
        "bank_reference": "B-2",
        "amount_fen": 1,
        "succeeded": True,
    },
    "POST /bidding/bank/marketing/{booking}": lambda _about, _: {"amount_fen": 1},
    "POST /bidding/offers": lambda about, _: {
        "claim_id": about.objects["claim"],
        "price_permille": 1_000,
    },
    "POST /bidding/offers/{open_offer}/take": lambda _about, _: {"maximum_fen": 1},
    "POST /bidding/vouchers": lambda about, _: {
        "investor": about.user,
        "amount_fen": 1,
        "bid_min_fen": 100_00,
        "valid_to": "2099-12-31",
    },
    "POST /bidding/vouchers/{voucher}/redemption": lambda about, _: {"listing_id": about.objects["listing"]},
    "POST /bidding/standing-orders": lambda _about, _: posts.STANDING_ORDER,
    "POST /bidding/standing-orders/{order}/terms": lambda _about, _: posts.ORDER_TERMS,
    "POST /bidding/deal-packs/{pack}/delivery": lambda _about, _: {"channel": "post"},
    "POST /bidding/deal-packs/{pack}/steps": lambda _about, _: {"step": "review"},
    "POST /bidding/contract-stock": lambda _about, _: {
        "branch": "CN-31",
        "month": "2024-03-01",
        "party": "borrower",
        "quota": 50,
        "rep_quota": 10,
    },
    "POST /bidding/contract-stock/{stock}/hand-overs": lambda _about, _: _NUMBERS | {"to": "stf_lou"},
    "POST /bidding/contract-stock/{stock}/receipts": lambda _about, _: _NUMBERS,
    "POST /bidding/contract-stock/{stock}/signatures": lambda about, _: {
        "number": 1,
        "loan_id": about.objects["loan"],
    },
    "POST /bidding/contract-stock/{stock}/returns": lambda _about, _: {"number": 1, "copies": 2},
    "POST /bidding/contract-stock/{stock}/voidings": lambda _about, _: _NUMBERS | {"code": "spoiled"},
    "POST /bidding/contract-stock/{stock}/counts": lambda _about, _: {"seen": [_NUMBERS]},
    "POST /bidding/contract-stock/{stock}/explanations": lambda _about, _: {"code": "misfiled"},
    "POST /bidding/listings/{listing}/voiding": lambda _about, _: {"code": "fraud"},
    "POST /bidding/redemptions": lambda about, _: {
        "offer_id": f"offer_none{about.serial}",
        "reason": "illness",
        "price_permille": 950,
    },
    "POST /bidding/redemptions/{redemption}/steps": lambda _about, _: {"step": "market_specialist"},
    "POST /bidding/bank-breaks/{bank_break}/explanation": lambda _about, _: {"code": "timing"},
    "POST /bidding/bank-breaks/{bank_break}/resolution": lambda _about, _: {"code": "timing"},
    "POST /bidding/bank-matches": lambda _about, _: {"by": "reference"},
    "POST /onboarding/users": _registration,
    "POST /onboarding/assisted-users": _registration,
    "POST /onboarding/users/{user}/verification": lambda about, _: {
        "identity": about.identity,
        "card": posts.card_number(about.serial),
    },
    "POST /onboarding/users/{user}/suitability": lambda _about, _: {"answers": posts.BOLD},
    "POST /onboarding/users/{user}/relations": lambda _about, _: {"related": "usr_cousin"},
    "POST /onboarding/applications": lambda _about, _: posts.wish(1_000_00),
    "POST /onboarding/applications/{application}/papers": lambda _about, _: {"documents": ["contracts"]},
    "POST /onboarding/applications/{application}/return": lambda _about, _: {
        "papers": ["contracts"],
        "code": "old",
    },
    "POST /onboarding/applications/{application}/interview": lambda _about, _: {
        "repayment_source": "salary",
        "record": "note_1",
    },
    "POST /onboarding/applications/{application}/review": lambda _about, _: {"is_eligible": True},
    "POST /onboarding/applications/{application}/report": lambda _about, _: posts.report("2024-03-15"),
    "POST /onboarding/applications/{application}/committee": lambda _about, _: posts.terms(10_000_00),
    "POST /onboarding/applications/{application}/votes": _vote,
    "POST /onboarding/applications/{application}/conditions": lambda _about, _: {
        "condition": "second_guarantor",
        "evidence": "doc_1",
    },
    "POST /onboarding/applications/{application}/acceptance": lambda _about, _: {
        "text_hash": "0" * 64,
        "evidence": "sign_1",
    },
    "POST /onboarding/applications/{application}/precedents": lambda _about, _: posts.precedents().body,
    "POST /onboarding/staff/{staff}/appointments": lambda _about, _: {"roles": ["legal"]},
    "POST /repayment/measures": lambda about, _: {
        "loan_id": about.objects["lent"],
        "terms": {"kind": "non_accrual"},
        "reason": "income_lost",
        "evidence": ["vault:1"],
    },
    "POST /repayment/measures/{measure}/steps": lambda _about, _: {"step": "risk"},
    "POST /repayment/measures/{measure}/vote": lambda _about, _: {"agrees": True},
    "POST /repayment/assets/{asset}/counts": lambda _about, _: {"found": True, "paper": "vault:1"},
    "POST /repayment/assets/{asset}/failed-auctions": lambda _about, _: {
        "reserve_fen": 100,
        "report": "vault:1",
    },
    "POST /repayment/assets/{asset}/disposals": lambda _about, _: {
        "manner": "auction",
        "price_fen": 100,
        "reserve_fen": 100,
        "buyer_account": "acc_none",
        "paper": "vault:1",
    },
    "POST /repayment/assets/{asset}/disposals/{disposal}/steps": lambda _about, _: {
        "step": "general_manager"
    },
    "POST /repayment/guarantors/{guarantor}": lambda _about, _: {
        "limit_fen": 1_000_000_00,
        "valid_to": "2024-12-31",
        "file": "vault:1",
    },
    "POST /repayment/guarantors/{guarantor}/refusal": lambda _about, _: {"code": "file_incomplete"},
    "POST /repayment/guarantors/{guarantor}/suspension": lambda _about, _: {"code": "net_worth_too_small"},
    "POST /repayment/loans/{loan}/compensations/{compensation}/steps": lambda _about, _: {"step": "execute"},
    "POST /repayment/loans/{loan}/corrections": lambda about, _: {
        "payment_id": about.objects["payment"],
        "kind": "reverse",
        "reason": "wrong_loan",
    },
    "POST /repayment/corrections/{correction}/authorisations": lambda _about, _: {"role": "supervisor"},
    "POST /repayment/corrections/{correction}/refusals": lambda _about, _: {"code": "not_proved"},
    "POST /repayment/calendar": _day,
    "POST /repayment/calendar/close": _day,
    "POST /collections/debtors/{debtor}/cases/{case}/contacts": lambda _about, _: {
        "channel": "call",
        "direction": "inbound",
    },
    "POST /collections/debtors/{debtor}/contacts/{contact}/outcome": lambda _about, _: {
        "outcome": "no_answer"
    },
    "POST /collections/debtors/{debtor}/cases/{case}/promises": lambda about, town: {
        "contact_id": about.objects["talk"],
        "amount_fen": 1,
        "promised_on": town.due_day,
    },
    "POST /collections/debtors/{debtor}/cases/{case}/plans": lambda _about, _: {
        "kind": "extension",
        "months": 1,
        "reason": "income_lost",
        "income_proof": "vault:1",
    },
    "POST /collections/debtors/{debtor}/cases/{case}/assignment": lambda about, _: {
        "collector": about.collector
    },
    "POST /collections/collectors/{staff}/desk": lambda about, _: {
        "stages": ["early"],
        "regions": [about.region],
        "skills": ["phone"],
    },
}


def owned_value(path: str, parameter: str, about: Customer) -> str:
    """What of somebody's a parameter names; one name has two meanings: a collector is a member of staff like others."""
    if parameter == "staff":
        return about.collector if path.startswith("/collections/") else "stf_tmp"
    return about.objects.get(parameter, "")
