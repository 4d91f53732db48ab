"""A product's manner of repayment becomes the loan's when its committee is convened, and is the loan's from there on."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.events.application import LoanTerms
from services.onboarding.commands import MeetPrecedents
from services.onboarding.domain.application import aggregate
from services.onboarding.domain.products import BRIDGE, CONSUMER, SEASONAL, Product
from services.onboarding.domain.profile import CN_P2P_2016
from services.onboarding.domain.terms import text_of
from tests.unit.given import given
from tests.unit.onboarding import stories as s

FREE = replace(CN_P2P_2016, rate_ceilings=())
APPLICATION = aggregate(FREE)
[SEASON] = SEASONAL.repayments


def terms_of(product: Product, method: str, **changed: object) -> LoanTerms:
    """The committee's terms for a product, with the fees that are published for it (two per mille, a hundred of the interest)."""
    return replace(s.TERMS, method=method, **changed)  # type: ignore[arg-type]  # the event validates itself when it is written


def story_of(product: Product, method: str) -> tuple[object, ...]:
    """The application up to its report, for another product."""
    submitted = replace(s.SUBMITTED, product=product.code, purpose=product.purposes[0], method=method)
    return (submitted, *s.WITH_REPORT[1:])


@pytest.mark.parametrize(
    ("product", "method"),
    [(SEASONAL, "equal_instalments"), (BRIDGE, "bullet"), (CONSUMER, "equal_principal")],
    ids=["seasonal", "bridge", "equal principal"],
)
def test_convening_takes_the_products_manner_over(product: Product, method: str) -> None:
    """The event says all of it, whatever the request says; convened alike again, nothing is said."""
    asked = replace(s.CONVENE, terms=terms_of(product, method))
    agreed = replace(asked.terms, repayment=product.repayment(method))
    convened = replace(s.CONVENED, terms=agreed)
    story = story_of(product, method)
    given(APPLICATION, *story).when(asked, s.by(s.RIA)).then(convened)
    given(APPLICATION, *story, convened).when(asked, s.by(s.RIA)).then()
    forged = replace(asked, terms=replace(asked.terms, repayment=replace(SEASON, period_fee_permille=9)))
    given(APPLICATION, *story).when(forged, s.by(s.RIA)).then(convened)


def test_plain_equal_instalments_name_no_manner() -> None:
    """What every loan was repaid by before there was a choice needs no snapshot."""
    given(APPLICATION, *s.WITH_REPORT).when(s.CONVENE, s.by(s.RIA)).then(s.CONVENED)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (terms_of(SEASONAL, "bullet"), "invalid_method"),
        (terms_of(SEASONAL, "equal_instalments", tenor_months=1), "invalid_tenor"),
        (terms_of(SEASONAL, "equal_instalments", origination_fee_fen=0), "fee_not_published"),
    ],
)
def test_terms_that_the_product_lacks_are_refused(terms: LoanTerms, code: str) -> None:
    """A method, a tenor and a fee that are not its own, each by name."""
    story = story_of(SEASONAL, "equal_instalments")
    given(APPLICATION, *story).when(replace(s.CONVENE, terms=terms), s.by(s.RIA)).then_refused(code)


def test_the_ceiling_looks_at_the_fee_of_each_instalment() -> None:
    """13.4 % with one per mille a month is above 13.8 % of the day, the same without it is not."""
    law = aggregate(CN_P2P_2016)
    rate = Decimal("0.134")
    season = replace(s.CONVENE, terms=terms_of(SEASONAL, "equal_instalments", annual_rate=rate))
    given(law, *story_of(SEASONAL, "equal_instalments")).when(season, s.by(s.RIA)).then_refused(
        "invalid_rate"
    )
    plain = replace(s.CONVENE, terms=replace(s.TERMS, annual_rate=rate))
    assert given(law, *s.WITH_REPORT).when(plain, s.by(s.RIA)).refused is None


def test_a_loan_that_was_agreed_on_keeps_its_manner_when_the_product_changes() -> None:
    """The product is taken off the table: the listing is told what the committee had agreed on (J-2937)."""
    agreed = replace(terms_of(SEASONAL, "equal_instalments"), repayment=SEASON)
    history: tuple[Any, ...] = s.AT_CAP_CHECK
    story = [replace(event, terms=agreed) if hasattr(event, "terms") else event for event in history]
    changed = aggregate(replace(FREE, products=(CONSUMER,)))
    met = given(changed, *story).when(MeetPrecedents(application_id="app_1"), s.by(""))
    assert met.events[0].repayment == SEASON


def test_the_offered_text_says_the_manner() -> None:
    """Whoever signs has read of grace, fee and days, and of the order of payment where it is not the usual one; without a manner the
    text is the one of ever."""
    named = {
        "application_id": "app_1",
        "loan_id": "loan_1",
        "applicant": s.BEA,
        "product": "seasonal",
        "purpose": "stock_of_goods",
    }
    agreed = replace(terms_of(SEASONAL, "equal_instalments"), repayment=SEASON)
    text = text_of(agreed, **named)
    assert text.startswith("Loanstream loan terms, version 3\n")
    assert text.endswith(
        "a payment pays penalty, fee, interest, principal, each of all instalments that are due, the oldest first\n"
        "once the loan is non-performing principal, interest, fee, penalty, each of all instalments that are due, "
        "the oldest first\n"
    )
    without = replace(agreed, repayment=replace(SEASON, allocation=None))
    assert text_of(without, **named).startswith("Loanstream loan terms, version 2\n")
    assert "no principal in the first 1 months, no interest in the first 1\n" in text
    assert "fee with each instalment 1 per mille of the amount\n" in text
    assert "due days on which nobody works: following, by the calendar china\n" in text
    assert text_of(s.TERMS, **named).startswith("Loanstream loan terms, version 1\n")
