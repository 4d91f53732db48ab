"""A guarantor's money is an input of the loan: what is corrected beside it is put right, and what he paid for stays what he paid for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

import pytest

import services.repayment.policies.guarantees as guarantees
from libs.events.compensation import ClaimsSubrogated, CompensationExecuted
from libs.events.money import money_context
from libs.events.repayment import AllocationLine
from libs.events.schedules.terms import PLAIN
from services.repayment.commands import OpenLoan, RecordDebitFailure
from services.repayment.commands.compensation import (
    ApproveCompensation,
    ExecuteCompensation,
    ProposeCompensation,
    RecordCompensation,
)
from services.repayment.commands.guarantees import RestoreGuarantee
from services.repayment.domain.guarantee import Asked
from services.repayment.domain.loan_state import Running, reopened
from services.repayment.domain.profile import profile_named
from services.repayment.domain.replaying import is_replayable
from tests.unit.documents import recorded
from tests.unit.given import decided
from tests.unit.repayment.guarantee_story import APPROVED, DAY, DECLINE, EXECUTED, LINES, PROPOSED, RECORD
from tests.unit.repayment.inputs import Input, Lived, clean
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import FUNDED_ON, LOAN, OPEN, days, pays
from tests.unit.repayment.test_correcting import Corrected, compared, money
from tests.unit.repayment.test_correcting_measures import go_on, said, wrong

DEMO = profile_named("demo")


@dataclass(frozen=True)
class Paid:
    """What a guarantor paid, of what he was asked for, and where in which day."""

    on: date
    place: str
    record: RecordCompensation
    lines: tuple[AllocationLine, ...]

    def come(self, lived: Lived) -> None:
        """He was asked for it, whatever is owed now."""
        state = lived.state
        assert isinstance(state, Running)
        assert state.guarantee is not None
        asked = Asked(compensation_id=self.record.compensation_id, lines=self.lines)
        lived.state = replace(state, guarantee=replace(state.guarantee, under_way=asked))
        lived.say(self.record)


@dataclass
class StoodFor(Corrected):
    """A loan that is mostly not paid, and whose guarantor pays for it now and then."""

    pays: float = 0.02
    stood: list[Paid] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def answer(self, debit: Any) -> Sequence[Any] | str:
        """Mostly nothing."""
        found = self.chance.random()
        if found < 0.25:
            return super().answer(debit)
        return self.say(
            RecordDebitFailure(
                debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
            )
        )

    def meanwhile(self, place: str) -> None:
        """Three people sign, and he pays at once."""
        if place in ("ahead", "answers") or self.state.kind != "running" or self.chance.random() > 0.1:
            return
        name = f"cmp_{len(self.events)}"
        for who, kind in (("a", ProposeCompensation), ("b", ApproveCompensation), ("c", ExecuteCompensation)):
            context = replace(self.context, principal=f"stf_{who}")
            told = decided(LOAN, self.state, kind(loan_id="loan_7", compensation_id=name), context)
            if isinstance(told, str):
                return
            for event in told:
                self.state = LOAN.evolve(self.state, event)
            self.events += told
            if isinstance(told[0], CompensationExecuted):
                self._paid(place, told[0])

    def _paid(self, place: str, asked: CompensationExecuted) -> None:
        record = RecordCompensation(
            compensation_id=asked.compensation_id,
            account_id="acc_g",
            amount_fen=asked.amount_fen,
            value_date=self.today,
        )
        answer = self.say(record)
        (said,) = (event for event in answer if isinstance(event, ClaimsSubrogated))
        assert said.arrival is not None
        if said.arrival.before_phase == 2:
            ahead = any((came.on, came.place) == (self.today, "ahead") for came in self.taken)
            place = "ahead" if ahead else "early"
        self.stood.append(Paid(self.today, place, record, asked.lines))
        self.seen["compensated"] += 1

    def busy(self) -> set[date]:
        """Nor to a day on which he paid."""
        return super().busy() | {paid.on for paid in self.stood}

    def refused(self, code: str, came: Input, to_date: date | None) -> None:
        """By the compensation's name only where one came after the payment, or after what it would count as."""
        self.seen[code] += 1
        if code != "compensation_would_differ":
            super().refused(code, came, to_date)
            return
        assert any(paid.on >= min(came.on, to_date or came.on) for paid in self.stood)

    def right(self, came: Input, to_date: date | None) -> None:
        """Counted."""
        if self.stood:
            before = any(paid.on > min(came.on, to_date or came.on) for paid in self.stood)
            self.seen["corrected before it" if before else "corrected after it"] += 1
        super().right(came, to_date)


def guaranteed_terms(chance: Random) -> OpenLoan:
    """Some contract that a guarantor answers for, soon."""
    terms = random_terms(chance)
    manner = replace(
        terms.repayment or PLAIN,
        compensated_after=chance.choice((2, 10)),
        compensates=chance.choice(("overdue", "overdue", "outstanding")),
    )
    return replace(terms, guarantor="gua_g", repayment=manner)


def play(seed: int, *, corrects: bool, sells: bool = False) -> Counter[str]:
    """One life; how often what happened."""
    chance = Random(seed)
    terms = guaranteed_terms(chance)
    lived = StoodFor(chance, terms.funded_on, sells=sells)
    lived.open(terms)
    with money_context():
        for _ in range(chance.randint(60, 200)):
            if corrects and chance.random() < 0.06:
                lived.correct()
                again = clean(terms, lived.inputs(), lived.today, lived.stood)
                assert compared(lived.state) == compared(again.state)
                assert money(lived.events) == money(again.events)
                assert is_replayable(DEMO, lived.state, lived.context)
            for _ in lived.day():
                if chance.random() < 0.05:
                    assert is_replayable(DEMO, lived.state, lived.context)
            last = reopened(lived.state)
            assert sum(claim.principal_fen for claim in last.claims) == last.book.outstanding_fen
    return lived.seen


@pytest.mark.parametrize("seed", range(30))
def test_what_came_to_a_loan_whose_guarantor_paid_gives_the_loan(seed: int) -> None:
    """At every place of every day, field by field, whatever was sold before."""
    play(seed, corrects=False, sells=seed % 2 == 0)


@pytest.mark.parametrize("seed", range(40))
def test_a_correction_beside_a_compensation_ends_in_the_clean_history(seed: int) -> None:
    """State, claims and everybody's money are those of the loan that only the right payments and the guarantor's ever reached; where he would
    have paid otherwise, it is refused by name."""
    play(seed, corrects=True)


# --- by hand -------------------------------------------------------------------------------------------------------


def compensated() -> Lived:
    """The first instalment is thirty days late, and the guarantor pays it with 5.03 of penalty."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, guarantor="gua_g"))
    go_on(lived, DAY)
    for event in (PROPOSED, APPROVED, EXECUTED):
        lived.state = LOAN.evolve(lived.state, event)
    lived.say(RECORD)
    go_on(lived, days(DAY, 1))
    return lived


def test_a_loan_whose_guarantor_could_not_pay_is_corrected_as_any_other() -> None:
    """What his account answered is no input: a replay keeps it, as what he is being asked for."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, guarantor="gua_g"))
    go_on(lived, DAY)
    for event in (PROPOSED, APPROVED, EXECUTED):
        lived.state = LOAN.evolve(lived.state, event)
    lived.say(DECLINE)
    assert lived.state.guarantee.asked_in_vain
    assert is_replayable(DEMO, lived.state, lived.context)
    lived.say(pays(lived.today, 1_000, payment_id="pay_1"))
    go_on(lived, days(DAY, 2))
    said(lived, wrong("pay_1", DAY))
    assert lived.state.guarantee.asked_in_vain


def test_what_was_paid_to_the_guarantor_comes_back_from_him() -> None:
    """The borrower's 345.05 paid the guarantor's instalment, with 0.17 of penalty of a day more, and they were another's money: he gives them
    back, is owed again what he paid for, and stands in for what the holders are owed, which he has not paid."""
    lived = compensated()
    had = lived.state.claims
    lived.say(pays(lived.today, 34_522, payment_id="pay_1"))
    go_on(lived, days(DAY, 2))
    restated = said(lived, wrong("pay_1", days(DAY, 1)))
    assert {line.account_id: line.amount_fen for line in restated.lines} == {
        "acc_g": -34_522,
        "acc_bo": 34_522,
    }
    assert lived.state.claims == had
    assert restated.guaranteed_fen == 66_998
    (restore,) = [send for send in guarantees.on_repayment(recorded(restated)) if send.stream_id == "gua_g"]
    assert restore.command == RestoreGuarantee(guarantor="gua_g", loan_id="loan_7", owed_fen=66_998)


def test_what_he_would_have_paid_otherwise_is_not_reopened() -> None:
    """Ten yuan that the borrower had paid before were another's: without them the guarantor would have been asked for more. Named, and nothing
    changed."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, guarantor="gua_g"))
    go_on(lived, days(DAY, -1))
    lived.say(pays(lived.today, 1_000, payment_id="pay_1"))
    go_on(lived, DAY)
    asked = [
        PROPOSED,
        APPROVED,
        replace(EXECUTED, lines=(replace(LINES[0], penalty_fen=17, interest_fen=486),)),
    ]
    for event in asked:
        lived.state = LOAN.evolve(lived.state, event)
    assert any(isinstance(event, ClaimsSubrogated) for event in lived.say(RECORD))
    before = lived.state
    assert lived.say(wrong("pay_1", days(DAY, -1))) == "compensation_would_differ"
    assert lived.state == before


def test_nothing_is_corrected_while_his_money_is_on_its_way() -> None:
    """He was asked for what was owed then."""
    lived = Lived(Random(0), FUNDED_ON)
    lived.open(replace(OPEN, guarantor="gua_g"))
    go_on(lived, DAY)
    lived.say(pays(lived.today, 100, payment_id="pay_1"))
    for event in (PROPOSED, APPROVED, EXECUTED):
        lived.state = LOAN.evolve(lived.state, event)
    assert lived.say(wrong("pay_1", DAY)) == "loan_compensated"
