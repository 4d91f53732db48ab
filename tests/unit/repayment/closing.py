"""Loans on one partition of the real decider, their days closed phase by phase as a tired operator and a bad machine would:
markers and ticks come twice, the process dies before and after the log has a decision, debits are answered days later.

An accountant who shares no code with the domain keeps each loan's books beside it and says what must have been missed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from libs.events.deciding import Wake
from libs.events.records import decode_event, parse_decision
from libs.events.repayment import (
    DebitRequested,
    InstallmentDue,
    LoanClassified,
    OverdueBucketChanged,
    PaymentMissed,
    PenaltyCharged,
)
from libs.events.system import PhaseDone, WakeFailed
from libs.events.topics import system_stream
from libs.runtime.day import DayMarker, SetBusinessDate, Tick
from libs.runtime.store import MemoryStore
from services.repayment.commands import OpenLoan, RecordDebit, RecordDebitFailure, RecordPayment
from tests.unit.given import Outcome
from tests.unit.repayment.lives import random_terms
from tests.unit.repayment.stories import LOAN
from tests.unit.repayment.test_loan_lives import CLASSES, Auditor, _bucket
from tests.unit.runtime.jars import Bench

STARTED_ON = date(2024, 2, 1)
_DAY = timedelta(days=1)


class LateAuditor(Auditor):
    """Keeps besides which instalments were said to be missed, and which debits nobody has answered."""

    def __init__(self) -> None:
        super().__init__()
        self.missed: list[int] = []
        self.pending: dict[str, date] = {}

    def watch(self, command: Any, outcome: Outcome, today: date) -> None:
        """A loan is judged only when all is answered, each open instalment once, and not before the evening after it was due; money that
        comes meanwhile is charged no penalty of a day that is not judged."""
        judges = (PaymentMissed, OverdueBucketChanged, LoanClassified)
        if isinstance(command, Wake) and any(isinstance(event, judges) for event in outcome.events):
            assert not self.pending, f"judged before {self.pending} is answered"
        for event in outcome.events:
            if isinstance(event, PenaltyCharged):
                assert event.charged_on <= min(self.pending.values(), default=event.charged_on)
            if isinstance(event, PaymentMissed):
                assert event.number not in self.missed
                assert event.due_on < today
                owed = self._owed(event.number)
                assert (
                    event.paid_on
                    or event.open_fen == (sum(owed.values()) - owed["penalty"] or owed["penalty"]) > 0
                )
                self.missed.append(event.number)
            if isinstance(event, InstallmentDue | DebitRequested):
                self.pending[event.debit_id] = today
        if isinstance(command, RecordDebit | RecordDebitFailure):
            del self.pending[command.debit_id]
        super().watch(command, outcome, today)

    def closed(self, today: date) -> None:
        """The evening of a day: nothing that is open for longer than a day is unsaid, and the loan stands where its days say."""
        if self.pending or self.ended:
            return
        late = [
            number for number, row in self.rows.items() if any(self._owed(number).values()) and row[0] < today
        ]
        assert set(late) <= set(self.missed), f"{set(late) - set(self.missed)} missed in silence on {today}"
        oldest = min((self.rows[number][0] for number in late), default=today)
        dpd = (today - oldest).days
        assert self.bucket == _bucket(dpd)
        least = sum(dpd > edge for edge in (0, 90, 270, 360))
        assert CLASSES.index(self.loan_class) >= least
        assert (self.loan_class == "normal") == (not late)


@dataclass
class Closing:
    """The partition, its loans' accountants, and the debits that wait for an answer with the day on which it will come."""

    chance: Random
    troubles: float
    today: date = STARTED_ON
    bench: Bench = field(init=False)
    auditors: dict[str, LateAuditor] = field(default_factory=dict)
    asked: list[tuple[date, InstallmentDue | DebitRequested]] = field(default_factory=list)
    read_to: int = 0
    payments: int = 0
    latest: int = 0
    """By how many days the debits of today are answered late at most."""

    def __post_init__(self) -> None:
        self.bench = Bench(dated=False, jars=LOAN)
        self.bench.service = "repayment"
        self.bench.decider = self.bench.new_decider(self.bench.store)
        self.say(SetBusinessDate(business_date=STARTED_ON), system_stream(0))

    def open(
        self,
        loans: int,
        terms_of: Random,
        rest: Callable[[Random, str], OpenLoan] = random_terms,
    ) -> None:
        """So many loans of January, the first of them in equal instalments, so that something is due in the next month."""
        for number in range(loans):
            terms = (rest if number else random_terms)(terms_of, str(number))
            terms = terms if number else replace(terms, repayment=None)
            self.auditors[terms.loan_id] = LateAuditor()
            self.say(terms, terms.loan_id)

    def close_day(self, latest: int = 0) -> None:
        """Phases 2 and 4 of today with what comes in between; some debits are answered up to so many days later."""
        self.latest = latest
        self._phase(2)
        self.pay()
        self.answer()
        self._phase(4)
        for auditor in self.auditors.values():
            auditor.closed(self.today)
        self.today += _DAY

    def _phase(self, phase: int) -> None:
        marker = DayMarker(business_date=self.today, phase=phase, from_partitions=(0,), expected=1)
        told, tick = self.say(marker, system_stream(0)), 0
        while not any(isinstance(event, PhaseDone) for event in told):
            self._again(marker)
            tick += 1
            told = self.say(Tick(business_date=self.today, phase=phase, tick=tick), system_stream(0))
            self._again(Tick(business_date=self.today, phase=phase, tick=tick))
        self._again(marker)

    def _again(self, message: DayMarker | Tick) -> None:
        """What came comes again: it must not do anything."""
        if self.chance.random() < self.troubles:
            told = [
                event for event in self.say(message, system_stream(0)) if isinstance(event, PaymentMissed)
            ]
            assert not told

    def pay(self) -> None:
        """Now and then somebody pays something by himself, rather while nobody answers what was asked."""
        for loan, auditor in self.auditors.items():
            if self.chance.random() < (0.2 if auditor.pending else 0.03):
                self.payments += 1
                settles = self.chance.random() < 0.05
                payment = RecordPayment(
                    payment_id=f"pay_{self.payments}",
                    account_id="acc_bo",
                    payer="usr_bo",
                    amount_fen=1_000_000 if settles else self.chance.randint(1, 60_000),
                    value_date=self.today,
                    settle=settles,
                )
                self.say(payment, loan)

    def answer(self) -> None:
        """Those whose day has come, in the order in which they were asked. What is found counts on the day of the asking."""
        waiting, self.asked = self.asked, []
        for answered_on, debit in waiting:
            if answered_on > self.today:
                self.asked.append((answered_on, debit))
                continue
            self.say(answer_to(debit, self.found(debit)), debit.loan_id)

    def found(self, debit: InstallmentDue | DebitRequested, /) -> int:
        """What of a debit is there: all, a part, or nothing."""
        return self.chance.choice([0, 0, debit.debit_fen, self.chance.randint(1, debit.debit_fen)])

    # --- the machine --------------------------------------------------------------------------------------------

    def say(self, message: Any, stream: str) -> list[Any]:
        """Have one command decided, whatever happens to the process meanwhile; the events of the log's decision."""
        self.bench.send(message, stream=stream)
        if self.chance.random() < self.troubles:
            kept = self.bench.store.copy()
            for outgoing in self.bench.decide_ahead()[: self.chance.randint(0, 1)]:
                self.bench.append(outgoing)  # the log has it, and who decided it has died
            self._restart(kept)
        self.bench.run()
        told: list[Any] = []
        for raw in self.bench.events[self.read_to :]:
            told += self._read(raw.value, message)
        stuck = [event for event in told if isinstance(event, WakeFailed)]
        assert not stuck, f"the day cannot come to {stuck}"
        self.read_to = len(self.bench.events)
        return told

    def _restart(self, store: MemoryStore) -> None:
        self.bench.store = store
        self.bench.decider = self.bench.caught_up(store)

    def _read(self, value: bytes, message: Any) -> list[Any]:
        by_loan: dict[str, list[Any]] = {}
        told = []
        for stored in parse_decision(value).events:
            event = decode_event(stored)
            told.append(event)
            if stored.stream in self.auditors:
                by_loan.setdefault(str(stored.stream), []).append(event)
        for loan, events in by_loan.items():
            self.watch(loan, message, events)
        return told

    def watch(self, loan: str, message: Any, events: Sequence[Any]) -> None:
        """Let a loan's accountant see one decision."""
        is_day = isinstance(message, DayMarker | Tick)
        command = Wake(business_date=self.today, phase=message.phase) if is_day else message
        outcome = Outcome(tuple(events), None, self.bench.decider.state_of(loan))
        opened_on = message.funded_on if isinstance(message, OpenLoan) else self.today
        self.auditors[loan].watch(command, outcome, opened_on)
        self.asked += [
            (self.today + self.chance.randint(0, self.latest) * _DAY, event)
            for event in events
            if isinstance(event, InstallmentDue | DebitRequested)
        ]


def answer_to(debit: InstallmentDue | DebitRequested, found_fen: int) -> RecordDebit | RecordDebitFailure:
    """What the account says to a debit: so much, or nothing."""
    if not found_fen:
        return RecordDebitFailure(
            debit_id=debit.debit_id, requested_fen=debit.debit_fen, value_date=debit.value_date
        )
    return RecordDebit(
        debit_id=debit.debit_id,
        account_id="acc_bo",
        debited_fen=found_fen,
        value_date=debit.value_date,
    )
