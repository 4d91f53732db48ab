"""The auditor: reads only what stands in the log, imports no service and no chain code, and judges every record.

It is fed in the global order of storing, so each rule is judged on every prefix of the log, not only at its end.
Money stands in `books`; here are the chain, the decisions, the sequences and the business days.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from zlib import crc32

from pydantic_core import from_json, to_json

from libs.events.records import RawRecord
from tools.simulator.books import Books
from tools.simulator.books_beside import BooksBeside
from tools.simulator.bucket_books import buckets_of
from tools.simulator.log import Place
from tools.simulator.parked_books import ParkedBooks
from tools.simulator.quote_books import require_charged

#: (service, phase) of a business day that each partition of the service has to finish, by design.md 2.7.
PHASES = (
    ("bidding", 1),
    ("repayment", 2),
    ("bidding", 3),
    ("repayment", 4),
    ("collections", 5),
    ("onboarding", 5),
)
#: After these, loans and promises have said everything that the day had to say.
MISSES = ("repayment", 4)
PROMISES = ("collections", 5)
_HEADERS = ("position", "command", "command-id", "type", "fingerprint", "source", "stored-below", "rules")
#: Commands of policies whose refusal a saga handles (docs/sagas.md); any other refusal would stop money in silence.
_MAY_BE_REFUSED = (
    b"repayment.ReserveGuarantee",
    b"bidding.DebitCompensation",
    b"bidding.DebitAssetSale",
    b"bidding.ConfirmPayee",
    b"bidding.RecordBid",
    b"bidding.RecordTake",
    b"bidding.ConfirmUnsold",
    b"bidding.OpenOffer",
    b"bidding.RecordBids",
    b"bidding.HoldForOrder",
    b"repayment.RecordPayment",
    b"repayment.RecordDebit",
    b"repayment.ReserveClaim",
    b"repayment.TransferClaim",
    b"repayment.ExamineMeasure",
    b"repayment.CarryOutMeasure",
    b"repayment.CorrectPayment",
    b"onboarding.ConfirmApplicant",
    b"onboarding.ReserveExposure",
)
_ANSWERS = (
    "system.CommandRefused.v1",
    "system.CommandRepeated.v1",
    "system.CommandHadNoEffect.v1",
)


class Violation(AssertionError):
    """A rule that must hold on every prefix of the log does not."""


@dataclass(slots=True)
class PartitionAudit:
    """One service's partition: its commands, and the chain of its decisions so far."""

    service: str
    number: int
    head: bytes
    commands: list[RawRecord] = field(default_factory=list)
    """What stands in the commands topic."""
    genesis: bytes = b""
    decided: int = 0
    """Decisions that the chain has ever held."""
    linked: int = 0
    """Decisions that it holds now: fewer after a lost tail, until they are decided again."""
    decisions: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """Of each decision ever held: where it stands, or stood; its hash; its command's digest."""
    mends: dict[int, RawRecord] = field(default_factory=dict)
    """What a repair appended, by the position it is about."""
    business_date: date | None = None
    phases: Counter[tuple[str, int]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class First:
    """The first decision on a command id."""

    fingerprint: bytes | None
    events: Any
    place: str


class Auditor:
    """Judges a whole log; raises Violation at the record that breaks a rule."""

    def __init__(
        self, services: Iterable[str], partitions: int, *, log_id: str, minutes_east: int, profile: str
    ) -> None:
        self.partitions = partitions
        self.books = Books()
        self.beside = BooksBeside(self.books, minutes_east, profile)
        self._buckets = buckets_of(profile)
        self.parked = ParkedBooks()
        self.events: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.repeats = 0
        self.foreign = 0
        self.decided_again = 0
        self.lost: dict[str, str] = {}
        """Ids of commands that were acknowledged, and lost before they were decided; where they stood."""
        self.firsts: dict[str, First] = {}
        self.closed: list[date] = []
        self._sequences: dict[str, int] = {}
        self._effects: dict[str, str] = {}
        self._parts = {
            (service, number): PartitionAudit(
                service, number, sha256(f"{log_id}\n{service}.events\n{number}".encode()).digest()
            )
            for service in services
            for number in range(partitions)
        }
        for part in self._parts.values():
            part.genesis = part.head

    # --- records ------------------------------------------------------------------------------------------------

    def feed(self, place: Place, raw: RawRecord) -> None:
        """Take in one stored record of any topic."""
        service, kind = place.topic.rsplit(".", 1)
        part = self._parts[service, place.partition]
        if kind == "commands":
            _require(raw.offset == len(part.commands), f"{place} skips an offset")
            part.commands.append(raw)
            if self.parked.may_be_parked:
                self.parked.stored(_body(raw))
            if (position := raw.headers.get("repair-position")) is not None:
                part.mends[int(position)] = raw
            return
        if self._links(part, raw):
            part.head = raw.headers["hash"]
            try:
                if part.linked < part.decided:
                    self._again(part, raw)
                else:
                    self._decision(part, raw)
            finally:  # who listens on after a violation must not take all that follows for foreign
                if part.linked == part.decided:
                    part.decided += 1
                    part.decisions.append((raw.offset, part.head, raw.headers.get("command", b"")))
                part.linked += 1

    def feed_cut(self, place: Place, end: int) -> None:
        """A partition has lost what stood from an offset on. What was decided there, and told to people, still holds."""
        service, kind = place.topic.rsplit(".", 1)
        part = self._parts[service, place.partition]
        if kind == "commands":
            for raw in part.commands[max(end, part.decided) :]:
                body = _body(raw)
                if "command_id" in body:
                    self.lost[body["command_id"]] = f"{place} at {raw.offset}"
            del part.commands[end:]
            return
        while part.linked and part.decisions[part.linked - 1][0] >= end:
            part.linked -= 1
        part.head = part.decisions[part.linked - 1][1] if part.linked else part.genesis

    def _again(self, part: PartitionAudit, raw: RawRecord) -> None:
        """A lost decision is decided again, byte for byte: its hash covers its headers and its value."""
        _, digest, command = part.decisions[part.linked]
        where = f"{part.service}/{part.number}/{part.linked}"
        _require(raw.headers["hash"] == digest, f"{where} was lost and is decided otherwise")
        part.decisions[part.linked] = raw.offset, digest, command
        self.decided_again += 1

    def _commands_stand(self, part: PartitionAudit) -> None:
        """A decided position holds its command, or is mended: by a placeholder, or because what stands there came behind."""
        for position, (_, _, decided) in enumerate(part.decisions):
            found, where = part.commands[position], f"{part.service}/{part.number}/{position}"
            if sha256(found.value).digest() == decided:
                continue
            mend = part.mends.get(position)
            _require(mend is not None, f"{where} was decided on a command that is lost, and nothing says so")
            assert mend is not None
            if mend.offset == position:
                names_it = _body(found) == {"lost_command": decided.hex()}
                _require(names_it, f"{where} holds a placeholder of something else")
            else:
                same = mend.value == found.value or all(
                    _body(mend).get(name) == _body(found).get(name)
                    for name in ("type", "stream_id", "data", "at", "causation_id")
                )
                _require(same, f"{where} displaced a command that came to nothing")

    def _links(self, part: PartitionAudit, raw: RawRecord) -> bool:
        """Whether the record is the next of the chain, by the formula of design.md 2.3 written down once more."""
        position = int(raw.headers["position"])
        if position < part.linked:
            self.repeats += 1
            return False
        content = raw.headers["prev"]
        for name in _HEADERS:
            header = raw.headers.get(name)
            content += b"\xff\xff\xff\xff" if header is None else len(header).to_bytes(4, "big") + header
        linked = raw.headers["prev"] == part.head and position == part.linked
        if not linked or sha256(content + raw.value).digest() != raw.headers["hash"]:
            self.foreign += 1
            return False
        return True

    def _decision(self, part: PartitionAudit, raw: RawRecord) -> None:
        where = f"{part.service}/{part.number}/{part.decided}"
        _require(part.decided < len(part.commands), f"{where} decides where no command stands")
        _require(
            sha256(part.commands[part.decided].value).digest() == raw.headers["command"],
            f"{where} decides another command than the one at its position",
        )
        body = from_json(raw.value)
        events = body["events"]
        _require(bool(events), f"{where} decided nothing and does not say so")
        self._one_effect(where, raw, events)
        for event in events:
            self.events[event["type"]] += 1
            self._event(part, where, event)
        today = part.business_date
        if body["business_date"] is not None and not any(
            event["type"] == "system.BusinessDateSet.v1" for event in events
        ):
            # Before a partition has a date, a policy's command is decided on that of its cause (decisions/0004).
            on_its_cause = today is None and "source" in raw.headers
            _require(
                on_its_cause or body["business_date"] == str(today),
                f"{where} decided on another date than {today}",
            )
        self.parked.record(where, raw.headers, _body(part.commands[part.decided]), events)
        self.books.record(where, events)
        self.beside.record(where, events, part.business_date, body["business_date"])
        for event in events:
            if event["type"] == "system.PhaseDone.v1":
                day = date.fromisoformat(event["data"]["business_date"])
                self._phase_over(part, where, (part.service, event["data"]["phase"]), day)

    def _phase_over(self, part: PartitionAudit, where: str, phase: tuple[str, int], day: date) -> None:
        """What the day had to say of this partition's loans and debtors has been said."""
        if phase == MISSES:
            for loan in self.books.loans.values():
                if self._home(loan.loan_id) == part.number and not self.parked.hears_late(loan):
                    loan.closed(where, day, self._buckets)
                    require_charged(where, loan, day)
                    self.beside.days.judged(where, loan.loan_id, day)
                    self.beside.measures.judged(where, loan, day)
        elif phase == PROMISES:
            self.beside.cases.day_over(where, day, lambda debtor: self._home(debtor) == part.number)

    def _one_effect(self, where: str, raw: RawRecord, events: list[Any]) -> None:
        """A command id has at most one effect; its repeat tells the first answer, another body is refused."""
        if "command-id" not in raw.headers:
            _require(events[0]["data"].get("code") == "malformed", f"{where} decides without an id")
            return
        command_id = raw.headers["command-id"].decode()
        fingerprint = raw.headers.get("fingerprint")
        kind, data = events[0]["type"], events[0]["data"]
        if "source" in raw.headers and kind == "system.CommandRefused.v1":
            is_parked = self.parked.may_be_parked and data["code"] == "internal"
            expected = raw.headers["type"] in _MAY_BE_REFUSED or is_parked
            _require(expected, f"{where} refuses a policy's {raw.headers['type']!r}: {data['code']}")
        first = self.firsts.get(command_id)
        if first is None:
            _require(kind != "system.CommandRepeated.v1", f"{where} repeats what was never decided")
            self.firsts[command_id] = First(fingerprint, events, where)
            return
        _require(kind in _ANSWERS, f"{where} is a second effect of {command_id}, first at {first.place}")
        if fingerprint is None:
            # a marker whose id is forgotten is decided again, without effect
            counted = kind == "system.CommandHadNoEffect.v1" and raw.headers["type"] == b"system.DayMarker"
            _require(counted or kind == "system.CommandRepeated.v1", f"{where} decides {command_id} twice")
        elif fingerprint == first.fingerprint:
            _require(kind == "system.CommandRepeated.v1", f"{where} decides {command_id} twice")
            same = to_json(data["first"]) == to_json(first.events)
            _require(same, f"{where} repeats {command_id} with another answer")
        else:
            _require(data.get("code") == "key_reused", f"{where} accepts another body for {command_id}")

    # --- events -------------------------------------------------------------------------------------------------

    def _event(self, part: PartitionAudit, where: str, event: Any) -> None:
        stream, kind, data = event["stream"], event["type"], event["data"]
        if kind == "system.CommandRefused.v1":
            self.refusals[data["code"]] += 1
        if stream is None:
            _require(kind in _ANSWERS, f"{where}: {kind} stands in no stream")
            return
        home = int(stream[2:]) if stream.startswith("~p") else self._home(stream)
        _require(home == part.number, f"{where}: {stream} lives in partition {home}")
        scope = f"{part.service}/{stream}"
        sequence = self._sequences.get(scope, 0) + 1
        _require(event["sequence"] == sequence, f"{where}: {scope} jumps from {sequence - 1}")
        self._sequences[scope] = sequence
        self._day(part, where, kind, data)

    def _home(self, stream: str) -> int:
        return crc32(stream.encode()) % self.partitions

    def _day(self, part: PartitionAudit, where: str, kind: str, data: Any) -> None:
        if kind == "system.BusinessDateSet.v1":
            day = date.fromisoformat(data["business_date"])
            before = part.business_date
            _require(before is None or day == before + timedelta(days=1), f"{where}: {before} becomes {day}")
            part.business_date = day
        elif kind == "system.PhaseDone.v1":
            key = data["business_date"], data["phase"]
            part.phases[key] += 1
            _require(part.phases[key] == 1, f"{where}: {key} is done twice")
            _require(data["partition"] == part.number, f"{where}: {key} of another partition")
        elif kind == "repayment.BusinessDayClosed.v1":
            day = date.fromisoformat(data["business_date"])
            _require(not self.closed or day == self.closed[-1] + timedelta(days=1), f"{where}: closes {day}")
            self.closed.append(day)
            for (service, _), other in self._parts.items():
                if service in ("bidding", "repayment"):
                    self._all_phases(other, day, where)
                    reached = other.business_date == day + timedelta(days=1)
                    _require(
                        reached,
                        f"{where}: {other.service}/{other.number} has not reached the day after {day}",
                    )

    def _all_phases(self, part: PartitionAudit, day: date, where: str) -> None:
        for service, phase in PHASES:
            if service == part.service:
                done = part.phases[str(day), phase]
                _require(
                    done == 1, f"{where}: {day} phase {phase} done {done} times on {service}/{part.number}"
                )

    # --- at rest ------------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """What must hold besides once everything has come to rest."""
        for part in self._parts.values():
            where = f"{part.service}/{part.number}"
            _require(part.linked == part.decided == len(part.commands), f"{where} has undecided commands")
            self._commands_stand(part)
            for day in self.closed:
                self._all_phases(part, day, "at rest")
            expected = sum(len(self.closed) for service, _ in PHASES if service == part.service)
            _require(sum(part.phases.values()) == expected, f"{where} ran phases of a day that is not closed")
        # An acknowledgement promises nothing to whoever sent a command: only its decision is an answer. So who lost one
        # asks again, a person as long as nobody answers, a policy group because it reads its source from the beginning.
        for command_id, stood in self.lost.items():
            _require(command_id in self.firsts, f"{command_id} was lost from {stood} and never asked again")
        failed = self.events["system.WakeFailed.v1"]
        _require(not failed, f"{failed} x system.WakeFailed.v1")
        self.parked.at_rest()
        self.books.at_rest()
        commands = (_body(raw) for part in self._parts.values() for raw in part.commands)
        self.beside.at_rest(self.closed[-1] if self.closed else None, commands)
        if any(part.service == "collections" for part in self._parts.values()):
            self.beside.cases.at_rest()
            self.beside.pauses.at_rest()

    def answered(self, command_id: str, fingerprint: str, answers: list[bytes]) -> None:
        """What a client was told: the first answer, in the same bytes each time."""
        _require(bool(answers), f"nobody answered {command_id}")
        first = self.firsts[command_id]
        if first.fingerprint == fingerprint.encode():
            _require(set(answers) == {to_json(first.events)}, f"{command_id} was answered differently")
        else:
            for answer in answers:
                _require(
                    from_json(answer)[0]["data"].get("code") == "key_reused", f"{command_id} had two bodies"
                )


def _body(raw: RawRecord) -> Any:
    """A command's value; empty where it is none."""
    try:
        body = from_json(raw.value)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)
