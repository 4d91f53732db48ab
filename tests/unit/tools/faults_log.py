"""A log and a history written by hand, which agree; the tests spoil one of the two."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from libs.events.records import RawRecord
from tools.faults.history import BANK, Attempt, History, Kind, Wish
from tools.faults.log_copy import At, LogCopy

LOG_ID = "0" * 32
_HASHED = ("position", "command", "command-id", "type", "fingerprint", "source", "stored-below", "rules")
START = {("bidding", 0): 0}


@dataclass
class Written:
    """One partition of bidding: what is asked is decided at once, unless a test says otherwise."""

    log: LogCopy = field(default_factory=lambda: LogCopy(("bidding",), 1, LOG_ID, "demo"))
    history: History = field(default_factory=History)
    sequences: dict[str, int] = field(default_factory=dict)
    position: int = 0
    offset: int = 0
    head: bytes = sha256(f"{LOG_ID}\nbidding.events\n0".encode()).digest()

    def record(
        self, command_id: str, events: Sequence[dict[str, Any]], by: str = "r0"
    ) -> tuple[At, RawRecord]:
        """The log takes a command and its decision."""
        command = to_json({"command_id": command_id, "position": self.position})
        self.log.take(
            "bidding", 0, "commands", RawRecord(self.position, b"k", command, {}, 10 * self.position)
        )
        headers = {
            "position": str(self.position).encode(),
            "command": sha256(command).digest(),
            "command-id": command_id.encode(),
            "type": b"bidding.Some",
            "fingerprint": b"f-" + command_id.encode(),
            "rules": b"1",
        }
        value = to_json({"business_date": None, "events": [self._numbered(event) for event in events]})
        content = self.head
        for name in _HASHED:
            part = headers.get(name)
            content += b"\xff\xff\xff\xff" if part is None else len(part).to_bytes(4, "big") + part
        digest = sha256(content + value).digest()
        sealed = headers | {"prev": self.head, "hash": digest, "by": by.encode()}
        raw = RawRecord(self.offset, b"k", value, sealed, 10 * self.position + 5)
        self.head = digest
        self.log.take("bidding", 0, "events", raw)
        self.log.settle()
        at = At("bidding", 0, self.position)
        self.position, self.offset = self.position + 1, self.offset + 1
        return at, raw

    def written_again(self, raw: RawRecord) -> None:
        """A zombie writes a record once more."""
        self.log.take("bidding", 0, "events", RawRecord(self.offset, b"k", raw.value, raw.headers, 10**6))
        self.offset += 1
        self.log.settle()

    def _numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        stream, number = event["stream"], None
        if stream is not None:
            number = self.sequences[stream] = self.sequences.get(stream, 0) + 1
        return {"type": event["type"], "stream": stream, "sequence": number, "data": event["data"]}

    def asked(self, wish: Wish, at: At | None, status: int, body: dict[str, Any]) -> Wish:
        """A caller asked and was told this."""
        if wish not in self.history.wishes:
            self.history.add(wish)
        wish.attempts.append(Attempt(0.0, 1.0, status, to_json(body), at))
        return wish

    # --- honest pieces ------------------------------------------------------------------------------------------

    def opens(self, name: str = "a") -> Wish:
        """Somebody opens an account."""
        at, _ = self.record(f"open-{name}", [opened(name)])
        wish = Wish(Kind.OPEN, f"usr_{name}", "/bidding/accounts", b"{}", f"acc_{name}", key="k")
        return self.asked(wish, at, 201, {"id": f"acc_{name}"})

    def deposits(self, amount_fen: int, told_fen: int | None = None, name: str = "a") -> Wish:
        """The bank confirms a top-up; perhaps the caller is told another amount."""
        at, _ = self.record(f"deposit-{name}-{amount_fen}", [deposited(name, amount_fen)])
        wish = Wish(
            Kind.DEPOSIT,
            BANK,
            f"/bidding/bank/top-ups/acc_{name}/top_1",
            to_json({"bank_reference": f"B-{amount_fen}"}),
            f"acc_{name}",
            told_fen or amount_fen,
        )
        body = {
            "id": "top_1",
            "account_id": f"acc_{name}",
            "status": "deposited",
            "amount_fen": told_fen or amount_fen,
        }
        return self.asked(wish, at, 200, body)

    def bids(
        self, amount_fen: int, available_after_fen: int, name: str = "a", listing: str = "lst_1"
    ) -> Wish:
        """Somebody bids on a listing."""
        at, _ = self.record(
            f"bid-{name}-{amount_fen}", [held(name, amount_fen, available_after_fen, listing)]
        )
        body = to_json({"listing_id": listing, "amount_fen": amount_fen})
        wish = Wish(Kind.BID, f"usr_{name}", f"/bidding/accounts/acc_{name}/bids", body, f"acc_{name}", amount_fen, "b")  # fmt: skip
        told = {
            "id": "bid_1",
            "hold_id": "hld_1",
            "account_id": f"acc_{name}",
            "listing_id": listing,
            "amount_fen": amount_fen,
            "available_after_fen": available_after_fen,
        }
        return self.asked(wish, at, 201, told)

    def refuses(self, command_id: str, code: str, wish: Wish) -> Wish:
        """A wish is refused."""
        at, _ = self.record(command_id, [refused(code)])
        return self.asked(wish, at, 409, {"type": f"urn:loanstream:problem:{code}"})


def opened(name: str) -> dict[str, Any]:
    """An account exists."""
    data = {"account_id": f"acc_{name}", "owner": f"usr_{name}"}
    return {"type": "bidding.AccountOpened.v1", "stream": f"acc_{name}", "data": data}


def deposited(name: str, amount_fen: int) -> dict[str, Any]:
    """Money came in."""
    postings = [
        {"account": "bank:custody", "amount_fen": -amount_fen},
        {"account": f"available:acc_{name}", "amount_fen": amount_fen},
    ]
    data = {
        "account_id": f"acc_{name}",
        "owner": f"usr_{name}",
        "top_up_id": "top_1",
        "bank_reference": f"B-{amount_fen}",
        "amount_fen": amount_fen,
        "postings": postings,
    }
    return {"type": "bidding.FundsDeposited.v1", "stream": f"acc_{name}", "data": data}


def held(name: str, amount_fen: int, available_after_fen: int, listing: str) -> dict[str, Any]:
    """Money waits for a listing."""
    postings = [
        {"account": f"available:acc_{name}", "amount_fen": -amount_fen},
        {"account": f"held:acc_{name}", "amount_fen": amount_fen},
    ]
    data = {
        "account_id": f"acc_{name}",
        "owner": f"usr_{name}",
        "hold_id": "hld_1",
        "bid_id": "bid_1",
        "listing_id": listing,
        "amount_fen": amount_fen,
        "available_after_fen": available_after_fen,
        "postings": postings,
    }
    return {"type": "bidding.FundsHeld.v1", "stream": f"acc_{name}", "data": data}


def declined(name: str, amount_fen: int, listing: str = "lst_1") -> dict[str, Any]:
    """A listing does not take the bid."""
    data = {"listing_id": listing, "bid_id": "bid_1", "hold_id": "hld_1", "account_id": f"acc_{name}", "amount_fen": amount_fen, "code": "listing_full"}  # fmt: skip
    return {"type": "bidding.BidDeclined.v1", "stream": listing, "data": data}


def released(name: str, amount_fen: int, booked_fen: int | None = None) -> dict[str, Any]:
    """The bid's money is free again; perhaps another sum is booked."""
    booked_fen = amount_fen if booked_fen is None else booked_fen
    postings = [
        {"account": f"held:acc_{name}", "amount_fen": -booked_fen},
        {"account": f"available:acc_{name}", "amount_fen": booked_fen},
    ]
    data = {
        "account_id": f"acc_{name}",
        "hold_id": "hld_1",
        "bid_id": "bid_1",
        "amount_fen": amount_fen,
        "postings": postings,
    }
    return {"type": "bidding.HoldReleased.v1", "stream": f"acc_{name}", "data": data}


def asked_out(name: str, amount_fen: int) -> dict[str, Any]:
    """Money waits for the bank."""
    postings = [
        {"account": f"available:acc_{name}", "amount_fen": -amount_fen},
        {"account": f"held:acc_{name}", "amount_fen": amount_fen},
    ]
    data = {
        "account_id": f"acc_{name}",
        "withdrawal_id": "wdr_1",
        "amount_fen": amount_fen,
        "postings": postings,
    }
    return {"type": "bidding.WithdrawalRequested.v1", "stream": f"acc_{name}", "data": data}


def refused(code: str) -> dict[str, Any]:
    """Nothing happened."""
    data = {"command_type": "bidding.Some", "code": code, "stream_id": "acc_a", "about": {}}
    return {"type": "system.CommandRefused.v1", "stream": None, "data": data}


def repeated(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """It was decided before."""
    return {
        "type": "system.CommandRepeated.v1",
        "stream": None,
        "data": {"first_position": 0, "first": list(events)},
    }
