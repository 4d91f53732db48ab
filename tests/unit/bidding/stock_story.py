"""March's blank contracts of branch CN-31 in the specs: Abe prints ten, Lou of the branch gets eight, Max the representative three."""

from datetime import date
from typing import Any

from libs.events.contract_stock import (
    BlankReturned,
    BlankSigned,
    BlanksVoided,
    Numbers,
    Place,
    StockCounted,
    StockDifferenceExplained,
    StockHandedOver,
    StockPrinted,
    StockTaken,
)
from libs.events.void_papers import SignedBlank, SignedBlankVoided, VoidedBy
from libs.events.voiding import ListingVoidingApproved, ListingVoidingProposed
from services.bidding.commands.contract_stock import PrintContracts, VoidSignedBlank

MARCH = date(2024, 3, 1)
STOCK = "stock_CN-31_202403_borrower"
ID: dict[str, Any] = {"stock_id": STOCK}
ABE, LOU, MAX, ZOE = "stf_abe", "stf_lou", "stf_max", "stf_zoe"


def numbers(first: int, last: int | None = None) -> Numbers:
    """From one to another, or one alone."""
    return Numbers(first=first, last=last or first)


def printing(**changed: Any) -> PrintContracts:
    """Ten for borrowers, three for a representative."""
    asked: dict[str, Any] = {"branch": "CN-31", "month": MARCH, "party": "borrower", "quota": 10}
    return PrintContracts(**(asked | {"rep_quota": 3} | changed))


def offered(first: int, last: int, giver: str, receiver: str, place: Place) -> StockHandedOver:
    """One gives blanks to another."""
    return StockHandedOver(**ID, numbers=numbers(first, last), giver=giver, receiver=receiver, place=place)


def taken(first: int, last: int, giver: str, receiver: str, place: Place) -> StockTaken:
    """Who has them now."""
    return StockTaken(**ID, numbers=numbers(first, last), giver=giver, receiver=receiver, place=place)


def counted(**changed: Any) -> StockCounted:
    """Zoe counted what is blank: two lie at headquarters, five at the branch, two are Max's."""
    found: dict[str, Any] = {
        "branch": "CN-31",
        "month": MARCH,
        "expected": 9,
        "counted": 9,
        "seen": (numbers(2, 10),),
        "missing": (),
        "unexpected": (),
        "twice": (),
        "counter": ZOE,
    }
    return StockCounted(**(ID | found | changed))


PRINTED = StockPrinted(
    **ID, branch="CN-31", month=MARCH, party="borrower", quota=10, rep_quota=3, printer=ABE
)
TO_LOU = offered(1, 8, ABE, LOU, "branch")
LOUS = taken(1, 8, ABE, LOU, "branch")
TO_MAX = offered(1, 3, LOU, MAX, "rep")
MAXS = taken(1, 3, LOU, MAX, "rep")
SIGNED = BlankSigned(**ID, number=1, loan_id="loan_1", rep=MAX)
RETURNED = BlankReturned(**ID, number=1, loan_id="loan_1", copies=2, rep=MAX, receiver=LOU)
VOID = BlanksVoided(**ID, numbers=numbers(2), code="spoiled", by=LOU)
AT_BRANCH = (PRINTED, TO_LOU, LOUS)
ISSUED = (*AT_BRANCH, TO_MAX, MAXS)
USED = (*ISSUED, SIGNED)
#: One is missing, one that was signed lies there, one was seen twice.
WRONG = counted(
    counted=10,
    seen=(numbers(1, 3), numbers(5, 10), numbers(10)),
    missing=(numbers(4),),
    unexpected=(numbers(1),),
    twice=(numbers(10),),
)
BLANK = SignedBlank(stock_id=STOCK, number=1)
VOIDED = VoidedBy(measure_id="msr_1", ground="fraud", voided_on=date(2024, 4, 20))
VOID_SIGNED = VoidSignedBlank(number=1, loan_id="loan_1", voided=VOIDED)
SIGNED_VOID = SignedBlankVoided(**ID, number=1, loan_id="loan_1", voided=VOIDED)
EXPLAINED = StockDifferenceExplained(**ID, branch="CN-31", month=MARCH, code="misfiled", by=ABE)

# --- a contract that is void ---------------------------------------------------------------------------------------

BEAS: dict[str, Any] = {"listing_id": "lst_1", "loan_id": "loan_1", "borrower": "usr_bea", "code": "fraud"}
PROPOSED = ListingVoidingProposed(**BEAS, proposer="stf_lia")
BY_LEGAL = ListingVoidingApproved(**BEAS, post="legal", approver="stf_liz")
BY_FINANCE = ListingVoidingApproved(**BEAS, post="finance", approver="stf_fin")
