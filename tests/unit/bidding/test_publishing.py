"""Nothing is published before a second person has read what investors will read; then it opens, at once or on its day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

import services.bidding.domain.disclosure as disclosure
from libs.events.bidding import ListingRefused
from libs.events.deciding import Wake
from libs.events.fees import Fees, FeeTable, version_of
from libs.events.scheduling import ListingScheduled
from libs.events.wording import FORBIDDEN, forbidden_in, lawful
from services.bidding.commands import CheckListing
from services.bidding.domain.listing import aggregate
from services.bidding.domain.profile import CN_P2P_2016, DEMO, Profile
from services.bidding.projections.listings import VIEW as LISTINGS
from services.onboarding.domain.products import SEASONAL
from tests.unit.bidding.listing_story import (
    BID_BACK,
    EXPIRED,
    FIRST,
    LAWFUL,
    OPENED,
    PACK,
    PACK_HASH,
    PACK_TEXT,
    PREPARED,
    PUBLISHED,
    TAKE_BACK,
    WITHDRAW,
    accepted,
    checked,
    open_listing,
    opened,
    taken_back,
    turned_down_by,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.documents import documents, history
from tests.unit.given import TODAY, given

LAW = aggregate(CN_P2P_2016)
LIA = on(principal="stf_lia")
APPROVE = CheckListing(verdict="approve", content_hash=PACK_HASH)
REJECT = replace(APPROVE, verdict="reject")
IN_3_DAYS = TODAY + timedelta(days=3)
LATE = on(PREPARED.check_by + timedelta(days=1), "stf_lia")
LATER = replace(APPROVE, opens_on=IN_3_DAYS)
WAITS = (PREPARED, checked(opens_on=IN_3_DAYS))
OPEN = (PREPARED, checked(), PUBLISHED)
#: The purpose of the listing here is forbidden from a day on which it has not opened yet.
BANNED = ((date.min, ("stocks",)), (IN_3_DAYS, ("stocks", "renovation")))
ASK = open_listing(**LAWFUL)


def refused(code: str) -> ListingRefused:
    """A listing that was prepared is not published."""
    return replace(turned_down_by(code), content_hash=PACK_HASH, listing_id="lst_1")


def asked(**changed: Any) -> Any:
    """The application with other terms."""
    return open_listing(**(LAWFUL | changed))


SPECS = [
    Spec("an application's listing is prepared", (), ASK, (PREPARED,), on()),
    Spec("once", (PREPARED,), ASK, (), on()),
    Spec("however far it has come", OPEN, ASK, (), on()),
    Spec(
        "no loan is listed for what is forbidden",
        (),
        asked(purpose="stocks"),
        (turned_down_by("forbidden_purpose"),),
        on(),
    ),
    Spec(
        "nor for a fee that is not published",
        (),
        asked(origination_fee_fen=1_99),
        (turned_down_by("fee_not_published"),),
        on(),
    ),
    Spec(
        "nor one on interest",
        (),
        asked(interest_fee_permille=99),
        (turned_down_by("fee_not_published"),),
        on(),
    ),
    Spec(
        "nor a product without a row",
        (),
        asked(product="personal"),
        (turned_down_by("fee_not_published"),),
        on(),
    ),
    Spec(
        "nor one whose codes promise what nobody can keep",
        (),
        asked(region="zero-risk"),
        (turned_down_by("forbidden_words"),),
        on(),
    ),
    Spec("a second person lets it be published", (PREPARED,), APPROVE, (checked(), PUBLISHED), LIA),
    Spec("once", OPEN, APPROVE, (), LIA),
    Spec("it was approved", OPEN, REJECT, "listing_checked", LIA),
    Spec(
        "or does not",
        (PREPARED,),
        REJECT,
        (checked("reject"), refused("check_rejected")),
        LIA,
    ),
    Spec("once, too", (PREPARED, checked("reject"), refused("check_rejected")), REJECT, (), LIA),
    Spec(
        "it was rejected",
        (PREPARED, checked("reject"), refused("check_rejected")),
        APPROVE,
        "listing_checked",
        LIA,
    ),
    Spec("who prepared it does not", (PREPARED,), APPROVE, "forbidden_same_person", on(principal="stf_leo")),
    Spec(
        "nor does the borrower himself",
        (PREPARED,),
        replace(APPROVE, himself="usr_bea"),
        "forbidden_borrower",
        on(principal="stf_liz"),
    ),
    Spec("nor does the borrower's owner", (PREPARED,), APPROVE, "forbidden_owner", on(principal="stf_own")),
    Spec("nor a customer", (PREPARED,), APPROVE, "forbidden_not_staff", on(principal="usr_lia")),
    Spec(
        "who has read another text has not read this",
        (PREPARED,),
        replace(APPROVE, content_hash="0" * 64),
        "text_differs",
        LIA,
    ),
    Spec("nothing to read, nothing to check", (), APPROVE, "unknown_listing", LIA),
    Spec(
        "nor what was taken back meanwhile: it is not published",
        (PREPARED, replace(taken_back("borrower", "borrower_withdrew"), application_id="app_1")),
        APPROVE,
        "listing_ended",
        LIA,
    ),
    Spec(
        "the last day that may be chosen",
        (PREPARED,),
        replace(APPROVE, opens_on=TODAY + timedelta(days=30)),
        (checked(opens_on=TODAY + timedelta(days=30)),),
        LIA,
    ),
    Spec("it may open on a day to come", (PREPARED,), LATER, WAITS[1:], LIA),
    Spec("today is now", (PREPARED,), replace(APPROVE, opens_on=TODAY), (checked(), PUBLISHED), LIA),
    Spec(
        "a day that is over is none",
        (PREPARED,),
        replace(APPROVE, opens_on=TODAY - timedelta(days=1)),
        "invalid_opening",
        LIA,
    ),
    Spec(
        "nor is one in the far future",
        (PREPARED,),
        replace(APPROVE, opens_on=TODAY + timedelta(days=31)),
        "invalid_opening",
        LIA,
    ),
    Spec("it was scheduled", WAITS, REJECT, "listing_checked", LIA),
    Spec("once, too", WAITS, LATER, (), LIA),
    Spec(
        "it opens when the day before is closed, for its whole window",
        WAITS,
        Wake(business_date=IN_3_DAYS - timedelta(days=1), phase=1),
        (replace(PUBLISHED, closes_on=IN_3_DAYS + timedelta(days=4)),),
        on(IN_3_DAYS - timedelta(days=1)),
    ),
    Spec("not before", WAITS, Wake(business_date=TODAY, phase=1), (), on()),
    Spec(
        "what nobody looks at lapses",
        (PREPARED,),
        Wake(business_date=PREPARED.check_by, phase=1),
        (refused("check_lapsed"),),
        on(PREPARED.check_by),
    ),
    Spec("on its last day", (PREPARED,), Wake(business_date=TODAY, phase=1), (), on()),
    Spec("nor is it looked at late", (PREPARED,), APPROVE, "check_lapsed", LATE),
    Spec("either way", (PREPARED,), REJECT, "check_lapsed", LATE),
    Spec(
        "but on the last day",
        (PREPARED,),
        APPROVE,
        (checked(), replace(PUBLISHED, closes_on=PREPARED.check_by + timedelta(days=5))),
        on(PREPARED.check_by, "stf_lia"),
    ),
    Spec("nobody bids before it is open", (PREPARED,), FIRST, "unknown_listing", on()),
    Spec("nor while it waits for its day", WAITS, FIRST, "unknown_listing", on()),
    Spec("nor has bid", WAITS, BID_BACK, "unknown_listing", on(principal="usr_ann")),
    Spec(
        "the borrower takes it back before",
        (PREPARED,),
        WITHDRAW,
        (replace(taken_back("borrower", "borrower_withdrew"), application_id="app_1"),),
        on(principal="usr_bea"),
    ),
    Spec(
        "an operator, too",
        WAITS,
        TAKE_BACK,
        (replace(taken_back("operator", "duplicate"), application_id="app_1"),),
        on(principal="stf_ole"),
    ),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_publishing(spec: Spec) -> None:
    """Every rule of preparing, looking at, scheduling and lapsing holds."""
    spec.check(LAW)


def test_a_ceiling_that_came_down_while_it_waited_opens_nothing() -> None:
    """It is looked at on the day of the look, and for the day of the opening."""
    fallen = replace(CN_P2P_2016, rate_ceilings=((date.min, Decimal(1)), (IN_3_DAYS, Decimal("0.12"))))
    law = aggregate(fallen)
    given(law, PREPARED).when(APPROVE, LIA).then(checked(), PUBLISHED)
    given(law, PREPARED).when(APPROVE, on(IN_3_DAYS, "stf_lia")).then(checked(), refused("invalid_rate"))
    wake = Wake(business_date=IN_3_DAYS - timedelta(days=1), phase=1)
    given(law, *WAITS).when(wake, on(wake.business_date)).then(refused("invalid_rate"))


@pytest.mark.parametrize(
    ("law", "code"),
    [
        (replace(CN_P2P_2016, forbidden_purposes=BANNED), "forbidden_purpose"),
        (replace(CN_P2P_2016, staff_related="refused"), "related_to_staff"),
    ],
)
def test_what_the_law_forbids_by_the_day_of_its_opening_is_not_published(law: Profile, code: str) -> None:
    """What was lawful when it was prepared: looked at again at the look, and for the day of the opening."""
    told = replace(PACK, related_to_staff=True)
    text_hash = disclosure.hash_of(disclosure.text_of(told))
    prepared = replace(PREPARED, disclosure=told, content_hash=text_hash)
    looked, down = replace(checked(), content_hash=text_hash), replace(refused(code), content_hash=text_hash)
    approve = replace(APPROVE, content_hash=text_hash)
    changed = aggregate(law)
    given(changed, prepared).when(approve, on(IN_3_DAYS, "stf_lia")).then(looked, down)
    waits, wake = (
        replace(looked, opens_on=IN_3_DAYS),
        Wake(business_date=IN_3_DAYS - timedelta(days=1), phase=1),
    )
    given(changed, prepared, waits).when(wake, on(wake.business_date)).then(down)


def test_a_purpose_that_is_forbidden_by_its_day_opens_nothing_by_hand() -> None:
    """What an operator scheduled keeps its purpose in the log, and the view says that it was refused."""
    law = aggregate(replace(DEMO, forbidden_purposes=BANNED))
    ask = open_listing(opens_on=IN_3_DAYS, purpose="renovation")
    opening = opened(closes_on=IN_3_DAYS + timedelta(days=4))
    scheduled = ListingScheduled(
        listing_id="lst_1", loan_id="loan_1", opens_on=IN_3_DAYS, opening=opening, purpose="renovation"
    )
    given(law).when(ask, on()).then(scheduled)
    wake = Wake(business_date=IN_3_DAYS - timedelta(days=1), phase=1)
    down = replace(turned_down_by("forbidden_purpose"), application_id="", listing_id="lst_1")
    given(law, scheduled).when(wake, on(wake.business_date)).then(down)
    shown = documents(LISTINGS, history("lst_1", scheduled, down))["lst_1"]
    assert (shown["state"], shown["code"]) == ("refused", "forbidden_purpose")
    assert documents(LISTINGS, history("lst_1", replace(down, listing_id=""))) == {}


@pytest.mark.parametrize("days", [1, 5])
def test_a_window_is_as_many_whole_days_however_it_opens(days: int) -> None:
    """Opened now it has what is left of today besides; opened as a day begins it has that day as its first."""
    at_once = opened(closes_on=TODAY + timedelta(days=days))
    given(aggregate(DEMO)).when(open_listing(window_days=days), on()).then(at_once)
    given(aggregate(DEMO)).when(open_listing(window_days=days, opens_on=TODAY), on()).then(at_once)
    opening = opened(closes_on=IN_3_DAYS + timedelta(days=days - 1))
    scheduled = ListingScheduled(listing_id="lst_1", loan_id="loan_1", opens_on=IN_3_DAYS, opening=opening)
    given(aggregate(DEMO)).when(open_listing(window_days=days, opens_on=IN_3_DAYS), on()).then(scheduled)


def test_the_demo_publishes_at_once() -> None:
    """Nobody has to look, nothing is disclosed by hash, and any fee and purpose will do."""
    demo = aggregate(DEMO)
    given(demo).when(asked(purpose="stocks", origination_fee_fen=7), on()).then(
        opened(
            **{name: LAWFUL[name] for name in ("region", "owner", "related", "application_id", "product")}
            | {"origination_fee_fen": 7}
        )
    )
    given(demo, OPENED).when(APPROVE, LIA).then_nothing()
    given(demo, OPENED, replace(EXPIRED, bids=(accepted(1, FIRST),))).when(APPROVE, LIA).then_nothing()


def test_the_text_of_a_disclosure_is_never_edited() -> None:
    """Word for word what investors relied on: another wording has another hash, so it would be another version. It names nobody."""
    assert disclosure.text_of(PACK) == PACK_TEXT
    assert disclosure.hash_of(PACK_TEXT) == PACK_HASH
    assert PACK_HASH == "7f9ff155cb0b1bd26113b25d6b90ac8c2df919f38aa9b828d69cda9487461148"
    second = disclosure.hash_of(disclosure.text_of(replace(PACK, template=2)))
    assert second == "864df7c19e7235a5b43bcb45273479667a38b1b515de8a50941e87ab2e66b90c"
    first = disclosure.hash_of(disclosure.text_of(replace(PACK, template=1)))
    assert first == "ba9b4842c8d1df2f6f84b860e772990363f24610833cb1c8bc98473b2e53b3b0"
    assert "bea" not in PACK_TEXT
    unknown = replace(PACK, owes_fen=None, guarantor="gua_7", borrower_kind="")
    text = disclosure.text_of(unknown)
    assert "borrower: a borrower, " in text
    assert "loan: not known\n" in text
    assert "guarantor: gua_7\n" in text
    with pytest.raises(ValueError, match="no template 7"):
        disclosure.text_of(replace(PACK, template=7))


def test_a_disclosure_says_how_a_loan_is_repaid() -> None:
    """A loan that names its manner of repayment is told of by the sixth template, word for word from its snapshot."""
    seasonal = SEASONAL.repayments[0]
    assert (disclosure.template_of(None), disclosure.template_of(seasonal)) == (5, 6)
    third = disclosure.hash_of(disclosure.text_of(replace(PACK, template=3, repayment=seasonal)))
    assert third == "8cd10f9a19f7bec4f082a767ce6534a8387aeafff544245c3c215bf1f7bc059e"
    fourth = disclosure.hash_of(disclosure.text_of(replace(PACK, template=4, repayment=seasonal)))
    assert fourth == "6fc049afd622abce2deb66358ea11899e01dcde164ad8b1ba0340334d7e2bf45"
    text = disclosure.text_of(replace(PACK, template=6, repayment=seasonal))
    assert text.startswith("Loanstream disclosure, version 6\n")
    anyone = disclosure.text_of(replace(PACK, template=6, repayment=replace(seasonal, payer="anyone")))
    assert "paid by the borrower, or anyone for him\n" in anyone
    for said in (
        "paid by the borrower only\n",
        "interest runs by the day (act_360)\n",
        "no principal in the first 1 months, no interest in the first 1\n",
        "fee with each instalment 1 per mille of the amount, borne by the borrower\n",
        "open for bids for 5 whole days: a day that had begun when it opened is none of them\n",
    ):
        assert said in text


@pytest.mark.parametrize("word", FORBIDDEN)
def test_no_template_promises_what_nobody_can_keep(word: str) -> None:
    """One that does is refused when it is imported, in whatever case and however its words are joined."""
    for said in (word, word.upper(), word.replace(" ", "-"), word.replace(" ", "\n  ")):
        with pytest.raises(ValueError, match="no text of the platform may say"):
            lawful(f"Your money here is {said}, {{who}}.")
    assert forbidden_in("Whoever lends may lose all that he lent.") == ()


def test_fees_are_from_a_version_to_the_fen() -> None:
    """Half a fen is rounded up; the newest version that fits is named; a loan agreed on before keeps its older one."""
    old = FeeTable(1, date(2020, 1, 1), (Fees("consumer", 5, 100),))
    new = FeeTable(2, TODAY, (Fees("consumer", 5, 90),))
    terms: dict[str, Any] = {"product": "consumer", "amount_fen": 100, "interest_fee_permille": 100}
    assert version_of((new, old), origination_fee_fen=1, **terms) == 1
    assert version_of((new, old), origination_fee_fen=0, **terms) is None
    assert version_of((new, old), origination_fee_fen=1, **(terms | {"interest_fee_permille": 90})) == 2
    law = replace(CN_P2P_2016, fee_tables=(replace(old, fees=(Fees("consumer", 2, 100),)), new))
    assert law.fees_version(ASK, TODAY) == 1
    assert law.fees_version(ASK, date(2019, 12, 31)) == 0
    assert DEMO.fees_version(ASK, TODAY) == 0
