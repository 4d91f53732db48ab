"""Who may borrow, lend and leave, kept once more from the log: exposures under their cap, relations, reviews, erasures."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from tools.simulator.books import Books
from tools.simulator.closed_books import ClosedBooks
from tools.simulator.loan_books import require
from tools.simulator.published import costs_what_is_published
from tools.simulator.red_lines import costs_too_much

#: The most that one investor may have in one listing under the law (chosen), in fen.
_INVESTOR_CAP_FEN: Final = 120_000_00
_DAYS_TO_CHECK: Final = timedelta(days=10)
#: What a listing opens on is what investors were told.
_TOLD: Final = (
    "loan_id",
    "amount_fen",
    "annual_rate",
    "tenor_months",
    "grade",
    "bid_min_fen",
    "origination_fee_fen",
    "interest_fee_permille",
    "product",
    "region",
    "repayment",
)


@dataclass(slots=True)
class UserBook:
    """A user: what counts against his cap by loan, his applications under way, and who is related to him."""

    verified: bool = False
    leaving: bool = False
    erased: bool = False
    card: str | None = None
    exposures: dict[str, int] = field(default_factory=dict)
    applications: set[str] = field(default_factory=set)
    related: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    """Of the related, those whom he himself named: his listing names them, the others' accounts know him."""


@dataclass(slots=True)
class ListingFacts:
    """Who may not lend on a listing, what investors were told of it, and who looked at it, reviewed it and paid it out."""

    borrower: str
    owner: str | None
    related: set[str]
    application: str
    reviews_needed: int = 0
    approved_by: list[str] = field(default_factory=list)
    told: Any = None
    """What was prepared for publication, None where it was opened by hand."""
    may_open: bool = False
    opens_on: str | None = None
    published_by: tuple[str, ...] = ()
    lent: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """What each investor has in it."""


@dataclass(slots=True)
class PeopleBooks:
    """All users, and what of accounts and listings depends on who people are."""

    books: Books
    users: dict[str, UserBook] = field(default_factory=dict)
    listings: dict[str, ListingFacts] = field(default_factory=dict)
    relations: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What accounts know of their owners' relations."""
    levels: dict[str, tuple[str, str]] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    """The own-name card that each account knows; `card` of a user is the one that he was verified by last."""
    bidders: dict[str, set[str]] = field(default_factory=dict)
    """The relations that an account knew when it held the money of a bid."""
    offered: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Loans that never come about any more."""
    closed: ClosedBooks = field(default_factory=ClosedBooks)
    within_at_funding: set[str] = field(default_factory=set)
    """Loans of which the cap was looked at once more since they were last to be funded: since their pay-out, where one is."""

    def record(self, where: str, event: Any) -> None:
        """Fold one event. Raises WrongBooks."""
        data = event["data"]
        self.closed.record(where, event)
        handler = _HANDLERS.get(event["type"])
        if handler is not None:
            handler(self, where, data)

    def at_rest(self) -> None:
        """What counts against a cap is what is owed or reserved, and every account knows its owner's relations and card."""
        for name, user in self.users.items():
            for loan, counted in user.exposures.items():
                if loan in self.books.loans and not user.erased:
                    owed = self.books.loans[loan].outstanding_fen
                    require(counted == owed, f"{name}: {loan} counts {counted}, owed is {owed}")
                require(loan not in self.ended, f"{name}: {loan} counts although it never comes about")
            require(not user.leaving, f"{name} waits to be forgotten")
            account = f"acc_{name.removeprefix('usr_')}"
            if user.verified and not user.erased:
                unknown = user.related - self.relations[account]
                require(not unknown, f"{account} does not know that {sorted(unknown)} are related")
                known = self.cards.get(account)
                require(known == user.card, f"{account} knows another card than {name} was verified by")
        for listing in self.listings.values():
            loan = f"loan_{listing.application.removeprefix('app_')}"
            if listing.application and loan in self.books.loans and not self.users[listing.borrower].erased:
                owed = self.books.loans[loan].outstanding_fen
                counted = self.users[listing.borrower].exposures.get(loan, 0)
                require(counted == owed, f"{listing.borrower}: {loan} owes {owed}, counts {counted}")

    # --- users --------------------------------------------------------------------------------------------------

    def _registered(self, where: str, data: Any) -> None:
        require(data["user_id"] not in self.users, f"{where}: {data['user_id']} registers again")
        self.users[data["user_id"]] = UserBook()

    def _verified(self, where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        require(not user.verified and not user.erased, f"{where}: {data['user_id']} is verified again")
        require(set(data["related"]) <= user.related, f"{where}: relations that nobody declared")
        user.verified = True
        user.card = data["card_ref"]

    def _bound(self, where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        require(user.verified and user.card != data["card_ref"], f"{where}: no other card is bound")
        user.card = data["card_ref"]

    def _related(self, _where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        user.related.add(data["related"])
        if not data["by_other"]:
            user.declared.add(data["related"])

    def _applies(self, where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        require(user.verified and not user.leaving, f"{where}: {data['user_id']} applies and is not verified")
        user.applications.add(data["application_id"])

    def _application_over(self, _where: str, data: Any) -> None:
        self.users[data["user_id"]].applications.discard(data["application_id"])

    def _asks_to_leave(self, where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        require(not user.exposures, f"{where}: {data['user_id']} leaves with {user.exposures}")
        require(not user.applications, f"{where}: {data['user_id']} leaves with {user.applications}")
        user.leaving = True

    def _stays(self, _where: str, data: Any) -> None:
        self.users[data["user_id"]].leaving = False

    def _erased(self, where: str, data: Any) -> None:
        name = data["user_id"]
        user, account = self.users[name], f"acc_{name.removeprefix('usr_')}"
        require(user.leaving and not user.erased, f"{where}: {name} is forgotten and did not ask")
        require(account in self.closed.closed, f"{where}: {name} is forgotten, {account} is open")
        user.leaving, user.erased = False, True

    def _account_closed(self, where: str, data: Any) -> None:
        account = data["account_id"]
        for part in ("available", "held"):
            has = self.books.balances[f"{part}:{account}"]
            require(has == 0, f"{where}: {account} is closed with {has} {part}")
        for loan in self.books.loans.values():
            owed = sum(loan.claims[claim] for claim, holder in loan.holders.items() if holder == account)
            require(owed == 0, f"{where}: {account} is closed with {owed} lent on {loan.loan_id}")

    # --- exposure -----------------------------------------------------------------------------------------------

    def _reserved(self, where: str, data: Any) -> None:
        name, user = data["user_id"], self.users[data["user_id"]]
        require(user.verified, f"{where}: {name} borrows and is not verified")
        require(data["loan_id"] not in user.exposures, f"{where}: {data['loan_id']} counts twice")
        require(set(data["related"]) == user.declared, f"{where}: not all relations of {name} are told")
        user.exposures[data["loan_id"]] = data["amount_fen"]
        user.applications.discard(data["application_id"])
        self._within(where, data, sum(user.exposures.values()), data["exposure_after_fen"])

    def _confirmed(self, where: str, data: Any) -> None:
        user = self.users[data["user_id"]]
        require(data["loan_id"] in user.exposures, f"{where}: {data['loan_id']} goes on and does not count")
        if data["step"] == "funding":
            self.within_at_funding.add(data["loan_id"])
        self._within(where, data, sum(user.exposures.values()), data["exposure_fen"])

    def _within(self, where: str, data: Any, is_now: int, said: int) -> None:
        cap, name = data["cap_fen"], data["user_id"]
        require(is_now == said, f"{where}: {name} owes {is_now}, told is {said}")
        require(cap is None or is_now <= cap, f"{where}: {name} owes {is_now}, above the cap of {cap}")

    def _reduced(self, where: str, data: Any) -> None:
        exposures = self.users[data["user_id"]].exposures
        exposures[data["loan_id"]] -= data["amount_fen"]
        left, said = sum(exposures.values()), data["exposure_after_fen"]
        require(left == said, f"{where}: {data['user_id']} owes {left}, told is {said}")

    def _restored(self, where: str, data: Any) -> None:
        exposures = self.users[data["user_id"]].exposures
        exposures[data["loan_id"]] = exposures.get(data["loan_id"], 0) + data["amount_fen"]
        owed, said = sum(exposures.values()), data["exposure_after_fen"]
        require(owed == said, f"{where}: {data['user_id']} owes {owed}, told is {said}")

    def _released(self, where: str, data: Any) -> None:
        exposures = self.users[data["user_id"]].exposures
        counted = exposures.pop(data["loan_id"], 0)
        require(counted == data["amount_fen"], f"{where}: {data['loan_id']} counted {counted}")
        left, said = sum(exposures.values()), data["exposure_after_fen"]
        require(left == said, f"{where}: {data['user_id']} owes {left}, told is {said}")

    def _never(self, _where: str, data: Any) -> None:
        if data.get("loan_id"):
            self.ended.add(data["loan_id"])

    # --- terms, listings, bids ----------------------------------------------------------------------------------

    def _offered(self, _where: str, data: Any) -> None:
        self.offered[data["application_id"]] = data["terms_hash"]

    def _accepted(self, where: str, data: Any) -> None:
        same = self.offered.get(data["application_id"]) == data["text_hash"]
        require(same, f"{where}: another text is accepted than was offered")

    def _prepared(self, where: str, data: Any) -> None:
        """What investors will read names nobody, costs what is published, and owes no more than is counted."""
        told = data["disclosure"]
        named = (data["borrower"], data["borrower_account"], data["application_id"])
        require(not set(named) & set(map(str, told.values())), f"{where}: the disclosure names {named}")
        prepared_on = date.fromisoformat(data["check_by"]) - _DAYS_TO_CHECK
        costs_what_is_published(where, told, prepared_on)
        _costs_what_is_allowed(where, told, prepared_on)
        facts = ListingFacts(data["borrower"], data["owner"], set(data["related"]), data["application_id"])
        facts.told = data
        self.listings[data["listing_id"]] = facts

    def _checked(self, where: str, data: Any) -> None:
        """Somebody else than who prepared it or owns the borrower has read this very text."""
        facts, checker = self.listings[data["listing_id"]], data["checker"]
        apart = checker not in (facts.told["prepared_by"], facts.owner, "")
        require(apart, f"{where}: {checker} publishes what he has a part in")
        same = data["content_hash"] == facts.told["content_hash"]
        require(same, f"{where}: {checker} has read another text")
        facts.may_open, facts.opens_on = data["verdict"] == "approve", data["opens_on"]
        facts.published_by = (facts.told["prepared_by"], checker)

    def _listed(self, where: str, data: Any) -> None:
        if data["application_id"]:
            borrower = self.users.get(data["borrower"])
            known = borrower is not None and borrower.verified
            require(known, f"{where}: {data['borrower']} borrows, and nobody has verified him")
        facts = self.listings.get(data["listing_id"])
        if facts is None:
            require(not data["content_hash"], f"{where}: {data['listing_id']} was never prepared")
            self.listings[data["listing_id"]] = ListingFacts(
                data["borrower"], data["owner"], set(data["related"]), data["application_id"]
            )
            return
        require(facts.may_open, f"{where}: {data['listing_id']} is published, nobody has looked at it")
        told = facts.told["disclosure"]
        for name in _TOLD:
            require(data[name] == told[name], f"{where}: {name} is {data[name]}, told is {told[name]}")
        require(data["content_hash"] == facts.told["content_hash"], f"{where}: another text is published")
        if facts.opens_on:
            last = date.fromisoformat(facts.opens_on) + timedelta(days=told["window_days"] - 1)
            closes = date.fromisoformat(data["closes_on"])
            require(closes == last, f"{where}: {data['listing_id']} is open until {closes}, told is {last}")

    def _knows(self, _where: str, data: Any) -> None:
        self.relations[data["account_id"]].add(data["related"])

    def _assessed(self, _where: str, data: Any) -> None:
        self.levels[data["account_id"]] = data["level"], data["valid_to"]

    def _carded(self, _where: str, data: Any) -> None:
        self.cards[data["account_id"]] = data["card_ref"]

    def _asked_bank(self, where: str, data: Any) -> None:
        account = data["account_id"]
        known = self.cards.get(account)
        require(data["card_ref"] == known, f"{where}: the bank is told another card than {account} has")

    def _held(self, where: str, data: Any) -> None:
        """For a bid or for a claim: with what the account knows of its owner."""
        account = data["account_id"]
        known = self.levels.get(account, (None, None))
        said = data["suitability_level"], data["suitability_valid_to"]
        require(said == known, f"{where}: {account} is {known}, told is {said}")
        self.bidders[data["hold_id"]] = set(self.relations[account])

    def _bid(self, where: str, data: Any) -> None:
        bid, listing = data["bid"], self.listings[data["listing_id"]]
        investor = bid["investor"]
        require(investor != listing.borrower, f"{where}: {investor} bids on his own loan")
        related = investor in listing.related or listing.borrower in self.bidders[bid["hold_id"]]
        require(not related, f"{where}: {investor} bids on the loan of {listing.borrower}, who is related")
        listing.lent[investor] += bid["amount_fen"]
        within = listing.told is None or listing.lent[investor] <= _INVESTOR_CAP_FEN
        require(within, f"{where}: {investor} lends {listing.lent[investor]}, above what one investor may")

    def _filled(self, _where: str, data: Any) -> None:
        self.listings[data["listing_id"]].reviews_needed = data["reviews_needed"]

    def _reviewed(self, where: str, data: Any) -> None:
        listing = self.listings[data["listing_id"]]
        require(data["reviewer"] != listing.owner, f"{where}: {data['reviewer']} reviews his own customer")
        apart = data["reviewer"] not in listing.published_by
        require(apart, f"{where}: {data['reviewer']} reviews what he published")
        if data["verdict"] == "approve":
            listing.approved_by.append(data["reviewer"])

    def _looked_before(self, _where: str, data: Any) -> None:
        """What counts may have grown since. Between the last look and the funding it may too, but by nothing that a look could have seen."""
        self.within_at_funding.discard(data["loan_id"])

    def _funded(self, where: str, data: Any) -> None:
        listing = self.listings[data["listing_id"]]
        reviews = len({*listing.approved_by})
        require(reviews >= listing.reviews_needed, f"{where}: funded after {reviews} reviews")
        if listing.reviews_needed:
            executor = data["executor"]
            apart = executor not in (*listing.published_by, *listing.approved_by, listing.owner, "")
            require(apart, f"{where}: {executor or 'nobody'} pays out what others have to")
            require(bool(data["voucher"]), f"{where}: paid out without a voucher")
        if listing.application:
            counts = data["loan_id"] in self.users[listing.borrower].exposures
            require(counts, f"{where}: {data['loan_id']} is funded and does not count")
            asked = data["loan_id"] in self.within_at_funding
            require(asked, f"{where}: {data['loan_id']} is funded, nobody has looked at the cap again")
        if listing.told is not None:
            _costs_what_is_allowed(where, data, date.fromisoformat(data["funded_on"]))


def _costs_what_is_allowed(where: str, terms: Any, on: date) -> None:
    too_much = costs_too_much(
        on=on,
        amount_fen=terms["amount_fen"],
        fee_fen=terms["origination_fee_fen"],
        annual_rate=terms["annual_rate"],
        months=terms["tenor_months"],
        repayment=terms["repayment"],
    )
    require(not too_much, f"{where}: {terms['loan_id']} costs more than the ceiling of {on}")


_HANDLERS: dict[str, Callable[[PeopleBooks, str, Any], None]] = {
    "onboarding.UserRegistered.v1": PeopleBooks._registered,
    "onboarding.UserVerified.v1": PeopleBooks._verified,
    "onboarding.CardBound.v1": PeopleBooks._bound,
    "onboarding.RelationDeclared.v1": PeopleBooks._related,
    "onboarding.ApplicantConfirmed.v1": PeopleBooks._applies,
    "onboarding.ApplicantReleased.v1": PeopleBooks._application_over,
    "onboarding.ExposureDeclined.v1": PeopleBooks._application_over,
    "onboarding.ErasureRequested.v1": PeopleBooks._asks_to_leave,
    "onboarding.ErasureDeclined.v1": PeopleBooks._stays,
    "onboarding.UserErased.v1": PeopleBooks._erased,
    "onboarding.ExposureReserved.v1": PeopleBooks._reserved,
    "onboarding.ExposureConfirmed.v1": PeopleBooks._confirmed,
    "onboarding.ExposureReduced.v1": PeopleBooks._reduced,
    "onboarding.ExposureRestored.v1": PeopleBooks._restored,
    "onboarding.ExposureReleased.v1": PeopleBooks._released,
    "onboarding.ExposureRevoked.v1": PeopleBooks._released,
    "onboarding.ApplicationApproved.v1": PeopleBooks._offered,
    "onboarding.TermsAccepted.v1": PeopleBooks._accepted,
    "onboarding.TermsDeclined.v1": PeopleBooks._never,
    "onboarding.ApplicationDeclined.v1": PeopleBooks._never,
    "onboarding.ApplicationRejected.v1": PeopleBooks._never,
    "onboarding.ApplicationLapsed.v1": PeopleBooks._never,
    "bidding.AccountClosed.v1": PeopleBooks._account_closed,
    "bidding.ListingPrepared.v1": PeopleBooks._prepared,
    "bidding.ListingChecked.v1": PeopleBooks._checked,
    "bidding.ListingOpened.v1": PeopleBooks._listed,
    "bidding.ListingRefused.v1": PeopleBooks._never,
    "bidding.ListingExpired.v1": PeopleBooks._never,
    "bidding.ListingCancelled.v1": PeopleBooks._never,
    "bidding.RelationRecorded.v1": PeopleBooks._knows,
    "bidding.SuitabilityRecorded.v1": PeopleBooks._assessed,
    "bidding.CardRecorded.v1": PeopleBooks._carded,
    "bidding.TopUpRequested.v1": PeopleBooks._asked_bank,
    "bidding.WithdrawalRequested.v1": PeopleBooks._asked_bank,
    "bidding.FundsHeld.v1": PeopleBooks._held,
    "bidding.PurchaseHeld.v1": PeopleBooks._held,
    "bidding.BidPlaced.v1": PeopleBooks._bid,
    "bidding.ListingFilled.v1": PeopleBooks._filled,
    "bidding.ListingReviewed.v1": PeopleBooks._reviewed,
    "bidding.FundingRequested.v1": PeopleBooks._looked_before,
    "bidding.PayoutApproved.v1": PeopleBooks._looked_before,
    "bidding.LoanFunded.v1": PeopleBooks._funded,
}
