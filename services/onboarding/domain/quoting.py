"""What a loan would cost and when it would be paid back, before anybody applies: by the function that contract and ledger use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from libs.events.cost import Ceilings
from libs.events.deciding import Refused
from libs.events.fees import Fees, started
from libs.events.onboarding import Code
from libs.events.schedules.cost import annual_cost, compounded, is_allowed
from libs.events.schedules.rows import Schedule, schedule
from libs.events.schedules.terms import PLAIN, RepaymentTerms, require_sound
from services.onboarding.domain.products import Product
from services.onboarding.domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Wish:
    """A loan that somebody thinks about; the rate is nominal and yearly."""

    product: Code
    method: Code
    amount_fen: int
    annual_rate: Decimal
    tenor_months: int
    funded_on: date


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer: what it costs in a year by its cash flows with all fees (nominal: monthly times twelve; effective:
    compounded), what is paid out, and the schedule."""

    annual_cost: Decimal
    effective_cost: Decimal
    origination_fee_fen: int
    paid_out_fen: int
    repayment: RepaymentTerms
    plan: Schedule


def quote(profile: Profile, wish: Wish) -> Quote:
    """The quote of a wish with the fees published for that day.

    Refused: `invalid_product`, `invalid_method`, `invalid_amount`, `invalid_tenor` (of the product, too), `invalid_date`,
    `invalid_rate` (no rate, or it would cost more than the ceiling of that day), `fee_not_published`, and what
    `require_sound` names.
    """
    product = profile.product(wish.product)
    if product is None:
        raise Refused("invalid_product")
    terms = _terms(product, wish)
    fee_fen = _origination_fee_fen(profile, wish)
    if not _is_allowed(profile.rate_ceilings, wish, terms, fee_fen):
        raise Refused("invalid_rate")
    plan = schedule(
        terms,
        amount_fen=wish.amount_fen,
        annual_rate=wish.annual_rate,
        months=wish.tenor_months,
        funded_on=wish.funded_on,
    )
    paid_out_fen = wish.amount_fen - fee_fen
    cost = annual_cost(plan.rows, paid_out_fen=paid_out_fen, months=wish.tenor_months)
    return Quote(cost, compounded(cost), fee_fen, paid_out_fen, terms, plan)


def _terms(product: Product, wish: Wish) -> RepaymentTerms:
    """The product's manner of repayment, if the wish is within its limits."""
    if wish.method not in product.methods:
        raise Refused("invalid_method")
    if not product.amounts_fen[0] <= wish.amount_fen <= product.amounts_fen[1]:
        raise Refused("invalid_amount")
    if not product.tenors_months[0] <= wish.tenor_months <= product.tenors_months[1]:
        raise Refused("invalid_tenor")
    terms = product.repayment(wish.method) or PLAIN
    require_sound(
        terms,
        amount_fen=wish.amount_fen,
        annual_rate=wish.annual_rate,
        months=wish.tenor_months,
        funded_on=wish.funded_on,
    )
    if wish.annual_rate == 0:
        raise Refused("invalid_rate")  # a contract without a stated rate is not built (processes.md 1.G.1)
    return terms


def _origination_fee_fen(profile: Profile, wish: Wish) -> int:
    """The fee that is published for the product on that day; none where nothing is published."""
    published = started(profile.fee_tables, wish.funded_on)
    if not published:
        return 0
    fees: Fees | None = published[0].of(wish.product)
    if fees is None:
        raise Refused("fee_not_published")
    fee_fen = fees.origination_fen(wish.amount_fen)
    if fee_fen >= wish.amount_fen:
        raise Refused("invalid_amount")
    return fee_fen


def _is_allowed(ceilings: Ceilings, wish: Wish, terms: RepaymentTerms, fee_fen: int) -> bool:
    return is_allowed(
        ceilings,
        wish.funded_on,
        terms=terms,
        amount_fen=wish.amount_fen,
        fee_fen=fee_fen,
        annual_rate=wish.annual_rate,
        months=wish.tenor_months,
    )
