"""The quote: schedule and cost of a loan that nobody has applied for, by contract and ledger's own function; refused by name."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from libs.events.deciding import Refused
from services.onboarding.domain.profile import CN_P2P_2016, DEMO
from services.onboarding.domain.quoting import Wish, quote
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named
from tests.unit.given import given
from tests.unit.onboarding.over_http import problem
from tests.unit.repayment.stories import OPEN, claim, on
from tests.unit.runtime.edge_world import World

DAY = date(2024, 3, 15)
WISH = Wish(
    product="consumer",
    method="equal_instalments",
    amount_fen=10_000_00,
    annual_rate=Decimal("0.12"),
    tenor_months=12,
    funded_on=DAY,
)
PATH = "/onboarding/quote"
ASKED = {
    "product": "consumer",
    "amount_fen": "1000000",
    "annual_rate": "0.12",
    "tenor_months": "12",
    "funded_on": "2024-03-15",
}


@pytest.mark.parametrize(
    ("product", "method", "cost"),
    [
        ("consumer", "equal_instalments", "0.1238"),
        ("consumer", "equal_principal", "0.1239"),
        ("bridge", "bullet", "0.1165"),
        ("instalment_plan", "flat", "0.2146"),
    ],
)
def test_a_quote_names_the_true_cost_with_the_published_fees(product: str, method: str, cost: str) -> None:
    """12 % flat costs more than 21 %; two per mille up front make 12.38 % of twelve; simple interest of a year is less than twelve
    months' compounded. Where a product has no ceiling's room, the cost is asked without one."""
    free = replace(CN_P2P_2016, rate_ceilings=())
    answer = quote(free, replace(WISH, product=product, method=method))
    assert str(round(answer.annual_cost, 4)) == cost
    assert answer.effective_cost > answer.annual_cost
    assert answer.paid_out_fen == WISH.amount_fen - answer.origination_fee_fen


@pytest.mark.parametrize("product", DEMO.products, ids=lambda product: product.code)
def test_the_quote_is_the_ledgers_schedule(product: object) -> None:
    """Whatever product and method, the rows that are quoted are those that the loan is opened with (J-1302)."""
    found = next(each for each in DEMO.products if each is product)
    for method in found.methods:
        wish = replace(
            WISH, product=found.code, method=method, amount_fen=max(WISH.amount_fen, found.amounts_fen[0])
        )
        opening = replace(
            OPEN,
            principal_fen=wish.amount_fen,
            annual_rate=wish.annual_rate,
            tenor_months=wish.tenor_months,
            funded_on=wish.funded_on,
            claims=(claim(1, wish.amount_fen),),
            repayment=found.repayment(method),
        )
        [opened] = given(loan_aggregate(profile_named("demo"))).when(opening, on(DAY)).events
        assert quote(DEMO, wish).plan.rows == opened.rows


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"product": "mortgage"}, "invalid_product"),
        ({"method": "bullet"}, "invalid_method"),
        ({"amount_fen": 0}, "invalid_amount"),
        ({"amount_fen": -1}, "invalid_amount"),
        ({"amount_fen": 200_000_01}, "invalid_amount"),
        ({"tenor_months": 0}, "invalid_tenor"),
        ({"tenor_months": 1_000}, "invalid_tenor"),
        ({"annual_rate": Decimal(0)}, "invalid_rate"),
        ({"annual_rate": Decimal("0.123456789")}, "invalid_rate"),
        ({"annual_rate": Decimal("0.1345")}, "invalid_rate"),
        ({"product": "instalment_plan", "method": "flat", "annual_rate": Decimal("0.08")}, "invalid_rate"),
        ({"product": "bridge", "method": "bullet", "funded_on": date(2017, 1, 1)}, "fee_not_published"),
    ],
)
def test_no_quote_is_given_for_nonsense_or_above_the_ceiling(changed: dict[str, object], code: str) -> None:
    """Each by its name. Under 13.8 % of March 2024: 13.45 % with its fee is above, and so is 8 % flat."""
    with pytest.raises(Refused) as refused:
        quote(CN_P2P_2016, replace(WISH, **changed))  # type: ignore[arg-type]  # the names are Wish's
    assert refused.value.code == code


async def test_the_quote_over_http_shows_the_cost_first(world: World) -> None:
    """The yearly cost stands before the rate; rows sum to the totals; asked again the answer is the same."""
    headers = world.token("usr_ada", "application:own")
    answer = await world.http.get(PATH, params=ASKED, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert list(told)[:3] == ["annual_cost", "effective_cost", "annual_rate"]
    assert (told["installment_fen"], told["interest_fen"], len(told["rows"])) == (88_849, 66_186, 12)
    assert told["total_fen"] == sum(row["total_fen"] for row in told["rows"]) == 1_066_186
    assert told["rows"][0] == {
        "number": 1,
        "due_on": "2024-04-15",
        "provisional": False,
        "principal_fen": 78_849,
        "interest_fen": 10_000,
        "fee_fen": 0,
        "total_fen": 88_849,
    }
    usual = {"across": "horizontal", "components": ["penalty", "fee", "interest", "principal"]}
    assert told["performing_order"] == told["non_performing_order"] == usual
    assert (await world.http.get(PATH, params=ASKED, headers=headers)).content == answer.content


async def test_the_quote_shows_in_which_order_payments_pay(world: World) -> None:
    """Where the product names its orders: by component, and principal first once the loan is non-performing."""
    headers = world.token("usr_ada", "application:own")
    seasonal = ASKED | {"product": "seasonal", "annual_rate": "0.06"}
    told = (await world.http.get(PATH, params=seasonal, headers=headers)).json()
    assert told["performing_order"] == {
        "across": "vertical",
        "components": ["penalty", "fee", "interest", "principal"],
    }
    assert told["non_performing_order"]["components"][0] == "principal"


async def test_a_quote_says_which_due_dates_wait_for_a_years_holidays(world: World) -> None:
    """New Year and National Day of a year that is not published look like working days; a day that nothing moves is certain."""
    headers = world.token("usr_ada", "application:own")
    long = ASKED | {"annual_rate": "0.06", "tenor_months": "24", "funded_on": "2025-10-01"}
    told = (await world.http.get(PATH, params=long | {"product": "seasonal"}, headers=headers)).json()
    marked = [row["due_on"] for row in told["rows"] if row["provisional"]]
    assert marked == [row["due_on"] for row in told["rows"] if row["due_on"] > "2026-12-31"]
    assert {"2027-01-01", "2027-10-01"} <= set(marked)
    plain = (await world.http.get(PATH, params=long, headers=headers)).json()
    assert not any(row["provisional"] for row in plain["rows"])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount_fen": "0"}, "invalid_amount"),
        ({"amount_fen": "1.5"}, "invalid_amount"),
        ({"amount_fen": "9" * 20}, "invalid_amount"),
        ({"annual_rate": "twelve"}, "invalid_rate"),
        ({"annual_rate": "-0.1"}, "invalid_rate"),
        ({"annual_rate": "NaN"}, "invalid_rate"),
        ({"annual_rate": "1e-9"}, "invalid_rate"),
        ({"annual_rate": "0.1_2"}, "invalid_rate"),
        ({"annual_rate": " 0.12 "}, "invalid_rate"),
        ({"annual_rate": "０.１２"}, "invalid_rate"),
        ({"annual_rate": ".12"}, "invalid_rate"),
        ({"annual_rate": "+0.12"}, "invalid_rate"),
        ({"tenor_months": "0"}, "invalid_tenor"),
        ({"tenor_months": "1000"}, "invalid_tenor"),
        ({"tenor_months": "012"}, "invalid_tenor"),
        ({"tenor_months": "１２"}, "invalid_tenor"),
        ({"amount_fen": "01000000"}, "invalid_amount"),
        ({"amount_fen": "1_000_000"}, "invalid_amount"),
        ({"funded_on": "2023-02-29"}, "invalid_date"),
        ({"funded_on": "20240131"}, "invalid_date"),
        ({"funded_on": "2024-W05-3"}, "invalid_date"),
        ({"funded_on": "1989-12-31"}, "invalid_date"),
        ({"funded_on": "soon"}, "invalid_date"),
        ({"funded_on": "9999-12-31"}, "invalid_date"),
        ({"product": "mortgage"}, "invalid_product"),
    ],
)
async def test_a_quote_is_refused_by_name(world: World, changed: dict[str, str], code: str) -> None:
    """Impossible dates, amounts of nothing, rates with too many places, terms of 0 and 1,000: 422 and which of them it is."""
    headers = world.token("usr_ada", "application:own")
    answer = await world.http.get(PATH, params=ASKED | changed, headers=headers)
    assert problem(answer) == (422, code)
