"""An emergency redemption needs evidence, four people in order, a fifth who releases, a buyer and a deadline; each by its name."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

import services.bidding.domain.offer as offer
import services.bidding.domain.redemption as redemption
from libs.events.deciding import Wake
from libs.events.working_days import CHINA, working_day_after, working_days_to
from services.bidding.domain.profile import CN_P2P_2016
from services.bidding.domain.redemption_state import STEPS
from tests.unit.bidding import redemption_story as s
from tests.unit.bidding.redemption_story import (
    APPROVALS,
    APPROVED,
    ASK,
    ASKED,
    COMPLETE,
    COMPLETED,
    CONFIRM,
    CONFIRMED,
    DEADLINE,
    DECLINE,
    DECLINED,
    EXPIRED,
    EXPIRED_ON,
    FOR_SALE,
    IN_WORK,
    NOT_RELEASED,
    OPENED_ON,
    REFUSED,
    RELEASE,
    RELEASED,
    SIGNERS,
    SOLD,
    SOLD_TO_DEE,
    STANDS,
    UNSOLD,
    approved,
    lapsed,
    no_evidence,
    sign,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.given import TODAY, given

REDEMPTION = redemption.aggregate(CN_P2P_2016)
OFFER = offer.aggregate(CN_P2P_2016)
ANN = on(principal="usr_ann")
MIA, DENG, CAS = (on(principal=SIGNERS[step]) for step in ("market_specialist", "department_head", "release"))
FIRST, SECOND = sign("market_specialist"), sign("department_head")
AFTER = DEADLINE + timedelta(days=1)
NO = sign("department_head", refused="not_proven")
#: Fifteen working days of China later the year is over, up to whose end its calendar is published; or it is not over yet.
LAST_KNOWN, TOO_LATE = date(2026, 12, 10), date(2026, 12, 11)
NO_SALE = replace(RELEASE, refused="not_proven")
REFUSED_BY_DENG = (*IN_WORK, APPROVALS[0], REFUSED)
OVER = Wake(business_date=DEADLINE, phase=1)

#: Of a claim that is larger, 900 yuan were offered.
OF_A_PART = (replace(s.WANTED, principal_fen=900_00), s.IN_THE_BOOK, EXPIRED)

UNSOLD_SPECS = [
    Spec("an offer that stayed unsold says so", (*STANDS, EXPIRED), CONFIRM, (CONFIRMED,)),
    Spec("each time again", (*STANDS, EXPIRED, CONFIRMED), CONFIRM, (CONFIRMED,)),
    Spec("also one that was withdrawn after as long", (*STANDS, s.WITHDRAWN), CONFIRM, (CONFIRMED,)),
    Spec("not one that stands", STANDS, CONFIRM, (no_evidence("offer_open"),)),
    Spec("nor one that is taken", (*STANDS, s.TAKEN), CONFIRM, (no_evidence("offer_open"),)),
    Spec("nor one that was sold", (*STANDS, s.TAKEN, s.settled()), CONFIRM, (no_evidence("offer_sold"),)),
    Spec("nor one that its loan ended", (*STANDS, s.CLOSED), CONFIRM, (no_evidence("offer_closed"),)),
    Spec(
        "nor one by which a redemption was to be sold",
        tuple(replace(event, redemption_id="rdm_0") for event in (*STANDS, EXPIRED)),
        CONFIRM,
        (no_evidence("offer_of_redemption"),),
    ),
    Spec(
        "nor one that stood for two working days",
        (*STANDS, replace(EXPIRED, expired_on=EXPIRED_ON - timedelta(days=1))),
        CONFIRM,
        (no_evidence("offered_too_short"),),
    ),
    Spec("ten working days later it still is", (*STANDS, EXPIRED), CONFIRM, (CONFIRMED,), on(date(2024, 3, 28))),
    Spec("not eleven", (*STANDS, EXPIRED), CONFIRM, (no_evidence("offered_too_long_ago"),), on(date(2024, 3, 29))),
    Spec("of a part there was an offer", (*STANDS, EXPIRED), replace(CONFIRM, principal_fen=900_01), (CONFIRMED,)),
    Spec("as large as what is redeemed", OF_A_PART, replace(CONFIRM, principal_fen=900_00), (CONFIRMED,)),
    Spec("not larger", OF_A_PART, replace(CONFIRM, principal_fen=900_01), (no_evidence("offered_less"),)),
    Spec("nor of all", OF_A_PART, CONFIRM, (no_evidence("offered_less"),)),
    Spec("a stranger's does not exist", (*STANDS, EXPIRED), replace(CONFIRM, investor="usr_cem"), "unknown_offer"),
    Spec("nor does one that never was", (), CONFIRM, "unknown_offer"),
    Spec("nor one that its loan never let into the book", (s.WANTED,), CONFIRM, "unknown_offer"),
]  # fmt: skip

SPECS = [
    Spec("a lender asks", (), ASK, (ASKED,), ANN),
    Spec("once", (ASKED,), ASK, (), ANN),
    Spec("however far it has come", FOR_SALE, ASK, (), ANN),
    Spec("on one form", (ASKED,), replace(ASK, reason="other"), "redemption_exists", ANN),
    Spec("which names an offer", (), replace(ASK, offer_id="clm_1_1"), "unknown_offer", ANN),
    Spec("at a price of the band", (), replace(ASK, price_permille=899), "invalid_price", ANN),
    Spec("who is a customer", (), ASK, "invalid_owner", on(principal="stf_ann")),
    Spec("to a day that is published", (), ASK, (replace(ASKED, asked_on=LAST_KNOWN),), on(LAST_KNOWN, "usr_ann")),
    Spec("and to no other", (), ASK, "calendar_ends", on(TOO_LATE, "usr_ann")),
    Spec("the clock ends with the calendar", (ASKED,), COMPLETE, (replace(COMPLETED, completed_on=LAST_KNOWN, deadline=date(2026, 12, 31)),), on(LAST_KNOWN)),
    Spec("or does not start", (ASKED,), COMPLETE, (replace(DECLINED, code="calendar_ends", declined_on=TOO_LATE),), on(TOO_LATE)),
    Spec("the offer stayed unsold: the clock runs", (ASKED,), COMPLETE, (COMPLETED,), on()),
    Spec("once", IN_WORK, COMPLETE, (), on()),
    Spec("nothing asked, nothing complete", (), COMPLETE, "unknown_redemption", on()),
    Spec("it did not", (ASKED,), DECLINE, (DECLINED,), on()),
    Spec("once", (ASKED, DECLINED), DECLINE, (), on()),
    Spec("nothing asked, nothing declined", (), DECLINE, "unknown_redemption", on()),
    Spec("the first post approves", IN_WORK, FIRST, (APPROVALS[0],), MIA),
    Spec("once", (*IN_WORK, APPROVALS[0]), FIRST, (), MIA),
    Spec("not again by another", (*IN_WORK, APPROVALS[0]), FIRST, "step_signed", DENG),
    Spec("nor otherwise", (*IN_WORK, APPROVALS[0]), replace(FIRST, refused="late"), "step_signed", MIA),
    Spec("the second after it", (*IN_WORK, APPROVALS[0]), SECOND, (APPROVALS[1],), DENG),
    Spec("not before it", IN_WORK, SECOND, "step_out_of_order", DENG),
    Spec("nor by the same person", (*IN_WORK, APPROVALS[0]), SECOND, "forbidden_second_signature", MIA),
    Spec("nor by a customer", IN_WORK, FIRST, "forbidden_not_staff", on(principal="usr_mia")),
    Spec("nor for himself", IN_WORK, replace(FIRST, himself="usr_ann"), "forbidden_holder", MIA),
    Spec("as another customer he may", IN_WORK, replace(FIRST, himself="usr_mia"), (APPROVALS[0],), MIA),
    Spec("not before the form is complete", (ASKED,), FIRST, "form_incomplete", MIA),
    Spec("nor when nobody asked", (), FIRST, "unknown_redemption", MIA),
    Spec("the clock is told", IN_WORK, FIRST, (approved("market_specialist", DEADLINE, 0),), on(DEADLINE, "stf_mia")),
    Spec("and holds", IN_WORK, FIRST, "deadline_passed", on(AFTER, "stf_mia")),
    Spec("a refusal ends it", (*IN_WORK, APPROVALS[0]), NO, (REFUSED,), DENG),
    Spec("once", REFUSED_BY_DENG, NO, (), DENG),
    Spec("he does not approve it then", REFUSED_BY_DENG, SECOND, "redemption_ended", DENG),
    Spec("nor does the next post", REFUSED_BY_DENG, sign("branch_general_manager"), "redemption_ended", on(principal="stf_bo")),
    Spec("whoever signed before has signed", REFUSED_BY_DENG, FIRST, (), MIA),
    Spec("a cashier releases the sale", APPROVED, RELEASE, (RELEASED,), CAS),
    Spec("once", FOR_SALE, RELEASE, (), CAS),
    Spec("not again by another", FOR_SALE, RELEASE, "step_signed", on(principal="stf_cid")),
    Spec("not before four have approved", (*IN_WORK, *APPROVALS[:3]), RELEASE, "step_out_of_order", CAS),
    Spec("nor one of the four", APPROVED, RELEASE, "forbidden_second_signature", DENG),
    Spec("nor for himself", APPROVED, replace(RELEASE, himself="usr_ann"), "forbidden_holder", CAS),
    Spec("nor after its deadline", APPROVED, RELEASE, "deadline_passed", on(AFTER, "stf_cas")),
    Spec("nor what was refused", REFUSED_BY_DENG, RELEASE, "redemption_ended", CAS),
    Spec("or refuses to, which ends it", APPROVED, NO_SALE, (NOT_RELEASED,), CAS),
    Spec("once", (*APPROVED, NOT_RELEASED), NO_SALE, (), CAS),
    Spec("he does not release it then", (*APPROVED, NOT_RELEASED), RELEASE, "redemption_ended", CAS),
    Spec("nor refuses what he has released", FOR_SALE, NO_SALE, "step_signed", CAS),
    Spec("nor before his turn", IN_WORK, NO_SALE, "step_out_of_order", CAS),
    Spec("nor about himself", APPROVED, replace(NO_SALE, himself="usr_ann"), "forbidden_holder", CAS),
    Spec("it is sold", FOR_SALE, SOLD_TO_DEE, (SOLD,), on(AFTER)),
    Spec("once", (*FOR_SALE, SOLD), SOLD_TO_DEE, (), on(AFTER)),
    Spec("not before it was released", APPROVED, SOLD_TO_DEE, "redemption_not_released", on()),
    Spec("nor when nobody asked", (), SOLD_TO_DEE, "unknown_redemption", on()),
    Spec("nobody buys", FOR_SALE, UNSOLD, (lapsed("sale", "sale_expired", DEADLINE),), on(DEADLINE)),
    Spec("once", (*FOR_SALE, lapsed("sale", "sale_expired")), UNSOLD, (), on()),
    Spec("not after it was sold", (*FOR_SALE, SOLD), UNSOLD, (), on()),
    Spec("nor before it was released", (ASKED,), UNSOLD, "redemption_not_released", on()),
    Spec("nor when nobody asked", (), UNSOLD, "unknown_redemption", on()),
    Spec("the deadline ends what waits", IN_WORK, OVER, (lapsed("market_specialist", "deadline_passed", DEADLINE),), on(DEADLINE)),
    Spec("at whatever step", APPROVED, OVER, (lapsed("release", "deadline_passed", DEADLINE),), on(DEADLINE)),
    Spec("not a day before", IN_WORK, replace(OVER, business_date=DEADLINE - timedelta(days=1)), (), on()),
    Spec("what is for sale ends with its offer", FOR_SALE, OVER, (), on(DEADLINE)),
]  # fmt: skip


@pytest.mark.parametrize("spec", UNSOLD_SPECS, ids=lambda spec: spec.says)
def test_evidence(spec: Spec) -> None:
    """Each answer of an offer that is asked whether it stayed unsold, in a sentence."""
    spec.check(OFFER)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_redemption(spec: Spec) -> None:
    """Each rule of a redemption from its form to its end, in a sentence."""
    spec.check(REDEMPTION)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_another_person_and_none_is_skipped(step: str) -> None:
    """Whoever signed any step signs no other; and a step is signed in its turn alone."""
    before = STEPS[: STEPS.index(step)]
    history = (*IN_WORK, *APPROVALS[: len(before)])
    for other in STEPS:
        command = RELEASE if other == "release" else sign(other)
        outcome = given(REDEMPTION, *history).when(command, on(principal="stf_new"))
        if other == step:
            assert len(outcome.events) == 1
        else:
            outcome.then_refused("step_signed" if other in before else "step_out_of_order")
        for signer in before:
            if other not in before:
                again = given(REDEMPTION, *history).when(command, on(principal=SIGNERS[signer]))
                again.then_refused("forbidden_second_signature")


def test_working_days_are_the_law_s() -> None:
    """Fifteen of them from the complete form: Qingming does not count, the Sunday worked instead does; and they count down to 0."""
    assert working_day_after(CHINA, TODAY, 15) == DEADLINE
    assert working_days_to(CHINA, TODAY, DEADLINE) == 15
    assert working_days_to(CHINA, date(2024, 4, 3), DEADLINE) == 2
    assert working_days_to(CHINA, DEADLINE, DEADLINE) == 0
    assert working_days_to(CHINA, AFTER, DEADLINE) == 0
    assert working_days_to(CHINA, OPENED_ON, EXPIRED_ON) == CN_P2P_2016.unsold_days
