"""Blank contracts: printed, handed over and confirmed, signed once, returned in two copies, void, counted by one and explained by another."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.events.contract_stock import BlankSigned, Numbers
from services.bidding.commands.contract_stock import (
    CountContracts,
    ExplainDifference,
    HandOverContracts,
    ReturnContract,
    SignContract,
    TakeContracts,
    VoidContracts,
)
from services.bidding.domain.profile import CN_P2P_2016, DEMO
from services.bidding.domain.stock import aggregate
from services.bidding.projections.contract_stock import VIEW
from tests.unit.bidding.specs import Spec, on
from tests.unit.bidding.stock_story import (
    ABE,
    AT_BRANCH,
    EXPLAINED,
    ID,
    ISSUED,
    LOU,
    LOUS,
    MAX,
    MAXS,
    PRINTED,
    RETURNED,
    SIGNED,
    SIGNED_VOID,
    STOCK,
    TO_LOU,
    TO_MAX,
    USED,
    VOID,
    VOID_SIGNED,
    WRONG,
    ZOE,
    counted,
    numbers,
    offered,
    printing,
)
from tests.unit.documents import documents, history, nested
from tests.unit.given import TODAY, fold

LAW = aggregate(CN_P2P_2016)
APRIL = date(2024, 4, 2)


def spec(says: str, given: tuple[Any, ...], when: Any, then: Any, who: str, day: date = TODAY) -> Spec:
    """A rule of a stock, for whoever acts on a day."""
    return Spec(says, given, when, then, on(day, who))


def give(first: int, last: int, to: str) -> HandOverContracts:
    """Blanks for somebody."""
    return HandOverContracts(numbers=numbers(first, last), to=to)


def take(first: int, last: int) -> TakeContracts:
    """He has them."""
    return TakeContracts(numbers=numbers(first, last))


def sign(number: int = 1, loan_id: str = "loan_1") -> SignContract:
    """For a loan."""
    return SignContract(number=number, loan_id=loan_id)


def void(first: int, last: int, code: Any = "spoiled") -> VoidContracts:
    """They are void."""
    return VoidContracts(numbers=numbers(first, last), code=code)


def saw(*ranges: Numbers) -> CountContracts:
    """So much was seen."""
    return CountContracts(seen=ranges)


RIGHT, BACK = saw(numbers(2, 10)), ReturnContract(number=1, copies=2)
MISFILED = ExplainDifference(code="misfiled")
COUNTED, DIFFERS = (*USED, counted()), (*USED, WRONG)

PRINTING = [
    spec("headquarters prints a quota", (), printing(), (PRINTED,), ABE),
    spec("once", (PRINTED,), printing(), (), ABE),
    spec("on the same terms", (PRINTED,), printing(quota=20), "stock_exists", ABE),
    spec("staff does", (), printing(), "forbidden_not_staff", "usr_ann"),
    spec(
        "nothing is sold to lenders on paper", (), printing(party="lender"), "offline_selling_forbidden", ABE
    ),
    spec("of a branch", (), printing(branch="CN.31"), "invalid_branch", ABE),
    spec("of a month", (), printing(month=TODAY), "invalid_month", ABE),
    spec("not too many", (), printing(quota=201), "invalid_quota", ABE),
    spec("nor more for one than for all", (), printing(rep_quota=11), "invalid_quota", ABE),
]
MOVING = [
    spec("to the branch", (PRINTED,), give(1, 8, LOU), (TO_LOU,), ABE),
    spec("is offered once", (PRINTED, TO_LOU), give(1, 8, LOU), (), ABE),
    spec(
        "or to another, until it is taken",
        (PRINTED, TO_LOU),
        give(1, 8, ZOE),
        (offered(1, 8, ABE, ZOE, "branch"),),
        ABE,
    ),
    spec("there must be a stock", (), give(1, 8, LOU), "unknown_stock", ABE),
    spec("and such numbers", (PRINTED,), give(1, 11, LOU), "unknown_number", ABE),
    spec("in their order", (PRINTED,), give(8, 1, LOU), "unknown_number", ABE),
    spec("to staff", (PRINTED,), give(1, 8, "usr_ann"), "forbidden_not_staff", ABE),
    spec("of one's own", (PRINTED,), give(1, 8, MAX), "not_holder", LOU),
    spec("not what was taken", AT_BRANCH, give(1, 8, MAX), "not_holder", ABE),
    spec("to another", (PRINTED,), give(1, 8, ABE), "forbidden_second_signature", ABE),
    spec("nothing signed", USED, give(1, 2, ZOE), "contract_used", MAX),
    spec("the receiver takes it", (PRINTED, TO_LOU), take(1, 8), (LOUS,), LOU),
    spec("takes once", AT_BRANCH, take(1, 8), (), LOU),
    spec("nobody else takes", (PRINTED, TO_LOU), take(1, 8), "not_receiver", MAX),
    spec("nor more than is offered", (PRINTED, TO_LOU), take(1, 9), "not_receiver", LOU),
    spec("on to a representative", AT_BRANCH, give(1, 3, MAX), (TO_MAX,), LOU),
    spec("who takes them", (*AT_BRANCH, TO_MAX), take(1, 3), (MAXS,), MAX),
    spec("up to his quota", AT_BRANCH, give(1, 4, MAX), "quota_exceeded", LOU),
    spec("with what he had before", USED, give(4, 4, MAX), "quota_exceeded", LOU),
    spec(
        "however often it is offered",
        (*AT_BRANCH, TO_MAX, offered(4, 5, LOU, MAX, "rep"), MAXS),
        take(4, 5),
        "quota_exceeded",
        MAX,
    ),
    spec(
        "from one giver at a time",
        (*ISSUED, offered(3, 3, MAX, ZOE, "rep"), offered(4, 4, LOU, ZOE, "rep")),
        take(3, 4),
        "mixed_range",
        ZOE,
    ),
    spec("not while a count differs", DIFFERS, give(4, 4, ZOE), "difference_unexplained", LOU),
]
USING = [
    spec("a representative's blank is signed", ISSUED, sign(), (SIGNED,), MAX),
    spec("once for its loan", USED, sign(), (), MAX),
    spec("not for another", USED, sign(loan_id="loan_2"), "contract_used", MAX),
    spec("a loan has one", USED, sign(2), "loan_signed", MAX),
    spec("another's is not signed", ISSUED, sign(), "not_holder", ZOE),
    spec("nor the branch's", AT_BRANCH, sign(), "not_issued", LOU),
    spec(
        "nor what is given away", (*ISSUED, offered(1, 1, MAX, ZOE, "rep")), sign(), "contract_offered", MAX
    ),
    spec("for a loan", ISSUED, sign(loan_id="lst_1"), "invalid_loan", MAX),
    spec("the branch gets two copies", USED, BACK, (RETURNED,), LOU),
    spec("once only", (*USED, RETURNED), BACK, (), LOU),
    spec("not one", USED, ReturnContract(number=1, copies=1), "copies_missing", LOU),
    spec("nobody receives his own", USED, BACK, "forbidden_second_signature", MAX),
    spec("what is not signed stays out", ISSUED, BACK, "not_signed", LOU),
    spec("what is void, too", (*ISSUED, VOID), ReturnContract(number=2, copies=2), "contract_void", LOU),
    spec("a spoiled blank is void", ISSUED, void(2, 2), (VOID,), LOU),
    spec("is void once", (*ISSUED, VOID), void(2, 2), (), LOU),
    spec("a void one is not signed", (*ISSUED, VOID), sign(2), "contract_used", MAX),
    spec("a signed one is not void", USED, void(1, 2), "contract_used", LOU),
    spec("nor one's own", ISSUED, void(2, 2), "own_stock", MAX),
]
COUNTING = [
    spec("a count finds what should be there", USED, RIGHT, (counted(),), ZOE),
    spec("one count a month", COUNTED, RIGHT, (), ZOE),
    spec("and not otherwise", COUNTED, saw(numbers(2, 9)), "month_counted", ZOE),
    spec("what differs is named", USED, saw(*WRONG.seen), (WRONG,), ZOE),
    spec("nobody counts his own", USED, RIGHT, "own_stock", LOU),
    spec("ranges go up", USED, saw(Numbers(first=3, last=2)), "invalid_range", ZOE),
    spec("there are not so many", USED, saw(numbers(1, 1_001)), "invalid_count", ZOE),
    spec("the next month waits for the last", DIFFERS, RIGHT, "difference_unexplained", ZOE, APRIL),
    spec(
        "and is counted then",
        (*DIFFERS, EXPLAINED),
        RIGHT,
        (counted(month=date(2024, 4, 1)),),
        ZOE,
        APRIL,
    ),
    spec("another explains it", DIFFERS, MISFILED, (EXPLAINED,), ABE),
    spec("explained once", (*DIFFERS, EXPLAINED), MISFILED, (), ABE),
    spec(
        "and not otherwise explained",
        (*DIFFERS, EXPLAINED),
        ExplainDifference(code="lost"),
        "difference_explained",
        ABE,
    ),
    spec("who counted does not explain", DIFFERS, MISFILED, "forbidden_second_signature", ZOE),
    spec("what agrees is not explained", COUNTED, MISFILED, "nothing_to_explain", ABE),
]
VOIDING = [
    spec("of a void contract the paper is void", USED, VOID_SIGNED, (SIGNED_VOID,), "policy"),
    spec("once", (*USED, SIGNED_VOID), VOID_SIGNED, (), "policy"),
    spec("in the archive, too", (*USED, RETURNED), VOID_SIGNED, (SIGNED_VOID,), "policy"),
    spec("it still comes to the archive", (*USED, SIGNED_VOID), BACK, (RETURNED,), LOU),
    spec("and is signed for no other", (*USED, SIGNED_VOID), sign(loan_id="loan_2"), "contract_used", MAX),
    spec("another loan's is not", USED, replace(VOID_SIGNED, loan_id="loan_2"), "not_signed", "policy"),
    spec("nor what nobody signed", ISSUED, VOID_SIGNED, "not_signed", "policy"),
    spec("nor what was never printed", USED, replace(VOID_SIGNED, number=11), "unknown_number", "policy"),
    spec("of no stock", (), VOID_SIGNED, "unknown_stock", "policy"),
]
SPECS = [*PRINTING, *MOVING, *USING, *VOIDING, *COUNTING]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.says)
def test_blank_contracts(spec: Spec) -> None:
    """Every rule of blank contracts holds."""
    spec.check(LAW)


def test_where_the_law_allows_it_lenders_contracts_are_printed() -> None:
    """The demo's profile forbids nothing, and the two stocks of a month are two streams."""
    (printed,) = aggregate(DEMO).decide(printing(party="lender"), LAW.initial, on(TODAY, ABE))
    assert printed.stock_id == "stock_CN-31_202403_lender"


def test_what_is_remembered_stays_small() -> None:
    """Numbers that share a fate are one run again, whatever way each of them went."""
    assert [(lot.first, lot.last) for lot in fold(LAW, ISSUED).lots] == [(1, 3), (4, 8), (9, 10)]
    assert [(lot.first, lot.last) for lot in fold(LAW, (*USED, VOID)).lots] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 8),
        (9, 10),
    ]
    split = (*AT_BRANCH, offered(1, 1, LOU, MAX, "rep"), offered(2, 8, LOU, MAX, "rep"))
    assert len(fold(LAW, split).lots) == 2


def test_the_view_says_what_lies_where() -> None:
    """How many papers came to each place, what was signed for which loan, and the last count with its explanation."""
    third = BlankSigned(**ID, number=3, loan_id="loan_2", rep=MAX)
    told = (*USED, RETURNED, VOID, third, SIGNED_VOID, WRONG, EXPLAINED)
    document = nested(STOCK, documents(VIEW, history(STOCK, *told))[STOCK])
    places = ("printed", "at_branch", "with_rep", "signed", "returned", "void")
    assert [document[place] for place in places] == [10, 8, 3, 2, 1, 2]
    assert document["loans"] == {"1": "loan_1", "3": "loan_2"}
    said = {"loan_id": "loan_1", "measure_id": "msr_1", "ground": "fraud", "voided_on": "2024-04-20"}
    assert document["voided"] == {"1": said}
    assert (document["count"]["missing"], document["count"]["code"]) == (
        [{"first": 4, "last": 4}],
        "misfiled",
    )
