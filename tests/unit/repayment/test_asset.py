"""Assets in settlement: what the loan gives up for one, how it is kept, and how its price is shared; each reason for which not."""

from dataclasses import replace
from datetime import date

import pytest

from libs.events.deciding import Wake
from libs.events.in_kind import DebtSettledInKind
from libs.events.measures import MeasureExamined
from libs.events.schedules.clause import MandateClause
from libs.events.schedules.terms import RepaymentTerms
from services.repayment.commands import ReserveClaim
from services.repayment.commands.guarantees import ReduceGuarantee
from services.repayment.commands.measures import CarryOutMeasure, ExamineMeasure
from services.repayment.domain.asset import dispose_by
from services.repayment.domain.asset_proceeds import proceeds as proceeds_of
from services.repayment.domain.asset_state import Kept
from services.repayment.domain.loan_state import Running
from services.repayment.domain.profile import profile_named
from services.repayment.domain.settling_in_kind import settled_in_kind
from services.repayment.policies.guarantees import on_repayment
from tests.unit.bidding.specs import Spec
from tests.unit.documents import recorded
from tests.unit.given import context, fold, given
from tests.unit.repayment import asset_story as a
from tests.unit.repayment import guarantee_story as g
from tests.unit.repayment.stories import (
    FIRST_DUE,
    FIRST_PAID,
    FUNDED_ON,
    LOAN,
    OPENED,
    amended,
    check_applied,
    days,
    in_time,
    on,
)

DEMO = profile_named("demo").on(FUNDED_ON)
EXAMINE = ExamineMeasure(measure_id="msr_1", terms=a.LORRY)
RIGHTS = replace(a.LORRY, asset="rights", valid_to=date(2024, 9, 1))
OLDEST = replace(a.LORRY, acquired_on=FUNDED_ON, valued_on=days(a.DAY, -183))
LOAN_SPECS = [
    Spec("the arrears are settled by a thing", a.LATE, a.carry_out(), (a.SETTLED,), on(a.DAY)),
    Spec("once", (*a.LATE, a.SETTLED), a.carry_out(), (), on(a.DAY)),
    Spec("of no loan that is paid as agreed", (OPENED, *FIRST_PAID), a.carry_out(), "not_overdue", on(a.DAY)),
    Spec("at its value, and no more", a.LATE, a.carry_out(replace(a.LORRY, agreed_fen=40_001)), "above_valuation", on(a.DAY)),
    Spec("not of tomorrow", a.LATE, a.carry_out(replace(a.LORRY, acquired_on=days(a.DAY, 1))), "invalid_date", on(a.DAY)),
    Spec("nor of a day before there was a debt", a.LATE, a.carry_out(replace(a.LORRY, acquired_on=days(FUNDED_ON, -1))), "acquired_before_loan", on(a.DAY)),
    Spec("of half a year ago at most", a.LATE, a.carry_out(replace(a.LORRY, valued_on=days(a.DAY, -184))), "valuation_too_old", on(a.DAY)),
    Spec("but of the day itself, by a value that still holds", a.LATE, a.carry_out(OLDEST), (replace(a.SETTLED, terms=OLDEST),), on(a.DAY)),
    Spec("rights have a last day", a.LATE, a.carry_out(replace(RIGHTS, valid_to=None)), "invalid_validity", on(a.DAY)),
    Spec("that is not over", a.LATE, a.carry_out(replace(RIGHTS, valid_to=days(a.DAY, -1))), "invalid_date", on(a.DAY)),
    Spec("all that is due, or all", a.LATE, a.carry_out(replace(a.LORRY, agreed_fen=34_003)), "neither_arrears_nor_all", on(a.DAY)),
]  # fmt: skip
#: Its guarantor's account was asked for what is late, and has less.
IN_VAIN = (*g.LATE, *g.SIGNED, replace(g.DECLINED, code="insufficient_available"))
#: He has paid for all of it, 1,011.53 and 3.35 of interest that ran, and is its only holder.
ALL_HIS = (
    *g.LATE,
    *g.SIGNED,
    replace(g.SUBROGATED, covers="outstanding", claim=replace(g.SUBROGATED.claim, principal_fen=100_000, through=None)),
    replace(g.PAID_OUT, principal_fen=100_000, lines=(g.share(1, 50_000, 0, 0, 0), g.share(2, 30_000, 0, 0, 0), g.share(3, 20_000, 0, 0, 0))),
)  # fmt: skip
GUARANTOR_SPECS = [
    Spec("who stands in is asked first", g.LATE, EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("it is not his account's word when the house says no", (*g.LATE, *g.SIGNED[:2], replace(g.DECLINED, code="expired")), EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("nor that nothing was late", (*g.LATE, *g.SIGNED, replace(g.DECLINED, code="nothing_overdue")), EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("nor what nobody ever refused", (*g.LATE, *g.SIGNED[:2], replace(g.DECLINED, code="insufficient_available")), EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("who is asked again is waited for", (*IN_VAIN, replace(g.PROPOSED, compensation_id="cmp_2")), EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("to the answer", (*g.LATE, *g.SIGNED), EXAMINE, "payment_on_its_way", on(g.DAY)),
    Spec("who has paid for some of it is asked for the rest", g.COMPENSATED, EXAMINE, "loan_guaranteed", on(g.DAY)),
    Spec("also where he was asked in vain before", (*IN_VAIN, *g.COMPENSATED[len(g.LATE):]), EXAMINE, "loan_guaranteed", on(g.DAY)),
]  # fmt: skip
STAFF = a.by("kp")
#: Proposed when sales had no last day.
OLD = replace(a.PROPOSED, sign_until=None)
SIGN_FIN, SIGN_GM = a.sign("finance_supervisor"), a.sign("general_manager")
ASSET_SPECS = [
    Spec("it is in the register", (), a.TAKE, (a.TAKEN,), on(a.DAY)),
    Spec("once", (a.TAKEN,), a.TAKE, (), on(a.DAY)),
    Spec("it is counted", (a.TAKEN,), a.COUNT, (a.COUNTED,), STAFF),
    Spec("once a paper", (a.TAKEN, a.COUNTED), a.COUNT, (), STAFF),
    Spec("by the house", (a.TAKEN,), a.COUNT, "forbidden_not_staff", context(a.DAY, "usr_bo")),
    Spec("nothing that is not there", (), a.COUNT, "unknown_asset", STAFF),
    Spec("nor what is gone", (*a.SIGNED, a.DISPOSED), a.COUNT, "asset_disposed", STAFF),
    Spec("nobody bids", (a.TAKEN,), a.FAIL_AUCTION, (a.NO_BID,), STAFF),
    Spec("once", (a.TAKEN, a.NO_BID), a.FAIL_AUCTION, (), STAFF),
    Spec("not on what never was", (), a.FAIL_AUCTION, "unknown_asset", STAFF),
    Spec("a sale is proposed", (a.TAKEN,), a.PROPOSE, (a.PROPOSED,), STAFF),
    Spec("once", a.ON_SALE, a.PROPOSE, (), STAFF),
    Spec("one at a time", a.ON_SALE, replace(a.PROPOSE, disposal_id="dsp_2"), "disposal_under_way", STAFF),
    Spec("an auction has a reserve", (a.TAKEN,), replace(a.PROPOSE, reserve_fen=None), "reserve_missing", STAFF),
    Spec("and does not go below it", (a.TAKEN,), replace(a.PROPOSE, reserve_fen=30_002), "below_reserve", STAFF),
    Spec("first by auction", (a.TAKEN,), replace(a.PROPOSE, manner="agreement", reserve_fen=None), "auction_first", STAFF),
    Spec("then otherwise", (a.TAKEN, a.NO_BID), replace(a.PROPOSE, manner="agreement", reserve_fen=None),
         (replace(a.PROPOSED, manner="agreement", reserve_fen=None),), STAFF),
    Spec("its cost has an account", (a.TAKEN,), replace(a.PROPOSE, cost_account=""), "invalid_cost", STAFF),
    Spec("and is a fifth of the price at most", (a.TAKEN,), replace(a.PROPOSE, cost_fen=6_000), (replace(a.PROPOSED, cost_fen=6_000),), STAFF),
    Spec("not a fen more", (a.TAKEN,), replace(a.PROPOSE, cost_fen=6_001), "cost_too_high", STAFF),
    Spec("nobody proposes what he is paid", (a.TAKEN,), replace(a.PROPOSE, himself="usr_auc"), "forbidden_payee", STAFF),
    Spec("nor is it the debtor's", (a.TAKEN,), replace(a.PROPOSE, cost_account="acc_bo"), "forbidden_payee", STAFF),
    Spec("nor a holder's", (a.TAKEN,), replace(a.PROPOSE, cost_account="acc_3"), "forbidden_payee", STAFF),
    Spec("nor the buyer's", (a.TAKEN,), replace(a.PROPOSE, cost_account="acc_ann"), "forbidden_payee", STAFF),
    Spec("nor the platform's", (a.TAKEN,), replace(a.PROPOSE, cost_account="acc_fees"), "forbidden_payee", STAFF),
    Spec("whichever of its accounts", (a.TAKEN,), replace(a.PROPOSE, cost_account="acc_marketing"), "forbidden_payee", STAFF),
    Spec("which buys nothing either", (a.TAKEN,), replace(a.PROPOSE, buyer_account="acc_fees"), "forbidden_buyer", STAFF),
    Spec("with none of its accounts", (a.TAKEN,), replace(a.PROPOSE, buyer_account="acc_marketing"), "forbidden_buyer", STAFF),
    Spec("its debtor buys nothing back", (a.TAKEN,), replace(a.PROPOSE, buyer_account="acc_bo"), "forbidden_buyer", STAFF),
    Spec("nor whoever proposes it", (a.TAKEN,), replace(a.PROPOSE, himself="usr_ann"), "forbidden_buyer", STAFF),
    Spec("nobody sells what he gave", (a.TAKEN,), replace(a.PROPOSE, himself="usr_bo"), "forbidden_borrower", STAFF),
    Spec("nor what he has a share in", (a.TAKEN,), replace(a.PROPOSE, himself="usr_2"), "forbidden_holder", STAFF),
    Spec("again is nothing, whoever he is", a.ON_SALE, replace(a.PROPOSE, himself="usr_2"), (), STAFF),
    Spec("a buyer has an account", (a.TAKEN,), replace(a.PROPOSE, buyer_account="usr_x"), "invalid_account", STAFF),
    Spec("finance signs", a.ON_SALE, SIGN_FIN, (a.BY_FAY,), a.by("fay")),
    Spec("once", (*a.ON_SALE, a.BY_FAY), SIGN_FIN, (), a.by("fay")),
    Spec("not who proposed it", a.ON_SALE, SIGN_FIN, "forbidden_second_signature", STAFF),
    Spec("nor who buys it", a.ON_SALE, replace(SIGN_FIN, himself="usr_ann"), "forbidden_buyer", a.by("fay")),
    Spec("nor whoever its cost is paid to", a.ON_SALE, replace(SIGN_FIN, himself="usr_auc"), "forbidden_payee", a.by("fay")),
    Spec("nor the last one", (*a.ON_SALE, a.BY_FAY), replace(SIGN_GM, himself="usr_auc"), "forbidden_payee", a.by("gus")),
    Spec("not even to say no to it", a.ON_SALE, replace(SIGN_FIN, himself="usr_auc", refused="price_too_low"), "forbidden_payee", a.by("fay")),
    Spec("what was proposed when nobody looked is not signed", (a.TAKEN, replace(a.PROPOSED, cost_account="acc_bo")), SIGN_FIN, "forbidden_payee", a.by("fay")),
    Spec("whatever it costs", (a.TAKEN, replace(a.PROPOSED, cost_fen=6_001)), SIGN_FIN, "cost_too_high", a.by("fay")),
    Spec("but refused", (a.TAKEN, replace(a.PROPOSED, cost_account="acc_bo")), replace(SIGN_FIN, refused="price_too_low"), (a.NO,), a.by("fay")),
    Spec("nor its debtor", a.ON_SALE, replace(SIGN_FIN, himself="usr_bo"), "forbidden_borrower", a.by("fay")),
    Spec("nor who has a share in it", (*a.ON_SALE, a.BY_FAY), replace(SIGN_GM, himself="usr_2"), "forbidden_holder", a.by("gus")),
    Spec("not even to say no", a.ON_SALE, replace(SIGN_FIN, himself="usr_3", refused="price_too_low"), "forbidden_holder", a.by("fay")),
    Spec("any other customer does", a.ON_SALE, replace(SIGN_FIN, himself="usr_9"), (a.BY_FAY,), a.by("fay")),
    Spec("each in his turn", a.ON_SALE, SIGN_GM, "step_out_of_order", a.by("gus")),
    Spec("the last one sells it", (*a.ON_SALE, a.BY_FAY), SIGN_GM, (a.BY_GUS, a.SOLD), a.by("gus")),
    Spec("or says no", a.ON_SALE, replace(SIGN_FIN, refused="price_too_low"), (a.NO,), a.by("fay")),
    Spec("once", (*a.ON_SALE, a.NO), replace(SIGN_FIN, refused="price_too_low"), (), a.by("fay")),
    Spec("nothing is signed that is not proposed", (a.TAKEN,), SIGN_FIN, "no_disposal", a.by("fay")),
    Spec("on its last day", a.ON_SALE, SIGN_FIN, (replace(a.BY_FAY, signed_on=a.SIGN_UNTIL),), a.by("fay", a.SIGN_UNTIL)),
    Spec("and not after it", a.ON_SALE, SIGN_FIN, "disposal_expired", a.by("fay", days(a.SIGN_UNTIL, 1))),
    Spec("nor refused", a.ON_SALE, replace(SIGN_FIN, refused="price_too_low"), "disposal_expired", a.by("fay", days(a.SIGN_UNTIL, 1))),
    Spec("one that is old has no last day", (a.TAKEN, OLD), SIGN_FIN, (replace(a.BY_FAY, signed_on=date(2024, 6, 1)),), a.by("fay", date(2024, 6, 1))),
    Spec("what has expired is not signed", (*a.ON_SALE, a.EXPIRED), SIGN_FIN, "no_disposal", a.by("fay", days(a.SIGN_UNTIL, 1))),
    Spec("nor proposed again", (*a.ON_SALE, a.EXPIRED), a.PROPOSE, (), STAFF),
    Spec("but anew", (*a.ON_SALE, a.EXPIRED), replace(a.PROPOSE, disposal_id="dsp_2"), (replace(a.PROPOSED, disposal_id="dsp_2"),), STAFF),
    Spec("its price is shared", a.SIGNED, a.RECORD, (a.DISPOSED,), on(a.DAY)),
    Spec("once", (*a.SIGNED, a.DISPOSED), a.RECORD, (), on(a.DAY)),
    Spec("not before all have signed", a.ON_SALE, a.RECORD, "no_disposal", on(a.DAY)),
    Spec("not paid, it is kept", a.SIGNED, a.DECLINE, (a.UNPAID,), on(a.DAY)),
    Spec("once", (*a.SIGNED, a.UNPAID), a.DECLINE, (), on(a.DAY)),
    Spec("nothing that is not there is declined", (), a.DECLINE, "unknown_asset", on(a.DAY)),
]  # fmt: skip


@pytest.mark.parametrize("row", LOAN_SPECS, ids=lambda row: row.says)
def test_a_debt_is_settled_in_kind(row: Spec) -> None:
    """Whole events, and each refusal by its name."""
    check_applied(row)
    if isinstance(row.then, str):
        assert f"`{row.then}`" in (type(row.when).__doc__ or "")


@pytest.mark.parametrize("row", ASSET_SPECS, ids=lambda row: row.says)
def test_an_asset_is_kept_and_sold(row: Spec) -> None:
    """Whole events, and each refusal by its name."""
    row.check(a.ASSET)
    if isinstance(row.then, str):
        assert f"`{row.then}`" in (type(row.when).__doc__ or "")


@pytest.mark.parametrize("row", GUARANTOR_SPECS, ids=lambda row: row.says)
def test_a_guarantor_is_asked_before_a_thing_is_taken(row: Spec) -> None:
    """As long as he could pay: each reason for which not by its name."""
    check_applied(row)
    assert f"`{row.then}`" in (CarryOutMeasure.__doc__ or "")


def test_a_guarantor_who_cannot_pay_keeps_no_holder_from_a_thing() -> None:
    """His account had less than was asked for: the holders have nothing of him, so the lorry is taken, and he stands in for what is left of the
    debt and no more."""
    assert isinstance(given(LOAN, *IN_VAIN).when(EXAMINE, on(g.DAY)).events[0], MeasureExamined)
    outcome = given(LOAN, *IN_VAIN).when(a.carry_out(), on(g.DAY))
    (settled,) = [event for event in outcome.events if isinstance(event, DebtSettledInKind)]
    assert (settled.guarantor, settled.principal_after_fen) == ("gua_g", 66_998 + 503)
    (reduce,) = [send for send in on_repayment(recorded(settled)) if send.stream_id == "gua_g"]
    assert reduce.command == ReduceGuarantee(guarantor="gua_g", loan_id="loan_7", left_fen=67_501)


def test_who_has_paid_for_all_of_it_is_given_the_thing_as_any_holder() -> None:
    """He stands in for nothing any more: all of the lorry is his share, and none of it the platform's."""
    outcome = given(LOAN, *ALL_HIS).when(a.carry_out(), on(g.DAY))
    (settled,) = [event for event in outcome.events if isinstance(event, DebtSettledInKind)]
    assert [(each.investor, each.amount_fen) for each in settled.shares] == [("usr_g", 34_002)]


def test_a_correction_asks_no_guarantor_again() -> None:
    """A replay does not know what his account once said; what was agreed then was agreed."""
    state = fold(LOAN, g.LATE)
    assert settled_in_kind(DEMO, "msr_1", a.LORRY, state, g.DAY)


def test_more_than_the_debt_ends_the_loan_and_its_excess_is_named() -> None:
    """A flat of 200,000 settles all that settles the loan that day; claims and debt are nothing, and the rest is named."""
    _, settled, repaid = in_time(given(LOAN, *a.LATE).when(a.carry_out(a.FLAT), on(a.DAY))).events
    assert repaid == a.REPAID
    assert settled.principal_after_fen == settled.overdue_after_fen == 0
    assert settled.settled_fen + settled.excess_fen == 200_000
    assert sum(share.amount_fen for share in settled.shares) == settled.settled_fen
    state = fold(LOAN, (*a.LATE, settled, repaid))
    assert [claim.principal_fen for claim in state.last.claims] == [0, 0, 0]
    assert state.last.weights == (50_000, 30_000, 20_000)


def test_claims_are_less_by_the_same_principal_and_no_correction_replays_it() -> None:
    """What its holders are owed is what is outstanding; the loan says that it was settled in kind."""
    state = fold(LOAN, (*a.LATE, a.SETTLED))
    assert isinstance(state, Running)
    assert sum(claim.principal_fen for claim in state.claims) == state.book.outstanding_fen == 66_998
    assert state.trouble.in_kind


def test_its_lenders_are_asked_unless_their_contract_says_it() -> None:
    """The same clause and the same vote as of a write-off (A23)."""
    examine = ExamineMeasure(measure_id="msr_1", terms=a.LORRY)
    (asked,) = given(LOAN, *a.LATE).when(examine, on(a.DAY)).events
    assert (asked.mandate, len(asked.voters)) == ("vote", 3)
    clause = RepaymentTerms(
        method="equal_instalments", mandate=MandateClause(measures=("settlement_in_kind",))
    )
    agreed = (amended(OPENED, repayment=clause), *a.LATE[1:])
    (asked,) = given(LOAN, *agreed).when(examine, on(a.DAY)).events
    assert (asked.mandate, asked.voters) == ("clause", ())


def test_its_terms_end_by_the_day() -> None:
    """A quarter without a count is missed at its day's end, again and again; its term once; and what is counted is not missed."""
    quarter = Wake(business_date=days(a.DAY, 92), phase=4)
    given(a.ASSET, a.TAKEN).when(quarter, on(quarter.business_date)).then(a.MISSED)
    given(a.ASSET, a.TAKEN, a.MISSED).when(quarter, on(quarter.business_date)).then_nothing()
    early = Wake(business_date=days(a.DAY, 91), phase=4)
    given(a.ASSET, a.TAKEN).when(early, on(early.business_date)).then_nothing()
    recent = replace(a.COUNTED, next_due_on=date(2025, 4, 1))
    last = Wake(business_date=date(2025, 3, 15), phase=4)
    given(a.ASSET, a.TAKEN, recent).when(last, on(last.business_date)).then(a.OVERDUE)
    next_day = Wake(business_date=date(2025, 3, 16), phase=2)  # for one that was taken late on its last day
    given(a.ASSET, a.TAKEN, recent).when(next_day, on(next_day.business_date)).then(a.OVERDUE)
    in_time = replace(next_day, business_date=date(2025, 3, 15))
    given(a.ASSET, a.TAKEN, recent).when(in_time, on(in_time.business_date)).then_nothing()
    given(a.ASSET, a.TAKEN, recent, a.OVERDUE).when(last, on(last.business_date)).then_nothing()


def test_a_sale_that_nobody_signs_comes_to_nothing() -> None:
    """At the end of its last day, by the day; not one that is signed and waits for its money, nor one from before they had a last day."""
    last = Wake(business_date=a.SIGN_UNTIL, phase=4)
    for signed in ((), (a.BY_FAY,)):
        given(a.ASSET, *a.ON_SALE, *signed).when(last, on(a.SIGN_UNTIL)).then(a.EXPIRED)
    given(a.ASSET, *a.ON_SALE, a.EXPIRED).when(last, on(a.SIGN_UNTIL)).then_nothing()
    given(a.ASSET, *a.SIGNED).when(last, on(a.SIGN_UNTIL)).then_nothing()
    given(a.ASSET, a.TAKEN, OLD).when(last, on(a.SIGN_UNTIL)).then_nothing()
    before = Wake(business_date=days(a.SIGN_UNTIL, -1), phase=4)
    given(a.ASSET, *a.ON_SALE).when(before, on(before.business_date)).then_nothing()
    assert a.ASSET.wake_on(fold(a.ASSET, a.ON_SALE)) == (a.SIGN_UNTIL, 4)
    assert a.ASSET.wake_on(fold(a.ASSET, a.SIGNED)) == (days(a.DAY, 92), 4)


@pytest.mark.parametrize(
    ("terms", "last"),
    [
        (a.LORRY, date(2025, 3, 15)),
        (a.FLAT, date(2026, 3, 15)),
        (replace(a.FLAT, asset="shares", acquired_on=FIRST_DUE), date(2026, 2, 28)),
        (RIGHTS, date(2024, 9, 1)),
        (replace(RIGHTS, valid_to=date(2030, 1, 1)), date(2026, 3, 15)),
    ],
)
def test_how_long_it_may_be_kept(terms: object, last: date) -> None:
    """Two years, one for movables, and no right beyond its validity (Ministry of Finance 2005 no. 53, art. 18)."""
    assert dispose_by(terms) == last  # type: ignore[arg-type]


@pytest.mark.parametrize("price_fen", [1_000, 1_001, 34_001, 35_002, 50_001])
@pytest.mark.parametrize("to_debtor", [True, False])
def test_every_fen_of_a_price_has_somebody(price_fen: int, to_debtor: bool) -> None:
    """Cost first, then holders up to their shares, then the debtor where agreed; else all of the rest is the holders'."""
    terms = replace(a.LORRY, remainder_to_debtor=to_debtor)
    state = fold(a.ASSET, (replace(a.TAKEN, terms=terms), replace(a.PROPOSED, price_fen=price_fen)))
    assert isinstance(state, Kept)
    assert state.disposal is not None
    lines = proceeds_of(state.asset, state.disposal)
    got = {
        part: sum(line.amount_fen for line in lines if line.part == part)
        for part in ("cost", "holder", "debtor")
    }
    over = max(0, price_fen - 1_000 - 34_002) if to_debtor else 0
    assert got == {"cost": 1_000, "holder": price_fen - 1_000 - over, "debtor": over}
    assert sum(line.principal_fen for line in lines) == 33_002


def test_a_share_in_an_asset_is_not_for_sale() -> None:
    """What took the place of a claim is no claim: an offer of it is refused by name. What is left of the claim is sold as ever, and the
    share stays with whoever gave the debt up for it."""
    whole = given(LOAN, *a.LATE).when(a.carry_out(a.FLAT), context(a.DAY))
    offer = ReserveClaim(
        offer_id="offer_9", claim_id="clm_7_1", seller="usr_1", principal_fen=None, value_date=a.DAY
    )
    given(LOAN, *a.LATE, *whole.events).when(offer, context(a.DAY)).then_refused("share_not_for_sale")
    nothing = tuple(replace(each, principal_fen=0) for each in a.SHARES)
    none_left = replace(a.SETTLED, shares=(replace(a.SHARES[0], principal_fen=50_000), *nothing[1:]))
    given(LOAN, *a.LATE, none_left).when(offer, context(a.DAY)).then_refused("share_not_for_sale")
    rest = given(LOAN, *a.LATE, a.SETTLED).when(offer, context(a.DAY))
    assert [event.principal_fen for event in rest.events] == [33_499]
    given(LOAN, *a.LATE, a.SETTLED, *rest.events).when(offer, context(a.DAY)).then_nothing()
    assert a.SETTLED.shares[0].investor == "usr_1"
