"""The contract of a loan and its certificates: written once, from its terms alone, in words that are never changed."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from libs.events.bidding import ClaimTerms, ContractIssued
from libs.events.codec import encode
from libs.events.topics import COMMAND_BYTES_MAX, DECISION_BYTES_MAX
from services.bidding.commands.papers import IssueContract
from services.bidding.domain import contract_text
from services.bidding.domain.contract import aggregate
from services.bidding.domain.ids import USER_SUFFIX_MAX
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.policies.papers import on_bidding
from services.onboarding.domain.products import BRIDGE, INSTALMENT_PLAN, SEASONAL, Product
from services.repayment.commands import OpenLoan
from services.repayment.domain.loan import loan_aggregate
from services.repayment.domain.profile import profile_named as repayment_profile
from tests.unit.bidding import listing_story as listing
from tests.unit.bidding.paper_story import (
    ANNS_OLD_HASH,
    ANNS_SECOND_HASH,
    BLANK_RECORDED,
    CONTRACT_VOID,
    ISSUE,
    ISSUED,
    LATE_BLANK,
    LAWFUL,
    OLD_HASH,
    RECORD_BLANK,
    SECOND_HASH,
    VOID_CONTRACT,
    issue,
)
from tests.unit.bidding.specs import Spec, on
from tests.unit.documents import recorded
from tests.unit.given import given

AGGREGATE = aggregate(DEMO)

#: What no text of the platform may say (domain.md section 9, processes.md 1.N); the same in Chinese would not be ASCII.
FORBIDDEN = (
    "guarantee[sd]? (the|your|a) (return|principal|interest)",
    "guaranteed",
    "principal[ -]protected",
    "zero[ -]risk",
    "no[ -]risk",
    "risk[ -]free",
    "capital[ -]protected",
    "保本",
    "保证收益",
    "零风险",
    "无风险",
    "稳赚",
)


def spec(says: str, given_events: tuple[object, ...], when: object, then: object) -> Spec:
    """A rule of the contract; a policy asks for it, so nobody is its principal."""
    return Spec(says, given_events, when, then, on())  # type: ignore[arg-type]


SPECS = [
    spec("collected money has its contract and each claim its certificate", (), ISSUE, (ISSUED,)),
    spec("a contract without a stated rate is not built", (), issue(annual_rate=None), "rate_missing"),
    spec("claims sum to the amount", (), issue(claims=listing.CLAIMS[:1]), "invalid_claims"),
    spec(
        "claims are distinct", (), issue(claims=listing.CLAIMS[:1] * 2, amount_fen=1_800_00), "invalid_claims"
    ),
    spec("a contract has a lender", (), issue(claims=()), "invalid_claims"),
    spec("a contract is of a loan", (), issue(loan_id="lst_1"), "invalid_loan"),
    spec("a contract is written once", (ISSUED,), ISSUE, ()),
    spec("a rate is the same however many zeros it has", (ISSUED,), issue(annual_rate=Decimal("0.120")), ()),
    spec(
        "a contract is never written anew", (ISSUED,), issue(annual_rate=Decimal("0.13")), "contract_exists"
    ),
    spec("a contract is void since its money moved", (ISSUED,), VOID_CONTRACT, (CONTRACT_VOID,)),
    spec("it is void once", (ISSUED, CONTRACT_VOID), VOID_CONTRACT, ()),
    spec("a contract knows the papers that it was signed on", (ISSUED,), RECORD_BLANK, (BLANK_RECORDED,)),
    spec("once each", (ISSUED, BLANK_RECORDED), RECORD_BLANK, ()),
    spec("before it is written, too", (), RECORD_BLANK, (BLANK_RECORDED,)),
    spec(
        "and says them when it is void",
        (BLANK_RECORDED, ISSUED),
        VOID_CONTRACT,
        (replace(CONTRACT_VOID, blanks=(RECORD_BLANK.blank,)),),
    ),
    spec(
        "or when they are told, if it is void by then", (ISSUED, CONTRACT_VOID), RECORD_BLANK, (LATE_BLANK,)
    ),
    spec(
        "it is void before it is written, where the last money is late", (), VOID_CONTRACT, (CONTRACT_VOID,)
    ),
    spec("a void contract is never written anew", (ISSUED, CONTRACT_VOID), ISSUE, ()),
]


@pytest.mark.parametrize("row", SPECS, ids=lambda row: row.says)
def test_the_contract(row: Spec) -> None:
    """Each rule of a contract, one row each."""
    row.check(AGGREGATE)


def test_deal_packs_are_due_where_the_law_of_the_profile_has_them() -> None:
    """Three working days after the funding on Monday the 18th; in the demo the certificate is all that a lender gets."""
    given(aggregate(CN_P2P_2016)).when(ISSUE, on()).then(LAWFUL)


def test_what_is_void_before_it_is_written_gets_no_papers() -> None:
    """The contract is there for who was to have it, void, and nobody is asked to make a pack of it."""
    law = given(aggregate(CN_P2P_2016), CONTRACT_VOID)
    law.when(ISSUE, on()).then(replace(LAWFUL, packs_due_on=None))
    given(aggregate(CN_P2P_2016), CONTRACT_VOID, ISSUED).when(VOID_CONTRACT, on()).then()


def test_the_guarantor_of_a_listing_stands_in_the_contract_and_seals() -> None:
    """From the collected loan to the contract to each claim's deal pack, which then has his seal among its steps."""
    [contract] = on_bidding(recorded(replace(listing.COLLECTED, guarantor="gua_1")))
    [issued] = given(aggregate(CN_P2P_2016)).when(contract.command, on()).events
    assert issued.guarantor == "gua_1"
    packs = on_bidding(recorded(issued))
    assert [pack.command.guarantor for pack in packs] == ["gua_1"] * len(issued.claims)


def test_one_lender_is_enough() -> None:
    """A loan that one investor has filled has a contract, with his certificate."""
    [issued] = given(AGGREGATE).when(issue(claims=listing.CLAIMS[:1], amount_fen=900_00), on()).events
    assert [claim.claim_id for claim in issued.claims] == ["clm_1_1"]
    assert "the 1 claims in annex 1" in contract_text.contract_text(issued, "ctr_1")


def test_what_was_issued_can_be_written_again_from_its_event() -> None:
    """The event alone gives the texts whose hashes it carries."""
    text = contract_text.contract_text(ISSUED, "ctr_1", ISSUED.version)
    assert contract_text.hash_of(text) == ISSUED.content_hash
    for claim in ISSUED.claims:
        again = contract_text.certificate_text(ISSUED, claim, "ctr_1", ISSUED.content_hash, ISSUED.version)
        assert contract_text.hash_of(again) == claim.certificate_hash
        assert f"{claim.principal_fen} fen of the 100050 fen" in again


def test_a_contract_of_an_earlier_release_reads_as_it_did() -> None:
    """Version 1 has no schedule, version 2 does not say who may pay: their texts have the hashes that they were issued with, and asking
    again writes nothing."""
    known = {1: (OLD_HASH, ANNS_OLD_HASH), 2: (SECOND_HASH, ANNS_SECOND_HASH)}
    for version, (content_hash, anns_hash) in known.items():
        text = contract_text.contract_text(ISSUED, "ctr_1", version)
        assert contract_text.hash_of(text) == content_hash
        old = contract_text.certificate_text(ISSUED, ISSUED.claims[0], "ctr_1", content_hash, version)
        assert contract_text.hash_of(old) == anns_hash
        given(AGGREGATE, replace(ISSUED, version=version, content_hash=content_hash)).when(ISSUE, on()).then()


@pytest.mark.parametrize(
    ("payer", "says"),
    [
        ("borrower", "behalf: nobody but himself.\n"),
        ("anyone", "behalf: anyone, whose payment then names him.\n"),
    ],
)
def test_the_contract_says_who_may_pay(payer: Any, says: str) -> None:
    """It is a term of the loan whose payments it takes (decision 19), so both sides read it."""
    repayment = replace(BRIDGE.repayments[0], payer=payer)
    assert says in contract_text.contract_text(replace(ISSUED, repayment=repayment), "ctr_1")


@pytest.mark.parametrize("product", [BRIDGE, SEASONAL, INSTALMENT_PLAN], ids=lambda product: product.code)
def test_the_contract_says_the_schedule_of_the_ledger(product: Product) -> None:
    """Each instalment of annex 2 is that of the loan which is opened on the same snapshot, to the day and the fen."""
    repayment = product.repayments[0]
    asked = issue(repayment=repayment, method=repayment.method)
    [written] = given(AGGREGATE).when(asked, on()).events
    assert (written.repayment, written.method) == (repayment, repayment.method)
    assert asked.annual_rate is not None
    opening = OpenLoan(
        loan_id="loan_1",
        listing_id="lst_1",
        borrower=asked.borrower,
        borrower_account="acc_bea",
        principal_fen=asked.amount_fen,
        annual_rate=asked.annual_rate,
        tenor_months=asked.tenor_months,
        grade=asked.grade,
        interest_fee_permille=asked.interest_fee_permille,
        funded_on=asked.funded_on,
        claims=asked.claims,
        repayment=repayment,
    )
    [opened] = given(loan_aggregate(repayment_profile("demo"))).when(opening, on()).events
    _, annex = contract_text.contract_text(written, "ctr_1").split("interest, fee)\n")
    assert annex.splitlines() == [
        f"{row.number}  {row.due_on}  {row.principal_fen}  {row.interest_fen}  {row.fee_fen}"
        for row in opened.rows
    ]


def test_a_version_that_a_release_lacks_is_named() -> None:
    """A text of a later template is not written in the words of another."""
    with pytest.raises(contract_text.UnknownVersion):
        contract_text.contract_text(ISSUED, "ctr_1", 4)


def test_the_contract_says_what_the_law_wants_of_it() -> None:
    """Amount, term, rate, repayment manner, default, both sides' duties, and the guarantor only where there is one."""
    text = contract_text.contract_text(ISSUED, "ctr_1")
    for needed in (
        "100050 fen",
        "12 months",
        "0.12 a year",
        "equal_instalments",
        "Default.",
        "tells the\n",
        "clm_1_1  usr_ann  90000 fen\n",
        "Guarantee. None.",
    ):
        assert needed in text
    company = contract_text.contract_text(replace(ISSUED, guarantor="gua_1"), "ctr_1")
    assert "Guarantee. By gua_1, an external company" in company


def test_no_template_says_what_is_forbidden() -> None:
    """No text promises a return or denies the risk, and each says that lending can lose."""
    for text in (
        contract_text.contract_text(ISSUED, "ctr_1"),
        contract_text.contract_text(replace(ISSUED, guarantor="gua_1"), "ctr_1"),
        contract_text.certificate_text(ISSUED, ISSUED.claims[0], "ctr_1", ISSUED.content_hash),
    ):
        assert text.isascii()
        assert "Lending can lose interest and principal. Nobody promises a return." in text
        for word in FORBIDDEN:
            assert re.search(word, text, re.IGNORECASE) is None, word


def test_the_longest_contract_fits_into_its_records() -> None:
    """A loan of 1,000 claims of people with the longest ids has a contract: its command and its event fit."""
    suffix, owner = "f" * 64, "f" * USER_SUFFIX_MAX
    claims = tuple(
        ClaimTerms(
            order=order,
            claim_id=f"clm_{suffix}_{order}",
            account_id=f"acc_{owner}",
            investor=f"usr_{owner}",
            principal_fen=8 * 10**11,
        )
        for order in range(1, 1001)
    )
    collected = replace(
        listing.COLLECTED,
        loan_id=f"loan_{suffix}",
        borrower=f"usr_{owner}",
        amount_fen=8 * 10**14,
        claims=claims,
    )
    [send] = on_bidding(recorded(collected, f"lst_{suffix}"))
    assert len(encode(IssueContract, send.command)) < COMMAND_BYTES_MAX - 8 * 1024
    outcome = given(AGGREGATE).when(send.command, on())
    assert len(encode(ContractIssued, outcome.events[0])) < DECISION_BYTES_MAX - 8 * 1024
    too_many = replace(
        send.command, claims=(*claims, replace(claims[0], claim_id="clm_1_1001")), amount_fen=8 * 10**14
    )
    given(AGGREGATE).when(too_many, on()).then_refused("invalid_claims")
