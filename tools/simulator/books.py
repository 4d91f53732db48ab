"""An accountant of a few lines: folds money events as they stand in the log and knows no rule of any service but addition."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.simulator import late_books
from tools.simulator.kind_books import settled_in_kind
from tools.simulator.lapse_books import lapse
from tools.simulator.loan_books import LoanBook, opened
from tools.simulator.loan_books import require as _require
from tools.simulator.quote_books import require_pieces
from tools.simulator.red_lines import FEE_ACCOUNT, FEES, MARKETING, is_a_customer, only_mediates


@dataclass(slots=True)
class ListingBook:
    """What a listing asked for, its accepted bids by hold, and their sum; `live` until it ended or was collected."""

    amount_fen: int
    raised_fen: int = 0
    live: bool = True
    filled: bool = False
    bids: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class HoldBook:
    """Money held for a bid or a withdrawal, and for which listing."""

    account: str
    listing: str | None
    amount_fen: int
    allow_partial: bool = False


@dataclass(slots=True)
class Books:
    """All accounts, holds, listings and loans."""

    balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    listings: dict[str, ListingBook] = field(default_factory=dict)
    loans: dict[str, LoanBook] = field(default_factory=dict)
    holds: dict[str, HoldBook] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    """Things that may happen once only, and where they did."""
    owed: dict[str, int] = field(default_factory=dict)
    """Money that a distribution or a return promises, by name, until it is credited."""

    def record(self, where: str, events: list[Any]) -> None:
        """Fold one decision. Raises WrongBooks."""
        for event in events:
            data = event["data"]
            if event["stream"] is not None and "postings" in data:
                self._post(where, event["type"], data)
            handler = _HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, where, data)
        self._payments(where, events)

    def at_rest(self) -> None:
        """With nothing on its way, nothing is in clearing, nothing is owed, and only live listings hold money."""
        for account, balance in self.balances.items():
            if account.startswith("clearing:"):
                _require(balance == 0, f"{account} keeps {balance}")
        for name, hold in self.holds.items():
            live = hold.listing is not None and self.listings[hold.listing].live
            _require(live, f"{name} on {hold.account} is held for nothing")
        _require(not self.owed, f"never credited: {self.owed}")

    # --- postings -----------------------------------------------------------------------------------------------

    def _post(self, where: str, kind: str, data: Any) -> None:
        only_mediates(where, kind, data)
        _require(sum(p["amount_fen"] for p in data["postings"]) == 0, f"{where}: {kind} does not balance")
        for posting in data["postings"]:
            account = posting["account"]
            self.balances[account] += posting["amount_fen"]
            if account != "bank:custody":
                _require(self.balances[account] >= 0, f"{where}: {account} has {self.balances[account]}")
        _require(sum(self.balances.values()) == 0, f"{where}: money was made")
        account = data.get("account_id", "")
        for name in ("available", "held"):
            if f"{name}_after_fen" in data:
                said, is_now = data[f"{name}_after_fen"], self.balances[f"{name}:{account}"]
                _require(said == is_now, f"{where}: {kind} says {name} {said} of {account}, it is {is_now}")
        if "balance_after_fen" in data:
            own = FEES if account == FEE_ACCOUNT else MARKETING
            said, is_now = data["balance_after_fen"], self.balances[own]
            _require(said == is_now, f"{where}: {kind} says {said}, it is {is_now}")

    def once(self, where: str, name: str) -> None:
        _require(name not in self.done, f"{where}: {name} again, first at {self.done.get(name)}")
        self.done[name] = where

    def _pays(self, where: str, name: str, amount_fen: int) -> None:
        promised = self.owed.pop(name, None)
        _require(promised == amount_fen, f"{where}: {name} pays {amount_fen}, promised was {promised}")

    # --- holds and listings -------------------------------------------------------------------------------------

    def _deposited(self, where: str, data: Any) -> None:
        self.once(where, f"answer to {data['top_up_id']}")
        self.once(where, f"bank reference {data['bank_reference']} of {data['account_id']}")

    def _held(self, where: str, data: Any) -> None:
        self.once(where, data["hold_id"])
        self.holds[data["hold_id"]] = HoldBook(
            data["account_id"], data["listing_id"], data["amount_fen"], data["allow_partial"]
        )

    def _asked_out(self, where: str, data: Any) -> None:
        self.once(where, data["withdrawal_id"])
        self.holds[data["withdrawal_id"]] = HoldBook(data["account_id"], None, data["amount_fen"])

    def _let_go(self, where: str, data: Any) -> None:
        name = data.get("hold_id") or data["withdrawal_id"]
        _require(name in self.holds, f"{where}: {name} is not held")
        hold = self.holds.pop(name)
        _require(hold.amount_fen == data["amount_fen"], f"{where}: {name} changed its amount")
        if "hold_id" in data:
            self.done.setdefault(f"accepted {name}", "")
            excess = self.owed.pop(f"excess {name}", 0)  # whoever gets all of it back gets this, too
            _require("loan_id" not in data or not excess, f"{where}: {name} lends {excess} too much")

    def _reduced(self, where: str, data: Any) -> None:
        """The part of a hold that its listing did not take, once, to the fen."""
        name = data["hold_id"]
        _require(name in self.holds, f"{where}: {name} is not held")
        self._pays(where, f"excess {name}", data["amount_fen"])
        self.holds[name].amount_fen -= data["amount_fen"]
        _require(self.holds[name].amount_fen == data["keeps_fen"], f"{where}: {name} keeps another amount")

    def _prepared(self, where: str, data: Any) -> None:
        self.once(where, f"preparation of {data['listing_id']}")
        self.listings[data["listing_id"]] = ListingBook(data["disclosure"]["amount_fen"])

    def _listed(self, where: str, data: Any) -> None:
        self.once(where, data["listing_id"])
        self.listings[data["listing_id"]] = ListingBook(data["amount_fen"])

    def _bid(self, where: str, data: Any) -> None:
        listing, bid = self.listings[data["listing_id"]], data["bid"]
        self.once(where, f"accepted {bid['hold_id']}")
        is_a_customer(where, bid["account_id"])
        hold, excess = self.holds.get(bid["hold_id"]), data["excess_fen"]
        backed = hold is not None and hold.amount_fen == bid["amount_fen"] + excess
        _require(backed, f"{where}: bid without its hold")
        if excess:
            in_part = hold is not None and hold.allow_partial and not data["remaining_after_fen"]
            _require(in_part, f"{where}: {bid['hold_id']} is taken in part")
            self.owed[f"excess {bid['hold_id']}"] = excess
        listing.raised_fen += bid["amount_fen"]
        listing.bids[bid["hold_id"]] = bid["amount_fen"]
        _require(listing.raised_fen <= listing.amount_fen, f"{where}: {data['listing_id']} is overfunded")
        _require(listing.raised_fen == data["raised_after_fen"], f"{where}: raised is told wrongly")

    def _filled(self, where: str, data: Any) -> None:
        listing = self.listings[data["listing_id"]]
        _require(listing.raised_fen == listing.amount_fen, f"{where}: filled with {listing.raised_fen}")
        listing.filled = True

    def _ended(self, where: str, data: Any) -> ListingBook:
        self.once(where, f"end of {data['listing_id']}")
        listing = self.listings[data["listing_id"]]
        listing.live = False
        return listing

    def _unfunded(self, where: str, data: Any) -> None:
        """Expired or cancelled: all that was accepted comes back. Once it is filled nobody takes it back by hand."""
        listing, by = self._ended(where, data), data.get("cancelled_by")
        _require(_held_by(data) == listing.bids, f"{where}: not all bids of {data['listing_id']} come back")
        _require(
            not (by and listing.filled), f"{where}: {data['listing_id']} is taken back by the {by}, but full"
        )

    def _funded(self, where: str, data: Any) -> None:
        """The claims are the accepted bids, each of its amount, and nothing else."""
        is_a_customer(where, data["borrower_account"])
        listing = self.listings[data["listing_id"]]
        _require(_held_by(data) == listing.bids, f"{where}: {data['loan_id']} is not its listing's bids")
        claims = [claim["principal_fen"] for claim in data["claims"]]
        _require(
            claims == list(listing.bids.values()), f"{where}: claims of {data['loan_id']} are not its bids"
        )

    def _collected(self, where: str, data: Any) -> None:
        self._ended(where, data)
        fee = data["origination_fee_fen"]
        self.owed[f"proceeds {data['loan_id']}"] = data["amount_fen"] - fee
        if fee:
            self.owed[f"fee origination:{data['loan_id']}"] = fee

    def _proceeds(self, where: str, data: Any) -> None:
        self._pays(where, f"proceeds {data['loan_id']}", data["amount_fen"])

    # --- loans --------------------------------------------------------------------------------------------------

    def _lent(self, where: str, data: Any) -> None:
        self.once(where, data["loan_id"])
        self.loans[data["loan_id"]] = opened(where, data)

    def _paid(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        self._answered(data)
        self.once(where, f"payment {data['payment_id']}")
        parts = data["allocation"]
        told_fen = sum(_parts(p) + p["fee_fen"] for p in parts)
        _require(told_fen == data["amount_fen"], f"{where}: {data['payment_id']} is not allocated to the fen")
        before, after = data["principal_before_fen"], data["principal_after_fen"]
        _require(loan.outstanding_fen == before, f"{where}: outstanding before is wrong")
        lapse(loan, where, data)
        loan.pay(where, parts, date.fromisoformat(data["value_date"]))
        _require(loan.outstanding_fen == after, f"{where}: outstanding after is wrong")

    def _rescheduled(self, where: str, data: Any) -> None:
        self.once(where, f"change {data['change_id']}")
        self.loans[data["loan_id"]].reschedule(where, data, data["rows"])

    def _due(self, where: str, data: Any) -> None:
        self.loans[data["loan_id"]].ask(where, data["number"])
        if data.get("asked", True):
            self._debit_asked(where, data)

    def _debit_asked(self, where: str, data: Any) -> None:
        self.once(where, data["debit_id"])
        self.loans[data["loan_id"]].ask_account(where, data)

    def _debit_failed(self, where: str, data: Any) -> None:
        self._answered(data)
        self.once(where, f"answer to {data['debit_id']}")

    def _answered(self, data: Any) -> None:
        if (loan := self.loans.get(data["loan_id"])) is not None:
            late_books.comes(loan, data)
            loan.unanswered.pop(data.get("debit_id") or data["payment_id"], None)

    def _distributed(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        self.once(where, data["distribution_id"])
        for line in data["lines"]:
            claim = line["claim_id"]
            loan.claims[claim] -= line["principal_fen"]
            _require(loan.claims[claim] >= 0, f"{where}: {claim} got more than it held")
            share = _parts(line) - line["fee_fen"]
            _require(share >= 0, f"{where}: {claim} pays for being paid")
            if share:
                self.owed[f"{data['distribution_id']} {claim}"] = share
        if data["fee_fen"]:
            self.owed[f"fee {data['distribution_id']}"] = data["fee_fen"]
        claims = sum(loan.claims.values())
        _require(claims == loan.outstanding_fen, f"{where}: claims {claims}, owed {loan.outstanding_fen}")

    def _subrogated(self, where: str, data: Any) -> None:
        """The distribution of the same record takes from the others what the guarantor's claim has."""
        claim, loan = data["claim"], self.loans[data["loan_id"]]
        self.once(where, claim["claim_id"])
        loan.claims[claim["claim_id"]] = claim["principal_fen"]
        loan.holders[claim["claim_id"]] = claim["account_id"]

    def _credited(self, where: str, data: Any) -> None:
        self._pays(where, f"{data['distribution_id']} {data['claim_id']}", data["amount_fen"])

    def _fee(self, where: str, data: Any) -> None:
        self._pays(where, f"fee {data['fee_id']}", data["amount_fen"])

    def _promises_back(self, where: str, data: Any) -> None:
        self._answered(data)
        self.once(where, name := f"return {'cost:' if 'left_fen' in data else ''}{data['payment_id']}")
        self.owed[name] = data["amount_fen"]

    def _refused(self, where: str, data: Any) -> None:
        """A refused command that carried a payment promises it back."""
        if "payment_id" in (about := data["about"]):
            self._promises_back(where, about | {"amount_fen": int(about["amount_fen"])})

    def _given_back(self, where: str, data: Any) -> None:
        self._pays(where, f"return {data['payment_id']}", data["amount_fen"])

    def _charged(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        charged = sum(line["penalty_fen"] for line in data["lines"])
        _require(charged == data["penalty_fen"], f"{where}: the penalty is not that of its instalments")
        charged_on = date.fromisoformat(data["charged_on"])
        require_pieces(where, loan, charged_on)
        loan.charge(where, charged_on, data["lines"])
        _require(loan.penalty_fen == data["penalty_after_fen"], f"{where}: penalty after is wrong")

    def _moved(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        _require(loan.bucket == data["from_bucket"], f"{where}: {data['loan_id']} was in {loan.bucket}")
        loan.bucket = data["to_bucket"]

    def _classified(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        _require(loan.loan_class == data["from_class"], f"{where}: {data['loan_id']} was {loan.loan_class}")
        loan.loan_class = data["to_class"]
        loan.by_measure |= bool(data["measure_id"])

    def _waived(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        loan.waive(where, data["lines"])
        _require(loan.penalty_fen == data["penalty_after_fen"], f"{where}: penalty after is wrong")

    def _written_off(self, where: str, data: Any) -> None:
        loan = self.loans[data["loan_id"]]
        _require(loan.bucket == data["from_bucket"], f"{where}: {data['loan_id']} was in {loan.bucket}")
        loan.write_off(where, data)

    def _restated(self, where: str, data: Any) -> None:
        """A correction says anew what was missed, and whether the loan has ended."""
        loan = self.loans[data["loan_id"]]
        before = 0 if data["from_bucket"] is None else loan.outstanding_fen
        _require(before == data["principal_before_fen"], f"{where}: outstanding before is wrong")
        loan.restate(where, data)
        self.done.pop(f"end of {loan.loan_id}", None)
        for number, row in loan.rows.items():
            self.done.pop(f"{loan.loan_id} misses {number} of {row.due_on}", None)

    def _repaid(self, where: str, data: Any) -> None:
        self.once(where, f"end of {data['loan_id']}")
        loan = self.loans[data["loan_id"]]
        _require(loan.penalty_fen == 0, f"{where}: repaid, but penalty is owed")
        _require(loan.bucket == "current", f"{where}: repaid in {loan.bucket}")
        _require(loan.loan_class == "normal", f"{where}: repaid as {loan.loan_class}")
        _require(loan.oldest is None, f"{where}: repaid, but something is owed")

    def _payments(self, where: str, events: list[Any]) -> None:
        """A payment and its distribution stand in one record, to the fen."""
        paid = [e["data"] for e in events if e["type"] == "repayment.PaymentReceived.v1"]
        paid += [
            data | {"payment_id": data["compensation_id"]}
            for data in (e["data"] for e in events if e["type"] == "repayment.ClaimsSubrogated.v1")
        ]
        shared = [e["data"] for e in events if e["type"] == "repayment.RepaymentDistributed.v1"]
        _require(len(paid) == len(shared), f"{where}: {len(paid)} payments, {len(shared)} distributions")
        for payment, distribution in zip(paid, shared, strict=True):
            lines = distribution["lines"]
            shares = sum(_parts(x) - x["fee_fen"] for x in lines)
            total = shares + distribution["fee_fen"]
            _require(total == payment["amount_fen"], f"{where}: {payment['payment_id']} is not shared out")
            kept = self.loans[payment["loan_id"]].prepaid_fen
            _require(not kept, f"{where}: {kept} is prepaid, and nothing is asked anew")


_HANDLERS: dict[str, Callable[[Books, str, Any], None]] = {
    "system.CommandRefused.v1": Books._refused,
    "bidding.FundsDeposited.v1": Books._deposited,
    "bidding.FundsHeld.v1": Books._held,
    "bidding.WithdrawalRequested.v1": Books._asked_out,
    "bidding.HoldReduced.v1": Books._reduced,
    "bidding.HoldReleased.v1": Books._let_go,
    "bidding.HoldCaptured.v1": Books._let_go,
    "bidding.FundsWithdrawn.v1": Books._let_go,
    "bidding.WithdrawalFailed.v1": Books._let_go,
    "bidding.ListingPrepared.v1": Books._prepared,
    "bidding.ListingOpened.v1": Books._listed,
    "bidding.BidPlaced.v1": Books._bid,
    "bidding.ListingFilled.v1": Books._filled,
    "bidding.ListingExpired.v1": Books._unfunded,
    "bidding.ListingCancelled.v1": Books._unfunded,
    "bidding.LoanFunded.v1": Books._funded,
    "bidding.FundsCollected.v1": Books._collected,
    "bidding.LoanProceedsCredited.v1": Books._proceeds,
    "bidding.InvestorCredited.v1": Books._credited,
    "bidding.FeeCredited.v1": Books._fee,
    "bidding.LoanPaymentReturned.v1": Books._given_back,
    "repayment.LoanOpened.v1": Books._lent,
    "repayment.PaymentReceived.v1": Books._paid,
    "repayment.ScheduleChanged.v1": Books._rescheduled,
    "repayment.InstallmentDue.v1": Books._due,
    "repayment.DebitRequested.v1": Books._debit_asked,
    "repayment.DebitFailureRecorded.v1": Books._debit_failed,
    "repayment.PaymentMissed.v1": late_books.missed,
    "repayment.LatenessJudged.v1": late_books.judged,
    "repayment.RepaymentDistributed.v1": Books._distributed,
    "repayment.ClaimsSubrogated.v1": Books._subrogated,
    "repayment.DebtSettledInKind.v1": settled_in_kind,
    "repayment.PaymentReturned.v1": Books._promises_back,
    "repayment.OverpaymentReturned.v1": Books._promises_back,
    "repayment.RecoveryCostPaid.v1": Books._promises_back,
    "repayment.LoanRepaid.v1": Books._repaid,
    "repayment.LoanRestated.v1": Books._restated,
    "repayment.PenaltyCharged.v1": Books._charged,
    "repayment.OverdueBucketChanged.v1": Books._moved,
    "repayment.LoanClassified.v1": Books._classified,
    "repayment.PenaltyWaived.v1": Books._waived,
    "repayment.LoanWrittenOff.v1": Books._written_off,
}


def _held_by(data: Any) -> dict[str, int]:
    """What an event says of the bids, by hold."""
    return {bid["hold_id"]: bid["amount_fen"] for bid in data["bids"]}


def _parts(line: Any) -> int:
    return int(line["principal_fen"] + line["interest_fen"] + line["penalty_fen"])
