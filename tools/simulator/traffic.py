"""The people of a simulation: investors, borrowers, a bank that answers twice, late or wrongly, and who closes the days.

Everything they do is drawn from a seeded generator of their own, so faults of the log do not change who they are.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from services.bidding import commands as bidding
from services.repayment import commands as repayment
from tools.simulator.asset_keepers import AssetKeepers
from tools.simulator.clerks import Clerks
from tools.simulator.collectors import Collectors
from tools.simulator.correctors import Correctors
from tools.simulator.desk import Desk
from tools.simulator.finance import Finance, SeenViews
from tools.simulator.guarantors import Guarantors
from tools.simulator.house import House
from tools.simulator.log import Place
from tools.simulator.manners import listed_by_hand
from tools.simulator.officers import Officers
from tools.simulator.order_owners import OrderOwners
from tools.simulator.payers import Payers
from tools.simulator.people import Api, Call
from tools.simulator.plan import FIRST_DATE, Plan
from tools.simulator.played_bank import PlayedBank
from tools.simulator.projecting import Database
from tools.simulator.promise_keepers import PromiseKeepers
from tools.simulator.redeemers import Redeemers
from tools.simulator.reentries import Reentries
from tools.simulator.restructurers import Restructurers
from tools.simulator.sight import BankRequest, ListingSight, Sight
from tools.simulator.stock_keepers import StockKeepers
from tools.simulator.traders import Traders
from tools.simulator.voiders import Voiders

_YUAN = 100


class Traffic:
    """All people of one run."""

    def __init__(
        self,
        rng: Random,
        api: Api,
        plan: Plan,
        *,
        partitions: int,
        onboarding: bool,
        views: Callable[[], Database],
    ) -> None:
        self.sight = Sight()
        self.closing_time = False
        self._rng = rng
        self._api = api
        self._plan = plan
        self._partitions = partitions
        self._people = [f"usr_{number}" for number in range(plan.people)]
        self._spenders = self._people[: plan.people // 2 + 1]
        self._listed = 0
        self._listings = 0 if onboarding else plan.listings
        """Listings are opened by hand where nobody can apply for a loan."""
        api.now = datetime.combine(plan.first_date, time(8), UTC) - timedelta(days=24)
        self._officers = Officers(
            rng,
            api,
            self._people,
            applications=2 * plan.listings,
            tenor=plan.tenor_months_max,
            large=plan.first_date != FIRST_DATE,
        )
        self._collectors = Collectors(rng, api)
        own = Random(rng.getrandbits(64))
        self.bank = PlayedBank(own)
        self.finance = Finance(own, api, self.bank, SeenViews(views), partitions, plan.first_date)
        self._clerks = Clerks(rng, api, self.bank)
        self._desk = Desk(rng, api)
        self._traders = Traders(rng, api)
        self._payers = Payers(rng, api, self.sight, self._number, self._person)
        self._redeemers = Redeemers(rng, api, self._people, onboarding=onboarding, asks=3 * plan.listings)
        self._order_owners = OrderOwners(rng, api, self._people)
        self._guarantors = Guarantors(rng, api, self._people, onboarding=onboarding)
        self._house = House(Random(rng.getrandbits(64)), api, asks=2 * plan.listings)
        self._asset_keepers = AssetKeepers(Random(plan.people * 11 + plan.days), api)
        self._correctors = Correctors(Random(plan.people * 7 + plan.days), api)
        self._reentries = Reentries(plan, api, self.sight)
        self._promise_keepers = PromiseKeepers(Random(plan.people * 13 + plan.days), api, self.sight)
        self._restructurers = Restructurers(
            Random(plan.people * 17 + plan.days), api, self.sight, may=plan.restructures
        )
        self._stock_keepers = StockKeepers(Random(f"stock {rng.getstate()[1][1]}"), api)
        self._voiders = Voiders(Random(plan.people * 13 + plan.days), api)
        self._onboarding = onboarding
        self._numbers = 0
        self._budget = 30
        self._asked_to_close: date | None = None
        self._close_again_in = 0

    @property
    def days_closed(self) -> int:
        """Business dates that people saw closed."""
        now = self.sight.business_date
        return (now - self._plan.first_date).days if now else 0

    @property
    def done(self) -> bool:
        """Nothing is left of the plan."""
        return self.days_closed >= self._plan.days

    @property
    def is_quiet(self) -> bool:
        """The bank has answered everything, no day is being closed, all news are known."""
        waiting = self._officers.sight.to_review or self._desk.sight.waits or self._redeemers.sight.for_sale
        busy = self.sight.bank or self.sight.closing or self._api.seen or waiting
        return not busy and self.finance.is_done

    def step(self, _rng: Random) -> bool:
        """Look at the news, then perhaps do one thing."""
        if self._api.seen:
            dates_before = self.sight.business_date
            self.sight.fold(self._api.seen)
            for kind, data in self._api.seen:
                self._officers.sight.fold(kind, data)
                self._collectors.sight.fold(kind, data)
                self._clerks.fold(kind, data)
                self._desk.sight.fold(kind, data)
                self._traders.sight.fold(kind, data)
                self._redeemers.sight.fold(kind, data)
                self._guarantors.sight.fold(kind, data)
                self._house.sight.fold(kind, data)
                self.finance.fold(kind, data)
                self._order_owners.sight.fold(kind, data)
                self._correctors.sight.fold(kind, data)
                self._reentries.fold(kind, data)
                self._stock_keepers.sight.fold(kind, data)
                self._promise_keepers.fold(kind, data)
                self._asset_keepers.fold(kind, data)
                self._voiders.fold(kind, data)
                self._restructurers.fold(kind, data)
            self._api.seen.clear()
            if self.sight.business_date != dates_before:
                self._new_day()
            return True
        if self.sight.bank and (self.closing_time or self._rng.random() < 0.5):
            self._bank_answers(self.sight.bank.pop(self._rng.randrange(len(self.sight.bank))))
            return True
        if self.closing_time:
            finishing = self._officers.finish_reviews() or self._desk.finish() or self._redeemers.finish()
            return finishing or self.finance.finish()
        if self.finance.reconcile():
            return True
        if self.sight.business_date is None:
            return self._open_calendar()
        if self._budget > 0:
            self._budget -= 1
            self._api.now += timedelta(minutes=self._rng.randint(0, 3))
            self._act(self.sight.business_date)
            return True
        return self._close_day()

    # --- the calendar -------------------------------------------------------------------------------------------

    def _open_calendar(self) -> bool:
        self._close_again_in -= 1
        if self._close_again_in > 0:
            return False
        self._close_again_in = 200
        self._api.ask("repayment", "calendar", repayment.OpenCalendar(business_date=self._plan.first_date))
        return True

    def _new_day(self) -> None:
        assert self.sight.business_date is not None
        self.finance.new_day(self.sight.business_date)
        self._correctors.new_day(self.sight.business_date)
        self._reentries.new_day()
        self._stock_keepers.new_day(self.sight.business_date)
        self._asset_keepers.new_day(self.sight.business_date)
        self._voiders.new_day(self.sight.business_date)
        self._restructurers.new_day()
        self._api.now = datetime.combine(
            self.sight.business_date, time(self._rng.choice((1, 7, 9, 13, 21))), UTC
        )
        busy = self.days_closed < self._plan.busy_days
        actions = self._plan.actions_on_busy_days if busy else self._plan.actions_on_quiet_days
        self._budget = self._rng.randint(actions // 2, actions) * (3 if self._onboarding else 1)
        if not busy and self._rng.random() < 0.5:
            self._budget = 0
        if self._redeemers.has_work or self._guarantors.has_work:
            self._budget = max(self._budget, 8)
        if self._collectors.has_work:
            self._budget = max(self._budget, 40)
        for loan in self.sight.loans.values():
            if loan.bucket != "current":
                self._payers.scrape_together(loan)
            elif loan.outstanding_fen and self._spends(loan.borrower):
                self._spend(loan.borrower, loan.account)

    def _spends(self, borrower: str) -> bool:
        return borrower in self._spenders and self._rng.random() < (0.6 if self._onboarding else 0.3)

    def _close_day(self) -> bool:
        """Close the open date; sometimes again, sometimes one that is not reached yet."""
        today = self.sight.business_date
        assert today is not None
        if self.done:
            return False
        self._close_again_in -= 1
        if self._asked_to_close == today and self._close_again_in > 0:
            return False
        self._asked_to_close, self._close_again_in = today, 400
        self._ask_to_close(today)
        if self._rng.random() < 0.05:
            self._ask_to_close(today + timedelta(days=self._rng.choice((-1, 0, 1, 30))))
        return True

    def _ask_to_close(self, day: date) -> None:
        self._api.ask("repayment", "calendar", repayment.CloseBusinessDay(business_date=day))

    # --- people -------------------------------------------------------------------------------------------------

    def _act(self, today: date) -> None:
        actions = (
            (lambda: self._officers.act(today), 80 if self._onboarding else 0),
            (lambda: self._collectors.act(today), 150 if self._collectors.has_work else 0),
            (lambda: self._clerks.act(today), 14 if self._clerks.has_work else 0),
            (self._open_account, 2 if len(self.sight.accounts) > 2 or self._onboarding else 20),
            (self._top_up, 8),
            (lambda: self._open_listing(today), 8 if self._listed < self._listings else 0),
            (self._bid, 40 if self.sight.open_listings() else 1),
            (self._withdraw, 5),
            (self._order_owners.act, 5),
            (self._desk.change_minds, 2 if self.sight.listings else 0),
            (lambda: self._desk.work(today), 30 if self._desk.has_work else 0),
            (self._traders.act, 8 if self._traders.has_work else 0),
            (self._redeemers.act, 12 if self._redeemers.has_work else 0),
            (lambda: self._guarantors.act(today), 40 if self._guarantors.has_work else 0),
            (lambda: self._house.act(today), 20 if self._house.has_work else 0),
            (self._payers.pay, 6 if self.sight.loans else 1),
            (lambda: self.finance.act(today), 6),
            (self._double_click, 5),
            (self._misuse_a_key, 2),
            (self._send_garbage, 1),
        )
        kinds, weights = zip(*actions, strict=True)
        self._rng.choices(kinds, weights)[0]()
        self._promise_keepers.work()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _person(self) -> tuple[str, str]:
        """(user, account) of somebody, who need not have the account yet."""
        owner = self._rng.choice(self._people)
        return owner, f"acc_{owner.removeprefix('usr_')}"

    def _open_account(self) -> None:
        missing = [p for p in self._people if f"acc_{p.removeprefix('usr_')}" not in self.sight.accounts]
        owner = self._rng.choice(missing or self._people)
        account = f"acc_{owner.removeprefix('usr_')}"
        self._api.ask("bidding", account, bidding.OpenAccount(owner=owner), principal=owner)

    def _top_up(self) -> None:
        owner, account = self._person()
        much = 100_000 if self._onboarding else 20_000
        amount = self._rng.choice((500, 2_000, 5_000, much)) * _YUAN + self._rng.choice((0, 0, 1, 99))
        top_up = bidding.RequestTopUp(top_up_id=f"top_{self._number()}", amount_fen=amount)
        stranger = self._rng.random() < 0.05
        self._api.ask("bidding", account, top_up, principal="usr_stranger" if stranger else owner)

    def _open_listing(self, today: date) -> None:
        owner = self._rng.choice(self._people)
        self._listed += 1
        amount = self._rng.choice((500, 1_000, 3_000, 7_777)) * _YUAN + self._rng.choice((0, 0, 37))
        listing = bidding.OpenListing(
            loan_id=f"loan_{self._listed}",
            borrower=owner,
            amount_fen=amount,
            annual_rate=Decimal(self._rng.choice(("0", "0.08", "0.1199", "0.24"))),
            tenor_months=self._rng.randint(1, self._plan.tenor_months_max),
            grade=self._rng.choice("ABC"),
            window_days=self._rng.randint(1, 6),
            origination_fee_fen=self._rng.choice((0, amount // 50)),
            interest_fee_permille=self._rng.choice((0, 100, 1_000)),
            newcomers_only=self._rng.random() < 0.2,
            opens_on=today + timedelta(days=self._rng.choice((1, 2, 40)))
            if self._rng.random() < 0.1
            else None,
            **listed_by_hand(self._listed, owner, self._people, with_fees=self._plan.restructures),
        )
        self._api.ask("bidding", f"lst_{self._listed}", listing, principal="usr_operator")

    def _bid(self) -> None:
        rich = [self._person() for _ in range(3)]
        owner, account = max(rich, key=lambda person: self.sight.available_fen.get(person[1], 0))
        listings = self.sight.open_listings()
        listing = self._rng.choice(listings) if listings else ListingSight("lst_none", "", 5_000, 1_000)
        available = self.sight.available_fen.get(account, 0)
        steps = max(1, listing.remaining_fen // (100 * _YUAN))
        amount = self._rng.choice(
            (
                listing.bid_min_fen,
                self._rng.randint(1, steps) * 100 * _YUAN,
                listing.remaining_fen,
                listing.remaining_fen,
                listing.remaining_fen + 100 * _YUAN,
                listing.bid_min_fen + 1,
                available,
                available + 1,
            )
        )
        number = self._number()
        bid = bidding.PlaceBid(
            bid_id=f"bid_{number}",
            hold_id=f"hold_{number}",
            listing_id=listing.listing_id,
            amount_fen=max(1, amount),
            allow_partial=number % 3 == 0,
        )
        self._api.ask("bidding", account, bid, principal=owner)

    def _withdraw(self) -> None:
        owner, account = self._person()
        available = self.sight.available_fen.get(account, 0)
        amount = self._rng.choice((available, available // 2, available + 1, 100))
        wish = bidding.RequestWithdrawal(withdrawal_id=f"wdr_{self._number()}", amount_fen=max(1, amount))
        self._api.ask("bidding", account, wish, principal=owner)

    def _spend(self, owner: str, account: str) -> None:
        """A borrower takes out what he has, or nearly, so that his debits fail or find a part."""
        available = self.sight.available_fen.get(account, 0) - self._rng.choice((0, 0, 5_000))
        if available > 0:
            wish = bidding.RequestWithdrawal(withdrawal_id=f"wdr_{self._number()}", amount_fen=available)
            self._api.ask("bidding", account, wish, principal=owner)

    # --- the bank -----------------------------------------------------------------------------------------------

    def _bank_answers(self, request: BankRequest) -> None:
        """The right answer at last; before it perhaps a wrong amount, after it perhaps the same again."""
        succeeded = self._rng.random() < 0.9
        reference = (succeeded and self.bank.old_reference(request.account)) or f"ref_{self._number()}"
        if self._rng.random() < 0.1:
            self._confirm(request, reference, request.amount_fen + 1, succeeded)
        if succeeded and self.sight.business_date:
            moved_fen = request.amount_fen if request.kind == "top_up" else -request.amount_fen
            self.bank.book(self.sight.business_date, reference, request.account, moved_fen)
        call = self._confirm(request, reference, request.amount_fen, succeeded)
        chance = self._rng.random()
        if chance < 0.15:
            self._api.send(call)
        elif chance < 0.25:
            self._confirm(request, reference, request.amount_fen, not succeeded)
        elif chance < 0.30:
            self._confirm(request, reference, request.amount_fen, succeeded)
        elif chance < 0.35:
            self._confirm(request, f"ref_{self._number()}", request.amount_fen, succeeded)

    def _confirm(self, request: BankRequest, reference: str, amount: int, succeeded: bool) -> Call:
        if request.kind == "top_up":
            command = bidding.ConfirmTopUp(
                top_up_id=request.request_id,
                bank_reference=reference,
                amount_fen=amount,
                succeeded=succeeded,
            )
            return self._api.ask("bidding", request.account, command, principal="bank")
        answer = bidding.ConfirmWithdrawal(
            withdrawal_id=request.request_id,
            bank_reference=reference,
            amount_fen=amount,
            succeeded=succeeded,
        )
        return self._api.ask("bidding", request.account, answer, principal="bank")

    # --- mischief -----------------------------------------------------------------------------------------------

    def _double_click(self) -> None:
        if self._api.calls:
            self._api.send(self._rng.choice(self._api.calls[-10:]))

    def _misuse_a_key(self) -> None:
        """The id of an earlier request of the same stream under another body.

        Not of the bank's before it is answered: whoever comes first has the key, and a bank whose answer is refused asks nobody.
        """
        earlier = [call for call in self._api.calls[-20:] if call.stream.startswith("acc_")]
        call = self._rng.choice(earlier) if earlier else None
        if call is not None and (call.answered or call.principal != "bank"):
            other = bidding.RequestTopUp(top_up_id=f"top_{self._number()}", amount_fen=12_345)
            self._api.ask("bidding", call.stream, other, principal=call.principal, command_id=call.command_id)

    def _send_garbage(self) -> None:
        service = self._rng.choice(("bidding", "repayment"))
        place = Place(f"{service}.commands", self._rng.randrange(self._partitions))
        garbage = self._rng.choice((b"", b"{", b"\xff\xfe", b'{"command_id": 1}', b"[]", b"0" * 300_000))
        self._api.send_raw(place, b"garbage", garbage)
