"""The risk text of standing orders: what an investor confirms when he sets one up, known by its hash.

His own act makes the order (domain.md section 9, line 1): the platform decides nothing for him. A changed wording is a new version,
and a version is never edited.
"""

from hashlib import sha256
from typing import Final

from libs.events.wording import lawful

_VERSION_1: Final = lawful("""\
Loanstream standing orders, version 1
You set this order up by your own act. The platform decides nothing for you: the order bids where a loan fits what you wrote in it.
Each bid is a bid of yours, and stands once the listing has taken it. You may change, pause or end the order at any time;
what was asked of it before stands.
Orders are served one listing after the other, by the time an order last spent, oldest first. A new order stands at the end.
An order that spends goes to the end, for whatever amount; one that does not keeps its place. Nobody can buy a better place.
You are told for every listing whether your order took part, and if it did not, why.
Whoever lends may lose all that he lent. Past figures say nothing about a loan.
""")

_VERSION_2: Final = lawful("""\
Loanstream standing orders, version 2
You set this order up by your own act. The platform decides nothing for you: the order bids where a loan fits what you wrote in it.
Each bid is a bid of yours, and stands once the listing has taken it. You may change, pause or end the order at any time;
what was asked of it before stands.
Orders are served one listing after the other, by the time an order last spent, oldest first. A new order stands at the end.
An order that spends goes to the end, for whatever amount; one that does not keeps its place. Nobody can buy a better place.
An order that could not pay for five listings in a row is paused until you resume it, and keeps its place.
You are told for every listing whether your order took part, and if it did not, why.
Whoever lends may lose all that he lent. Past figures say nothing about a loan.
""")

#: Every text that an order was ever set up with.
TEXTS: Final = (_VERSION_1, _VERSION_2)
#: The text that a new order is set up with, and its hash.
TEXT: Final = TEXTS[-1]
TEXT_HASH: Final = sha256(TEXT.encode()).hexdigest()
