"""A loan that is lived day by day, of whose debits it is said what they find, and when that is told."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from libs.events.deciding import Wake
from libs.events.repayment import DebitRequested, InstallmentDue
from tests.unit.given import decided
from tests.unit.repayment.stories import CONTRACTED, LOAN, debited, found_nothing, on

_DAY = timedelta(days=1)


@dataclass
class Story:
    """The loan of the specs, lived day by day; what each debit finds, and when that is told."""

    contract: Any = CONTRACTED
    finds: dict[date, int] = field(default_factory=dict)
    """By the day of the asking, what there is; nothing on other days."""
    told_on: dict[date, date] = field(default_factory=dict)
    """By the day of the asking, when its answer comes; on the day itself where not said."""
    paid: dict[date, list[Any]] = field(default_factory=dict)
    state: Any = None
    events: list[tuple[date, Any]] = field(default_factory=list)
    decisions: list[tuple[date, list[Any]]] = field(default_factory=list)
    waiting: dict[date, int] = field(default_factory=dict)
    before: dict[date, tuple[Any, ...]] = field(default_factory=dict)
    """What else came to the loan on a day, before its payments: commands, and events of before them."""

    def live(self, until: date) -> "Story":
        """From the funding to the evening of a day."""
        self.state = LOAN.evolve(LOAN.initial, self.contract)
        day = self.state.book.funded_on
        self.decisions.append((day, [self.contract]))
        while day <= until:
            self._answer(day, late=True)
            for each in self.before.get(day, ()):
                if type(each) in LOAN.events:
                    self.state = LOAN.evolve(self.state, each)
                else:
                    self.say(each, day)
            for payment in self.paid.get(day, []):
                self.say(payment, day)
            for phase in (2, 4):
                due = LOAN.wake_on(self.state)
                if due is not None and due <= (day, phase):
                    self.say(Wake(business_date=day, phase=phase), day)
                if phase == 2:
                    self._answer(day, late=False)
            day += _DAY
        return self

    def say(self, command: Any, day: date) -> None:
        """Decide and fold."""
        events = decided(LOAN, self.state, command, on(day))
        assert not isinstance(events, str), events
        self.decisions.append((day, [*events]))
        for event in events:
            self.events.append((day, event))
            self.state = LOAN.evolve(self.state, event)
            if isinstance(event, InstallmentDue | DebitRequested):
                self.waiting[event.value_date] = event.debit_fen

    def _answer(self, day: date, *, late: bool) -> None:
        for asked_on, asked_fen in [*self.waiting.items()]:
            told_on = self.told_on.get(asked_on, asked_on)
            if (asked_on < day) != late or told_on > day:
                continue
            del self.waiting[asked_on]
            found = min(self.finds.get(asked_on, 0), asked_fen)
            self.say(debited(asked_on, found) if found else found_nothing(asked_on, asked_fen), day)

    def said(self, kind: type) -> list[Any]:
        """All of one kind, in their order."""
        return [event for _, event in self.events if isinstance(event, kind)]
