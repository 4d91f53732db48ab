"""Who prints, carries, signs and counts blank contracts, and legal and finance, who find contracts void: mostly in order, now and then not.

They draw from a chance of their own, so that what they do not do changes nobody else.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any, Final

from libs.events.contract_stock import Numbers
from libs.events.voiding import VoidingCode
from services.bidding.commands import contract_stock as commands
from services.bidding.commands.voiding import ApproveVoiding, ProposeVoiding
from tools.simulator.himself import customer_behind
from tools.simulator.people import Api

_BRANCH: Final = "CN-31"
_QUOTA: Final = 12
_PRINTER, _CLERK, _REPS, _COUNTERS = "stf_hq", "stf_files", ("stf_rep1", "stf_rep2"), ("stf_cnt1", "stf_cnt2")
_PEOPLE: Final = (_PRINTER, _CLERK, *_REPS, *_COUNTERS)
_LEGAL: Final = ("stf_law1", "stf_law2")
_FINANCE: Final = "stf_fin9"
_CODES: Final[tuple[VoidingCode, ...]] = ("fraud", "duress", "illegal_purpose")


@dataclass(slots=True)
class StockSight:
    """What they know: the open stock, where its numbers are, and listings that are proposed to be void."""

    stock: str = ""
    blank: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Of each blank: who has it, and to whom it is offered."""
    signed: dict[int, str] = field(default_factory=dict)
    loans: list[str] = field(default_factory=list)
    differs: str = ""
    live: dict[str, None] = field(default_factory=dict)
    proposed: dict[str, str] = field(default_factory=dict)

    def fold(self, kind: str, data: Any) -> None:
        """Take in one event."""
        name = kind.split(".")[1]
        if data.get("stock_id"):
            self._stock(name, data)
        elif name == "ListingOpened":
            self.live[data["listing_id"]] = None
            self.loans.append(data["loan_id"])
        elif name == "ListingVoidingProposed":
            self.proposed[data["listing_id"]] = data["proposer"]
        elif name in ("ListingCancelled", "ListingExpired", "LoanFunded"):
            self.live.pop(data.get("listing_id"), None)
            self.proposed.pop(data.get("listing_id"), None)

    def _stock(self, name: str, data: Any) -> None:
        if name == "StockPrinted":
            self.stock, self.signed = data["stock_id"], {}
            self.blank = dict.fromkeys(range(1, data["quota"] + 1), (data["printer"], ""))
        elif name == "StockCounted":
            self.differs = data["counter"] if data["missing"] or data["unexpected"] or data["twice"] else ""
        elif name == "StockDifferenceExplained":
            self.differs = ""
        elif data["stock_id"] == self.stock and name != "SignedBlankVoided":
            self._moved(name, data)

    def _moved(self, name: str, data: Any) -> None:
        if name == "BlankSigned":
            self.blank.pop(data["number"], None)
            self.signed[data["number"]] = data["rep"]
        elif name == "BlankReturned":
            self.signed.pop(data["number"], None)
        else:
            for number in range(data["numbers"]["first"], data["numbers"]["last"] + 1):
                if name == "BlanksVoided":
                    self.blank.pop(number, None)
                elif name == "StockHandedOver":
                    self.blank[number] = (data["giver"], data["receiver"])
                else:
                    self.blank[number] = (data["receiver"], "")


class StockKeepers:
    """All of them."""

    def __init__(self, chance: Random, api: Api) -> None:
        self.sight = StockSight()
        self._chance, self._api = chance, api

    def new_day(self, today: date) -> None:
        """A quota is printed for the month, a few things are done with it; a contract is found void now and then."""
        month = today.replace(day=1)
        if self.sight.stock != f"stock_{_BRANCH}_{month:%Y%m}_borrower":
            self._print(month)
        else:
            for _ in range(3):
                self._work()
        self._void_listings()

    def _ask(self, stream: str, command: Any, who: str) -> None:
        wrong = self._chance.random() < 0.15
        self._api.ask("bidding", stream, command, principal=self._chance.choice(_PEOPLE) if wrong else who)

    def _print(self, month: date) -> None:
        for party in ("borrower", "lender"):
            if party == "borrower" or self._chance.random() < 0.3:
                wanted = commands.PrintContracts(
                    branch=_BRANCH, month=month, party=party, quota=_QUOTA, rep_quota=4
                )
                stream = f"stock_{_BRANCH}_{month:%Y%m}_{party}"
                self._api.ask("bidding", stream, wanted, principal=_PRINTER)

    def _work(self) -> None:
        sight = self.sight
        if sight.differs and self._chance.random() < 0.6:
            explained = commands.ExplainDifference(code="misfiled")
            who = sight.differs if self._chance.random() < 0.3 else _CLERK
            self._api.ask("bidding", sight.stock, explained, principal=who)
        elif self._chance.random() < 0.15:
            self._count()
        elif sight.signed and self._chance.random() < 0.5:
            number = self._chance.choice(list(sight.signed))
            copies = 1 if self._chance.random() < 0.1 else 2
            who = sight.signed[number] if self._chance.random() < 0.1 else _CLERK
            back = commands.ReturnContract(number=number, copies=copies)
            self._api.ask("bidding", sight.stock, back, principal=who)
        elif sight.blank:
            self._move(self._chance.choice(list(sight.blank)))

    def _move(self, number: int) -> None:
        holder, offered_to = self.sight.blank[number]
        last = number
        while self.sight.blank.get(last + 1) == (holder, offered_to) and last < number + 5:
            last += 1
        numbers = Numbers(first=number, last=last)
        if offered_to:
            self._ask(self.sight.stock, commands.TakeContracts(numbers=numbers), offered_to)
        elif self._chance.random() < 0.08:
            spoiled = commands.VoidContracts(
                numbers=Numbers(first=number, last=number), code=self._chance.choice(("spoiled", "lost"))
            )
            self._ask(self.sight.stock, spoiled, _COUNTERS[0])
        elif holder in _REPS and self.sight.loans:
            loan = self._chance.choice(self.sight.loans)
            self._ask(self.sight.stock, commands.SignContract(number=number, loan_id=loan), holder)
        else:
            to = _CLERK if holder == _PRINTER else self._chance.choice(_REPS)
            self._ask(self.sight.stock, commands.HandOverContracts(numbers=numbers, to=to), holder)

    def _count(self) -> None:
        numbers = sorted(self.sight.blank)
        if numbers and self._chance.random() < 0.4:
            numbers.pop(self._chance.randrange(len(numbers)))
        if numbers and self._chance.random() < 0.2:
            numbers.append(self._chance.choice(numbers))
        seen = tuple(Numbers(first=number, last=number) for number in numbers)
        counter = self._chance.choice(_COUNTERS)
        self._ask(self.sight.stock, commands.CountContracts(seen=seen), counter)

    # --- contracts that are void --------------------------------------------------------------------------------

    def _void_listings(self) -> None:
        for listing_id, proposer in list(self.sight.proposed.items()):
            for post, who in (("legal", _LEGAL[1]), ("finance", _FINANCE)):
                signer = proposer if self._chance.random() < 0.5 else who
                approve = ApproveVoiding(post=post, himself=customer_behind(signer))  # type: ignore[arg-type]
                self._api.ask("bidding", listing_id, approve, principal=signer)
        if self.sight.live and self._chance.random() < 0.12:
            listing_id = self._chance.choice(list(self.sight.live))
            code = self._chance.choice(_CODES)
            self._api.ask("bidding", listing_id, ProposeVoiding(code=code), principal=_LEGAL[0])
