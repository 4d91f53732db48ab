"""The books that the auditor keeps beside the money's: of people, papers, listings, trades, days, one module each."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from tools.simulator.anew_books import AnewBooks
from tools.simulator.asset_books import AssetBooks
from tools.simulator.bank_books import BankBooks
from tools.simulator.books import Books
from tools.simulator.case_books import CaseBooks
from tools.simulator.cash_books import CashBooks
from tools.simulator.correction_books import CorrectionBooks
from tools.simulator.day_books import DayBooks
from tools.simulator.guarantor_books import GuarantorBooks
from tools.simulator.himself import HimselfBooks
from tools.simulator.law_books import LawBooks
from tools.simulator.limit_books import LimitBooks
from tools.simulator.listing_books import ListingBooks
from tools.simulator.market_books import MarketBooks
from tools.simulator.measure_books import MeasureBooks
from tools.simulator.opening_books import OpeningBooks
from tools.simulator.pack_books import PackBooks
from tools.simulator.page_books import PageBooks
from tools.simulator.paper_books import PaperBooks
from tools.simulator.pause_books import PauseBooks
from tools.simulator.people_books import PeopleBooks
from tools.simulator.plan_books import PlanBooks
from tools.simulator.prepay_books import PrepayBooks
from tools.simulator.redemption_books import RedemptionBooks
from tools.simulator.schedule_books import ScheduleBooks
from tools.simulator.settle_books import SettleBooks
from tools.simulator.standing_books import StandingBooks
from tools.simulator.stock_books import StockBooks
from tools.simulator.void_books import VoidBooks
from tools.simulator.voucher_books import VoucherBooks


class BooksBeside:
    """Each event in every book that wants it; a book raises what it finds wrong."""

    def __init__(self, books: Books, minutes_east: int, profile: str) -> None:
        self.people = PeopleBooks(books)
        self.papers = PaperBooks()
        self.schedules = ScheduleBooks()
        self.prepaid = PrepayBooks(books)
        self.anew = AnewBooks(books, self.prepaid.contracts)
        self.packs = PackBooks(self.papers)
        self.vouchers = VoucherBooks(books, self.papers)
        self.listings = ListingBooks()
        self.openings = OpeningBooks()
        self.redemptions = RedemptionBooks()
        self.market = MarketBooks(books)
        self.settled = SettleBooks(self.market)
        self.law = LawBooks(books, profile)
        self.himself = HimselfBooks()
        self.measures = MeasureBooks(books)
        self.limits = LimitBooks(books)
        self.pauses = PauseBooks(books, self.measures)
        self.bank = BankBooks(books)
        self.standing = StandingBooks()
        self.guarantors = GuarantorBooks(books)
        self.moves = CashBooks(books)
        self.days = DayBooks(books)
        self.cases = CaseBooks(books, minutes_east)
        self.plans = PlanBooks(self.cases)
        self.corrections = CorrectionBooks(books)
        self.pages = PageBooks(books)
        self.stock = StockBooks()
        self.assets = AssetBooks()
        self.voided = VoidBooks(self.guarantors)

    def record(self, where: str, events: list[Any], today: date | None, decided_on: str | None) -> None:
        """Fold the events of one decision: its partition's date before it, and the date that it names."""
        self.schedules.record(where, events)
        self.prepaid.record(where, events)
        self.anew.record(where, events)
        self.cases.record(where, events)
        self.guarantors.record(where, events, decided_on)
        self.limits.record(where, events, decided_on)
        self.pages.record(where, events)
        self.measures.record(where, events, decided_on)
        self.voided.record(where, events)
        for event in events:
            self.people.record(where, event)
            self.plans.record(where, event)
            self.papers.record(where, event)
            self.packs.record(where, event)
            self.vouchers.record(where, event)
            self.listings.record(where, event, today)
            self.openings.record(where, event, decided_on)
            self.redemptions.record(where, event, decided_on)
            self.market.record(where, event)
            self.settled.record(where, event)
            self.law.record(where, event, decided_on)
            self.himself.record(where, event)
            self.bank.record(where, decided_on, event)
            self.standing.record(where, event)
            self.moves.record(event)
            self.days.record(where, event, decided_on)
            self.corrections.record(where, event)
            self.pauses.record(where, event, decided_on)
            self.stock.record(where, event)
            self.assets.record(where, event, decided_on)

    def at_rest(self, last_closed: date | None, commands: Iterable[Any]) -> None:
        """What must hold when nothing is under way; the cases are asked apart, because they may not run."""
        self.people.at_rest()
        self.plans.at_rest()
        self.papers.at_rest()
        self.packs.at_rest(last_closed)
        self.vouchers.at_rest(last_closed, commands)
        self.listings.at_rest(last_closed)
        self.openings.at_rest(last_closed)
        self.redemptions.at_rest(last_closed)
        self.market.at_rest(last_closed)
        self.measures.at_rest(last_closed)
        self.limits.at_rest(last_closed)
        self.bank.at_rest(last_closed)
        self.standing.at_rest()
        self.guarantors.at_rest(last_closed)
        self.corrections.at_rest()
        self.assets.at_rest(last_closed)
        self.voided.at_rest()
