"""What callers were told against what stands in the log: an independent comparison that imports no service and no domain.

Every ok is in the log exactly once, with that answer; every fail is a refusal there and changed nothing; what was unknown
turned out to be one or the other; nothing stands there that nobody asked for; each one's money is what his own arithmetic
says, in the log and in the view.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from tools.faults.history import Attempt, History, Kind, Told, Wish, code_of
from tools.faults.log_copy import At, Decided, LogCopy

#: What an ok must stand in the log as: the event's type, and which of its fields the answer's fields are.
EFFECTS: Final[Mapping[Kind, tuple[str, Mapping[str, str]]]] = {
    Kind.OPEN: ("bidding.AccountOpened.v1", {"id": "account_id"}),
    Kind.TOP_UP: ("bidding.TopUpRequested.v1", {"id": "top_up_id", "account_id": "account_id", "amount_fen": "amount_fen"}),
    Kind.DEPOSIT: ("bidding.FundsDeposited.v1", {"id": "top_up_id", "account_id": "account_id", "amount_fen": "amount_fen"}),
    Kind.BID: (
        "bidding.FundsHeld.v1",
        {
            "id": "bid_id",
            "hold_id": "hold_id",
            "account_id": "account_id",
            "listing_id": "listing_id",
            "amount_fen": "amount_fen",
            "available_after_fen": "available_after_fen",
        },
    ),
    Kind.WITHDRAW: (
        "bidding.WithdrawalRequested.v1",
        {"id": "withdrawal_id", "account_id": "account_id", "amount_fen": "amount_fen"},
    ),
    Kind.PAID: ("bidding.FundsWithdrawn.v1", {"id": "withdrawal_id", "account_id": "account_id", "amount_fen": "amount_fen"}),
    Kind.LIST: ("bidding.ListingOpened.v1", {"id": "listing_id", "loan_id": "loan_id", "amount_fen": "amount_fen"}),
}  # fmt: skip
_REPEATED: Final = "system.CommandRepeated.v1"
_REFUSED: Final = "system.CommandRefused.v1"
_KEY_REUSED: Final = "key_reused"
#: Sentences of one sort that are worth telling; the count says the rest.
_EXAMPLES_MAX: Final = 5


@dataclass(slots=True, kw_only=True)
class Counts:
    """What the comparison counts; the last seven are what must not be."""

    asked: int = 0
    sent: int = 0
    ok: int = 0
    refused: int = 0
    was_unknown: int = 0
    """Wishes whose callers did not know for a while, and know now."""
    asked_again: int = 0
    """Answers compared byte by byte with an earlier one to the same request."""
    unanswered: int = 0
    turned_away: int = 0
    """Refused at the door with nothing stored (4xx). People here send nothing malformed: each is a violation."""
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    """Answers that differ from what the log says, or from another answer to the same request."""
    unasked: int = 0
    misjudged: int = 0
    """Sums of money that differ."""


@dataclass(slots=True)
class Findings(Counts):
    """What the comparison found. `sentences` say what is wrong, the first of each sort."""

    sentences: list[str] = field(default_factory=list)
    _told: Counter[str] = field(default_factory=Counter)

    def blame(self, sort: str, sentence: str) -> None:
        """Count something that must not be."""
        setattr(self, sort, getattr(self, sort) + 1)
        self._told[sort] += 1
        if self._told[sort] <= _EXAMPLES_MAX:
            self.sentences.append(f"{sort}: {sentence}")

    @property
    def good(self) -> bool:
        """Nothing lost, doubled, changed, unasked, misjudged or left without an answer."""
        return not self.sentences


def compare(history: History, log: LogCopy, since: Mapping[tuple[str, int], int]) -> Findings:
    """Judge a history against the log; `since` marks where the history began (LogCopy.ends)."""
    found = Findings(asked=len(history.wishes), sent=history.attempts)
    ids: dict[str, Wish] = {}
    for wish in history.wishes:
        _count(found, wish)
        command_id = _judge(found, log, wish)
        if command_id is None or wish.misuses is not None:
            continue
        if ids.setdefault(command_id, wish) is not wish:
            found.blame("changed", f"two wishes are one command, {command_id}")
        _once(found, log.by_command[command_id], wish)
    _unasked(found, log.since(dict(since)), ids)
    _sums(found, history, log)
    return found


def compare_view(history: History, log: LogCopy, shown: Iterable[Mapping[str, Any]]) -> list[str]:
    """Accounts of the history whose view does not say what the log says; `shown` are the view's documents."""
    view = {document["id"]: document for document in shown}
    balances = log.balances
    wrong: list[str] = []
    for account in sorted(_opened(history)):
        for name in ("available", "held"):
            want = balances.get(f"{name}:{account}", 0)
            have = view.get(account, {}).get(f"{name}_fen")
            if have != want:
                wrong.append(f"the view shows {name} {have} of {account}, the log says {want}")
    return wrong


# --- one wish ---------------------------------------------------------------------------------------------------


def _count(found: Findings, wish: Wish) -> None:
    match wish.told:
        case Told.OK:
            found.ok += 1
        case Told.FAIL:
            found.refused += 1
        case Told.UNKNOWN:
            found.blame("unanswered", f"{wish.kind} of {wish.account or wish.who} has no answer")
    if wish.was_unknown and wish.told is not Told.UNKNOWN:
        found.was_unknown += 1


def _judge(found: Findings, log: LogCopy, wish: Wish) -> str | None:
    """Compare all answers with the log and with each other; gives the id of the command that the wish is."""
    answers = wish.conclusive
    for again in answers[1:]:
        found.asked_again += 1
        if (again.status, again.body) != (answers[0].status, answers[0].body):
            found.blame(
                "changed",
                f"{wish.kind} of {wish.account} was answered {answers[0].body!r}, then {again.body!r}",
            )
    command_id: str | None = None
    for answer in answers:
        if answer.at is None:
            if answer.told is Told.OK:
                found.blame("changed", f"{wish.kind} of {wish.account} was answered from nowhere in the log")
            else:  # nothing malformed is in a history: whoever is turned away was wronged
                found.blame(
                    "turned_away", f"{wish.kind} of {wish.account} was answered {answer.status} at the door"
                )
            continue
        decided = log.find(answer.at)
        if decided is None:
            found.blame(
                "lost",
                f"{wish.kind} of {wish.account} was answered at {_words(answer.at)}, where nothing is decided",
            )
        elif command_id not in (None, decided.command_id):
            found.blame(
                "changed",
                f"{wish.kind} of {wish.account} is two commands, {command_id} and {decided.command_id}",
            )
        else:
            command_id = decided.command_id
            _told_so(found, log, wish, answer, decided)
    return command_id


def _told_so(found: Findings, log: LogCopy, wish: Wish, answer: Attempt, decided: Decided) -> None:
    """The answer is the one that the log gave to this command first."""
    if wish.misuses is not None:
        code = decided.events[0]["data"].get("code")
        if answer.status != 422 or code != _KEY_REUSED:
            found.blame(
                "changed", f"a key used for another body was answered {answer.status}, in the log {code}"
            )
        return
    first = _first_events(log.by_command[decided.command_id])
    kind, data = first[0]["type"], first[0]["data"]
    if answer.told is Told.FAIL:
        said = code_of(answer.body)
        if kind != _REFUSED or data["code"] != said:
            found.blame(
                "lost",
                f"{wish.kind} of {wish.account} was refused as {said}; the log says {kind} {data.get('code')}",
            )
        return
    expected, names = EFFECTS[wish.kind]
    event = next((event["data"] for event in first if event["type"] == expected), None)
    if event is None:
        found.blame(
            "lost",
            f"{wish.kind} of {wish.account} was answered ok; the log says {kind} {data.get('code', '')}",
        )
        return
    told = from_json(answer.body)
    for name, source in names.items():
        if told.get(name) != event[source]:
            found.blame(
                "changed",
                f"{wish.kind} of {wish.account}: told {name} {told.get(name)}, decided {event[source]}",
            )
    for name, value in _asked(wish).items():
        if event.get(name) != value:
            found.blame(
                "changed", f"{wish.kind} of {wish.account}: asked {name} {value}, decided {event.get(name)}"
            )


def _asked(wish: Wish) -> dict[str, Any]:
    """What the deciding event must say because the caller asked for it, by its field: never what the answer said."""
    asked: dict[str, Any] = {"account_id": wish.account} if wish.account else {}
    if wish.amount_fen:
        asked["amount_fen"] = wish.amount_fen
    said = from_json(wish.body)
    if wish.kind is Kind.OPEN:
        asked["owner"] = wish.who
    elif wish.kind is Kind.BID:
        asked["listing_id"] = said["listing_id"]
    elif wish.kind is Kind.LIST:
        asked |= {name: said[name] for name in ("borrower", "tenor_months", "grade") if name in said}
    elif wish.kind in (Kind.DEPOSIT, Kind.PAID):
        name = "top_up_id" if wish.kind is Kind.DEPOSIT else "withdrawal_id"
        asked |= {name: wish.path.rsplit("/", 1)[1], "bank_reference": said["bank_reference"]}
    return asked


def _first_events(decisions: Sequence[Decided]) -> list[Any]:
    """What a command was answered first: its first decision's events."""
    return decisions[0].events


def _once(found: Findings, decisions: Sequence[Decided], wish: Wish) -> None:
    effects = [each for each in decisions if each.has_effect]
    if len(effects) > 1:
        places = ", ".join(_words(each.at) for each in effects)
        found.blame("doubled", f"{wish.kind} of {wish.account} took effect {len(effects)} times, at {places}")
    if wish.told is Told.FAIL and effects:
        found.blame(
            "doubled", f"{wish.kind} of {wish.account} was refused and took effect at {_words(effects[0].at)}"
        )
    for each in decisions[1:]:
        if each.kind == _REPEATED and each.events[0]["data"]["first"] not in (
            None,
            _plain(decisions[0].events),
        ):
            found.blame("changed", f"{_words(each.at)} repeats another answer than the first")


def _plain(events: Sequence[Any]) -> list[Any]:
    return [{name: event[name] for name in ("type", "stream", "sequence", "data")} for event in events]


# --- all of them ------------------------------------------------------------------------------------------------


def _unasked(found: Findings, decisions: Iterable[Decided], ids: Mapping[str, Wish]) -> None:
    """Effects of people's commands that nobody in the history asked for."""
    for each in decisions:
        if each.has_effect and not each.of_policy and each.command_id not in ids:
            found.blame("unasked", f"{each.kind} at {_words(each.at)} answers nobody's wish")


def _opened(history: History) -> set[str]:
    return {wish.account for wish in history.wishes if wish.kind is Kind.OPEN and wish.told is Told.OK}


def _sums(found: Findings, history: History, log: LogCopy) -> None:
    """Each one's own arithmetic (paid in, bid, asked out) and what policies owe him, against the log's sum."""
    own: defaultdict[str, int] = defaultdict(int)
    for wish in history.told(Told.OK):
        if wish.misuses is not None:
            continue
        if wish.kind is Kind.DEPOSIT:
            own[wish.account] += wish.amount_fen
        elif wish.kind in (Kind.BID, Kind.WITHDRAW):
            own[wish.account] -= wish.amount_fen
    given = given_besides(history, log)
    balances = log.balances
    for account in _opened(history):
        have, want = balances.get(f"available:{account}", 0), own[account] + given[account]
        if have != want:
            found.blame(
                "misjudged", f"{account} has {have} available, by what its owner was told it is {want}"
            )


def given_besides(history: History, log: LogCopy) -> Counter[str]:
    """What policies owe the accounts of a history, by its own amounts; anything else that they give or take is wrong.

    Of the log only what became of a bid or a listing is believed: a bid that its listing declined or did not keep gives back
    what was bid, a listing whose money was collected gives its borrower what he asked for less the fee. Both once.
    """
    back, collected = _fates(log)
    given: Counter[str] = Counter()
    for wish in history.told(Told.OK):
        if wish.misuses is not None:
            continue
        if wish.kind is Kind.BID and wish.answer.get("hold_id") in back:
            given[wish.account] += wish.amount_fen
        elif wish.kind is Kind.LIST and wish.answer.get("id") in collected:
            borrower = str(from_json(wish.body)["borrower"])
            account = "acc_" + borrower.removeprefix("usr_")
            given[account] += wish.amount_fen - collected[wish.answer["id"]]
    return given


def _fates(log: LogCopy) -> tuple[set[str], dict[str, int]]:
    """The holds that listings let go, and the fee of every listing whose money was collected."""
    back: set[str] = set()
    collected: dict[str, int] = {}
    decisions = (
        each for service in log.services for n in range(log.partitions) for each in log.decided(service, n)
    )
    for event in (event for each in decisions for event in each.events):
        data = event["data"]
        match event["type"]:
            case "bidding.BidDeclined.v1":
                back.add(data["hold_id"])
            case "bidding.ListingExpired.v1" | "bidding.ListingCancelled.v1":
                back.update(bid["hold_id"] for bid in data["bids"])
            case "bidding.FundsCollected.v1":
                collected[data["listing_id"]] = data["origination_fee_fen"]
            case _:
                pass
    return back, collected


def _words(at: At) -> str:
    return f"{at.service}/{at.partition}/{at.position}"
