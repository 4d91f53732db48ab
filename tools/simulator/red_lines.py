"""The red lines of domain.md section 9, and where the auditor holds the log to each of them, at every record:

1. *The platform only mediates.* Money is the bank's, a customer's, a fee, the platform's own for vouchers, on its way between a
   loan's parties, between buyer and seller of a claim or to whom a voucher is paid, or nobody's yet: `only_mediates` knows no other account, lets none but customers bid,
   borrow and hold, lets fees only come in, and vouchers' money come from the bank only. What the bank has is then the sum of all of
   these, because `Books._post` lets every event sum to zero and nothing but the bank go below it. Nothing is pooled: what is on its
   way belongs to one loan (`clearing:loan:<loan>`), offer or voucher, never falls below zero, and is nothing at rest.
2. *The platform never guarantees.* A lender is credited what a payment's distribution promised him, and nothing else
   (`Books._credited`); a payment is an account's own money (`Books._post`), never a fee's, which only comes in (`only_mediates`), but for what a correction
   says was never one (`CorrectionBooks`). What a guarantor pays is asked of his own account and taken from it alone, to the fen
   (`GuarantorBooks._executed`, `_debited`).
3. *No fake borrower, no self-lending.* Who is listed for an application was verified (`PeopleBooks._listed`); nobody bids on his
   own or a related party's loan (`PeopleBooks._bid`), and every account knows its owner's relations (`PeopleBooks.at_rest`).
   Loans of staff, and of those related to staff, are marked from the borrower's own stream to the listing (`OpeningBooks`).
   What is listed was applied for and read by a second person, and a large loan reviewed by two (`LawBooks._opened`, `_filled`).
4. *Caps and ceiling hold at approval and at funding.* Exposure: `LawBooks._capped` knows which cap is in force,
   `PeopleBooks._within` asks for it when a loan is reserved and looked at again, and `PeopleBooks._funded` lets nothing be funded that
   was not looked at since its pay-out. Cost: `costs_too_much`, when it is prepared and when it is funded. An investor's level and cap
   hold for bids (`ListingBooks._bid`, `PeopleBooks._bid`) and for purchases (`LawBooks._taken`, `_transferred`).
5. *Every money event balances; nothing is lost, doubled or created*: `Books._post`, `Books._once`, `Books._pays`, `Books.at_rest`.
6. *What a user is told is in the log*: `Auditor.answered`.
"""

from datetime import date
from fractions import Fraction
from typing import Any, Final

from tools.simulator.loan_books import require
from tools.simulator.schedule_books import schedule_of, worth_too_much

#: The platform's own accounts, which nobody owns, and their names in postings.
FEE_ACCOUNT: Final = "acc_fees"
MARKETING_ACCOUNT: Final = "acc_marketing"
FEES: Final = "fees:platform"
MARKETING: Final = "marketing:platform"
_CUSTOMERS: Final = ("available:acc_", "held:acc_")
_OTHERS: Final = ("bank:custody", "unrequested:bank", FEES, MARKETING)
_ON_ITS_WAY: Final = (
    "clearing:loan:loan_",
    "clearing:voucher:vch_",
    "clearing:offer:offer_",
    "clearing:asset:ast_",
    "clearing:correction:cor_",
    "clearing:correction:msr_",
    "clearing:prior_year:cor_",
    "clearing:prior_year:msr_",
)

#: The highest annual cost of a loan by the day of its contract, of the years in which the simulation plays (domain.md section 2).
_CEILINGS: Final = ((date(2015, 9, 1), Fraction(24, 100)), (date(2023, 8, 21), Fraction(138, 1_000)))


def only_mediates(where: str, kind: str, data: Any) -> None:
    """Line 1, and of line 2 that no fee pays for anything. For each event that moves money."""
    for posting in data["postings"]:
        account, amount = posting["account"], posting["amount_fen"]
        known = account in _OTHERS or account.startswith((*_CUSTOMERS, *_ON_ITS_WAY))
        require(known, f"{where}: {kind} moves money of {account}, which is no customer's and on no way")
        is_platforms = account.endswith((f":{FEE_ACCOUNT}", f":{MARKETING_ACCOUNT}"))
        require(not is_platforms, f"{where}: the platform holds customers' money in {account}")
        gives_back = (
            kind == "bidding.FeeAdjusted.v1"
        )  # a fee that was never right, and no more: CorrectionBooks
        taken = account == FEES and amount < 0 and not gives_back
        require(not taken, f"{where}: {kind} takes {-amount} from the platform's fees")
        comes_back = account == MARKETING and amount > 0 and kind != "bidding.MarketingFunded.v1"
        require(not comes_back, f"{where}: {kind} gives {amount} back to the platform's marketing account")


def is_a_customer(where: str, account: str) -> None:
    """Line 1: who bids, borrows or lends is never the platform."""
    ours = ("", FEE_ACCOUNT, MARKETING_ACCOUNT)
    require(account not in ours, f"{where}: the platform is a party of a loan")


def costs_too_much(
    *, on: date, amount_fen: int, fee_fen: int, annual_rate: str, months: int, repayment: Any = None
) -> bool:
    """Line 4: whether a loan's instalments, discounted at the ceiling of the day, are worth more than what is paid out."""
    started = [ceiling for since, ceiling in _CEILINGS if since <= on]
    if repayment is not None:
        flows = schedule_of(repayment, amount_fen, Fraction(annual_rate), months, on)
        return worth_too_much(
            repayment,
            flows,
            amount=amount_fen,
            rate=Fraction(annual_rate),
            limit=started[-1],
            months=months,
            on=on,
            fee=fee_fen,
        )
    rate, limit = Fraction(annual_rate) / 12, started[-1] / 12
    growth = (1 + rate) ** months
    instalment = amount_fen * rate * growth / (growth - 1) if rate else Fraction(amount_fen, months)
    worth = instalment * (1 - 1 / (1 + limit) ** months) / limit
    return worth > amount_fen - fee_fen
