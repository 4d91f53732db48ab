"""Whatever happens to a loan, the money adds up: random lives, watched by an auditor who shares no code with the domain."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import floor
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.claims import ClaimTransferred
from libs.events.codec import encode
from libs.events.deciding import Wake
from libs.events.lateness import LatenessJudged
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    LoanClassified,
    LoanOpened,
    LoanRepaid,
    OverdueBucketChanged,
    OverpaymentReturned,
    PaymentMissed,
    PaymentReceived,
    PaymentReturned,
    PenaltyCharged,
    RepaymentDistributed,
)
from libs.events.rescheduling import ScheduleChanged
from libs.events.schedules.order import Allocation
from services.repayment.commands import RecordDebit, RecordPayment
from tests.unit.given import Outcome, fold
from tests.unit.repayment.lives import live, random_terms
from tests.unit.repayment.prepay_oracle import Oracle, Row
from tests.unit.repayment.stories import LOAN


@dataclass
class Auditor:
    """Keeps the loan's books from events alone: what each row still owes, what each claim is still owed."""

    rows: dict[int, tuple[date, int, int]] = field(default_factory=dict)
    fees: dict[int, int] = field(default_factory=dict)
    penalties: dict[int, int] = field(default_factory=dict)
    charged_to: dict[int, date] = field(default_factory=dict)
    penalty_rate: Fraction = Fraction(0)
    loan_class: str = "normal"
    claims: dict[str, int] = field(default_factory=dict)
    lent_fen: int = 0
    repaid_fen: int = 0
    bucket: str = "current"
    last_missed: int = 0
    """The last instalment that was called missed; one that was charged for its days is late as well."""
    ended: bool = False
    names: list[str] = field(default_factory=list)
    contract: list[Row] = field(default_factory=list)
    opened: LoanOpened | None = None
    kept: list[int] = field(default_factory=list)
    """Instalments that were asked for, or have received something: no prepayment changes them."""

    def watch(self, command: Any, outcome: Outcome, today: date) -> None:
        """Check one decision."""
        by_type = {type(event): event for event in outcome.events}
        if LoanOpened in by_type:
            self._open(by_type[LoanOpened])
        if LatenessJudged in by_type:
            self._fine(by_type[LatenessJudged], ends=LoanRepaid in by_type)
        for charge in (event for event in outcome.events if isinstance(event, PenaltyCharged)):
            self._charge(charge)
        self.kept += [event.number for event in outcome.events if isinstance(event, InstallmentDue)]
        missed = (event.number for event in outcome.events if isinstance(event, PaymentMissed))
        self.last_missed = max(self.last_missed, *missed, 0)
        if PaymentReceived in by_type:
            self._money(command, by_type)
        elif PaymentReturned in by_type:
            assert by_type[PaymentReturned].amount_fen == _amount(command)
        if ClaimTransferred in by_type:
            self._sell(by_type[ClaimTransferred])
        self._asked(outcome, today)
        if OverdueBucketChanged in by_type:
            self._move(by_type[OverdueBucketChanged], isinstance(command, Wake))
        if LoanClassified in by_type:
            self._classify(by_type[LoanClassified], isinstance(command, Wake))
        if LoanRepaid in by_type:
            assert not any(self.claims.values())
            assert not any(self.penalties.values())
            after = outcome.events[outcome.events.index(by_type[LoanRepaid]) + 1 :]
            assert all(isinstance(event, PaymentMissed | LatenessJudged) for event in after)
            self.ended = True
        owed_fen = sum(principal for _, _, principal in self.rows.values())
        assert self.lent_fen == self.repaid_fen + sum(self.claims.values())
        assert self.ended or owed_fen == sum(self.claims.values())
        assert all(fen >= 0 for fen in self.claims.values())
        self._the_state_agrees(outcome.state)

    def _the_state_agrees(self, state: Any) -> None:
        assert (state.kind == "repaid") == self.ended
        if state.kind == "running":
            assert {claim.claim_id: claim.principal_fen for claim in state.claims} == self.claims
            assert [claim.order for claim in state.claims] == sorted(claim.order for claim in state.claims)
            assert state.book.outstanding_fen == sum(self.claims.values())
            assert state.book.penalty_fen == sum(self.penalties.values())

    def _asked(self, outcome: Outcome, today: date) -> None:
        """Whatever is asked in one decision is, together, exactly what is owed today."""
        asked = [event for event in outcome.events if isinstance(event, InstallmentDue | DebitRequested)]
        if asked:
            due = [number for number, row in self.rows.items() if row[0] <= today]
            due_fen = sum(sum(self.rows[number][1:]) + self.fees[number] for number in due)
            penalty_fen = sum(self.penalties.values()) + sum(self._accrued(today).values())
            assert sum(event.debit_fen for event in asked) == due_fen + penalty_fen
            assert {event.value_date for event in asked} == {today}

    def _open(self, loan: LoanOpened) -> None:
        self.opened = loan
        self.contract = [(row.due_on, row.principal_fen, row.interest_fen, row.fee_fen) for row in loan.rows]
        self.rows = {row.number: (row.due_on, row.interest_fen, row.principal_fen) for row in loan.rows}
        self.fees = {row.number: row.fee_fen for row in loan.rows}
        self.claims = {claim.claim_id: claim.principal_fen for claim in loan.claims}
        self.names = list(self.claims)
        self.lent_fen = loan.principal_fen
        self.penalty_rate = min(Fraction(loan.annual_rate) * 3 / 2, Fraction(10))
        assert Fraction(loan.penalty_rate) == self.penalty_rate
        assert sum(principal for _, _, principal in self.rows.values()) == self.lent_fen

    def _sell(self, sold: ClaimTransferred) -> None:
        """The buyer's claim is what the seller's lost, under a name that no claim ever had; not while anything is late."""
        assert sold.claim.claim_id not in self.names
        assert sold.claim.principal_fen + sold.left_fen == self.claims.pop(sold.sold_claim_id)
        if sold.left_fen:
            self.claims[sold.sold_claim_id] = sold.left_fen
        self.claims[sold.claim.claim_id] = sold.claim.principal_fen
        self.names.append(sold.claim.claim_id)
        assert all(
            due_on > sold.value_date or not interest + principal
            for due_on, interest, principal in self.rows.values()
        )
        assert all(abs((due_on - sold.value_date).days) > 3 for due_on, _, _ in self.rows.values())

    def _accrued(self, on: date) -> dict[int, int]:
        """What each late row would be charged up to a date: half-up, actual/365, none in the first three days."""
        fen: dict[int, int] = {}
        for number, (due_on, interest, principal) in self.rows.items():
            if interest + principal and (on - due_on).days > 3:
                used = max(0, (on - self.charged_to.get(number, due_on)).days)
                exact = (interest + principal) * self.penalty_rate * used / 365
                if amount := floor(exact + Fraction(1, 2)):
                    fen[number] = amount
        return fen

    def _fine(self, late: LatenessJudged, *, ends: bool) -> None:
        """Penalty of what had been paid when it was known to be late: none within the grace, and owed with the oldest open instalment."""
        for line in late.lines:
            due_on = self.rows[line.number][0]
            days = max(0, (line.paid_on - max(due_on, self.charged_to.get(line.number, due_on))).days)
            exact = line.open_fen * self.penalty_rate * days / 365
            is_late = (line.paid_on - due_on).days > 3
            assert line.penalty_fen == (floor(exact + Fraction(1, 2)) if is_late else 0)
        assert late.penalty_fen + late.given_up_fen == sum(line.penalty_fen for line in late.lines)
        assert (late.given_up_fen == 0) or self.ended or ends
        if late.penalty_fen:
            assert late.number == min(n for n in self.rows if any(self._owed(n).values()))
            self.penalties[late.number] = self.penalties.get(late.number, 0) + late.penalty_fen

    def _charge(self, charge: PenaltyCharged) -> None:
        """The penalty that was charged is the formula's, row by row, and never on penalty."""
        assert {line.number: line.penalty_fen for line in charge.lines} == self._accrued(charge.charged_on)
        for line in charge.lines:
            assert line.open_fen == sum(self.rows[line.number][1:])
            self.penalties[line.number] = self.penalties.get(line.number, 0) + line.penalty_fen
            self.charged_to[line.number] = charge.charged_on
        assert charge.penalty_fen == sum(line.penalty_fen for line in charge.lines)
        assert charge.penalty_after_fen == sum(self.penalties.values())
        assert charge.bucket == self.bucket

    def _classify(self, classified: LoanClassified, by_the_day: bool) -> None:
        assert classified.from_class == self.loan_class != classified.to_class
        assert classified.principal_fen == sum(self.claims.values())
        worse = CLASSES.index(classified.to_class) > CLASSES.index(classified.from_class)
        assert worse == by_the_day
        if worse:
            edges = sum(classified.dpd > edge for edge in (0, 90, 270, 360))
            assert classified.to_class == CLASSES[edges]
        else:
            assert (classified.dpd, classified.to_class) == (0, "normal")
        self.loan_class = classified.to_class

    def _money(self, command: Any, events: dict[type, Any]) -> None:
        received: PaymentReceived = events[PaymentReceived]
        spread: RepaymentDistributed = events[RepaymentDistributed]
        back = events.get(OverpaymentReturned)
        assert received.amount_fen + (back.amount_fen if back else 0) == _amount(command)
        assert received.bucket == self.bucket
        assert received.principal_before_fen == sum(self.claims.values())
        settled = isinstance(command, RecordPayment) and command.settle
        if isinstance(command, RecordPayment) and command.prepay is not None:
            expected = self._prepaid(command, received, events.get(ScheduleChanged))
        else:
            assert ScheduleChanged not in events
            expected = self._settled(received) if settled else self._allocated(command)
        self.kept += [line.number for line in received.allocation]
        assert expected == {
            line.number: (line.penalty_fen, line.fee_fen, line.interest_fen, line.principal_fen)
            for line in received.allocation
        }
        for line in spread.lines:
            self.claims[line.claim_id] -= line.principal_fen
            assert line.principal_fen or line.interest_fen or line.penalty_fen
        shares_fen = sum(line.principal_fen + line.interest_fen + line.penalty_fen for line in spread.lines)
        credits_fen = shares_fen - sum(line.fee_fen for line in spread.lines)
        assert received.amount_fen == shares_fen + spread.period_fee_fen == credits_fen + spread.fee_fen
        assert shares_fen == spread.principal_fen + spread.interest_fen + spread.penalty_fen
        self.repaid_fen += spread.principal_fen
        assert received.principal_after_fen == sum(self.claims.values())
        assert received.overdue_after_fen == sum(
            interest + principal + self.fees[number] + self.penalties.get(number, 0)
            for number, (_, interest, principal) in self.rows.items()
            if number <= max(self.last_missed, *self.charged_to, 0)
        )

    def _allocated(self, command: RecordDebit | RecordPayment) -> dict[int, tuple[int, ...]]:
        """Fen by fen over what is due, in the order that was agreed on for the loan's class."""
        due = [number for number, row in self.rows.items() if row[0] <= command.value_date]
        assert self.opened is not None
        agreed = self.opened.repayment and self.opened.repayment.allocation
        orders = (
            agreed or Allocation()
        )  # penalty, fee, interest, principal of the oldest instalment, then of the next
        order = orders.performing if self.loan_class in CLASSES[:2] else orders.non_performing
        names, across = order.components, order.across
        by_row = [(number, name) for number in due for name in names]
        by_name = [(number, name) for name in names for number in due]
        lines = {number: dict.fromkeys(("penalty", "fee", "interest", "principal"), 0) for number in due}
        rest_fen = _amount(command)
        for number, name in by_row if across == "horizontal" else by_name:
            owed = self._owed(number)
            lines[number][name] = fen = min(rest_fen, owed[name])
            rest_fen -= fen
            self._owe(number, owed | {name: owed[name] - fen})
        return {number: tuple(parts.values()) for number, parts in lines.items() if any(parts.values())}

    def _owed(self, number: int) -> dict[str, int]:
        _, interest, principal = self.rows[number]
        penalty = self.penalties.get(number, 0)
        return {
            "penalty": penalty,
            "fee": self.fees[number],
            "interest": interest,
            "principal": principal,
        }

    def _owe(self, number: int, owed: dict[str, int]) -> None:
        self.penalties[number], self.fees[number] = owed["penalty"], owed["fee"]
        self.rows[number] = (self.rows[number][0], owed["interest"], owed["principal"])

    def _prepaid(
        self, command: RecordPayment, received: PaymentReceived, change: ScheduleChanged | None
    ) -> dict[int, tuple[int, ...]]:
        """All that is due in full; as much principal as the rest pays with its interest to the day; the oracle's rows."""
        assert self.opened is not None
        assert command.prepay is not None
        reached = [number for number, row in self.rows.items() if row[0] <= command.value_date]
        oracle = Oracle(self.opened, self.contract, max([0, *reached, *self.kept]))
        lines: dict[int, tuple[int, ...]] = {}
        for number in range(1, oracle.kept + 1):
            if any(owed := tuple(self._owed(number).values())):
                lines[number] = owed
                self._owe(number, dict.fromkeys(self._owed(number), 0))
        money = command.amount_fen - sum(map(sum, lines.values()))
        whole = sum(row[1] for row in oracle.rest)
        early = received.allocation[-1]
        prepaid, interest = early.principal_fen, early.interest_fen
        assert money >= min(10_000, whole)
        assert interest == oracle.to_the_day(prepaid, command.value_date)
        assert prepaid + interest <= money
        lines[0] = (0, 0, interest, prepaid)
        if prepaid == whole:
            assert change is None
            self.rows = {number: (row[0], 0, 0) for number, row in self.rows.items()}
            self.fees = dict.fromkeys(self.fees, 0)
            return lines
        assert prepaid + 1 + oracle.to_the_day(prepaid + 1, command.value_date) > money
        assert change is not None
        assert change.rows[0].number == oracle.kept + 1
        asked = oracle.asked_anew(whole - prepaid, command.prepay)
        assert [
            (row.due_on, row.principal_fen, row.interest_fen, row.fee_fen) for row in change.rows
        ] == asked
        self._ask_anew(oracle.kept, asked)
        return lines

    def _ask_anew(self, kept: int, asked: list[Row]) -> None:
        self.contract = [*self.contract[:kept], *asked]
        numbers = range(1, len(self.contract) + 1)
        before = self.rows, self.fees
        self.rows = {n: before[0][n] if n <= kept else _open_of(self.contract[n - 1]) for n in numbers}
        self.fees = {n: before[1][n] if n <= kept else self.contract[n - 1][3] for n in numbers}

    def _settled(self, received: PaymentReceived) -> dict[int, tuple[int, ...]]:
        """All that was open of due rows in full, and penalty that is owed with a later one; the rest of the principal in line 0 with no more than
        a period's interest."""
        fined = {
            line.number
            for line in received.allocation
            if line.number and not line.interest_fen + line.principal_fen + line.fee_fen
        } & {number for number, (due_on, _, _) in self.rows.items() if due_on > received.value_date}
        paid = {
            line.number: (line.interest_fen, line.principal_fen)
            for line in received.allocation
            if line.number and line.number not in fined
        }
        undue = {
            number: row for number, row in self.rows.items() if number not in paid and (row[1] or row[2])
        }
        lines: dict[int, tuple[int, ...]] = {
            number: (self.penalties.pop(number, 0), self.fees[number], *self.rows[number][1:])
            for number in paid
        }
        lines |= {number: (self.penalties.pop(number), 0, 0, 0) for number in fined}
        if undue:
            (early,) = (line for line in received.allocation if not line.number)
            assert received.early
            first_asked = next((interest for _, interest, _ in undue.values() if interest), 0)
            assert 0 <= early.interest_fen <= first_asked
            lines[0] = (0, 0, early.interest_fen, sum(principal for _, _, principal in undue.values()))
            assert all(due_on > received.value_date for due_on, _, _ in undue.values())
        self.rows = {number: (due_on, 0, 0) for number, (due_on, _, _) in self.rows.items()}
        self.fees = dict.fromkeys(self.fees, 0)
        return lines

    def _move(self, moved: OverdueBucketChanged, by_the_day: bool) -> None:
        assert moved.from_bucket == self.bucket != moved.to_bucket
        assert moved.principal_fen == sum(self.claims.values())
        oldest = min(
            (row[0] for number, row in self.rows.items() if any(self._owed(number).values())),
            default=None,
        )
        late = 0 if oldest is None else max(0, (moved.changed_on - oldest).days)
        assert moved.dpd == late
        assert moved.to_bucket == _bucket(late)
        worse = ORDER.index(moved.to_bucket) > ORDER.index(moved.from_bucket)
        assert worse == by_the_day
        self.bucket = moved.to_bucket


CLASSES = ("normal", "special_mention", "substandard", "doubtful", "loss")
ORDER = ("current", "M1", "M2", "M3", "M4", "M5", "M6", "M6+")


def _open_of(row: Row) -> tuple[date, int, int]:
    return row[0], row[2], row[1]


def _bucket(dpd: int) -> str:
    return "current" if dpd == 0 else ORDER[min(7, (dpd + 29) // 30)]


def _amount(command: RecordDebit | RecordPayment) -> int:
    return command.debited_fen if isinstance(command, RecordDebit) else command.amount_fen


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False))
def test_in_every_life_the_money_adds_up(chance: Random) -> None:
    """After each decision: principal repaid + claims = P; claims = what rows owe; payment = shares = credits + fee; at the
    end all is zero. (That a wake ends what woke it, and that stored states decide alike, every step checks by itself.)"""
    auditor = Auditor()
    life = live(chance, random_terms(chance), auditor.watch, trades=True)
    assert life.state.kind == "repaid"
    assert auditor.ended
    assert auditor.repaid_fen == auditor.lent_fen
    for kind in (InstallmentDue, PaymentMissed):
        numbers = [event.number for event in life.events if isinstance(event, kind)]
        assert all(earlier < later for earlier, later in pairwise(numbers)), "said once, in order"
    debit_ids = [
        event.debit_id for event in life.events if isinstance(event, InstallmentDue | DebitRequested)
    ]
    assert len(debit_ids) == len(set(debit_ids))


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False), st.data())
def test_folding_in_one_go_or_in_pieces_is_the_same(chance: Random, data: st.DataObject) -> None:
    """The state is a function of the events, wherever a store was written in between."""
    life = live(chance, random_terms(chance))
    cut = data.draw(st.integers(0, len(life.events)))
    in_pieces = fold(LOAN, life.events[cut:], fold(LOAN, life.events[:cut]))
    assert encode(LOAN.state, fold(LOAN, life.events)) == encode(LOAN.state, in_pieces)
    assert in_pieces == life.state
