"""What is proved of a day's differences without keeping them: their names, their sums, and digests that only the same ones have."""

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import Final, get_args

from libs.events.bank_days import LineBreak, LineKind, Part, Told
from services.bidding.commands.bank_days import Gone, ReconcileBankDay

#: What counts a booking on one side only: here, there.
HERE: Final = ("missing_here",)
THERE: Final = ("missing_there", "reference_reused")
LINE_KINDS: Final[tuple[str, ...]] = get_args(LineKind)

_DIGESTS: Final = 2**256
#: Of a day of which nothing was told.
NOTHING_TOLD: Final = Told(breaks=0, differs_fen=0, alone=0, digest=f"{0:064x}")


def alone_in(breaks: Iterable[LineBreak | Gone]) -> int:
    """How many more bookings the bank has than we, by these."""
    return sum((each.kind in HERE) - (each.kind in THERE) for each in breaks)


def differs_fen_in(breaks: Iterable[LineBreak | Gone]) -> int:
    """How much more the bank has than we, by these."""
    return sum(each.bank_fen - each.ledger_fen for each in breaks)


def part_of(breaks: Sequence[LineBreak], gone: Sequence[Gone] = ()) -> Part:
    """What is told of a part before it comes."""
    said = [
        f"{each.kind}|{each.reference}|{each.account_id}|{each.bank_fen}|{each.ledger_fen}|{each.number}\n"
        for each in breaks
    ]
    said += [f"{each.break_id}|{each.bank_fen}|{each.ledger_fen}|{each.counterpart}\n" for each in gone]
    return Part(
        digest=sha256("".join(said).encode()).hexdigest(),
        breaks=len(breaks) + len(gone),
        differs_fen=differs_fen_in(breaks) - differs_fen_in(gone),
        alone=alone_in(breaks) - alone_in(gone),
    )


def told_with(day: date, told: Told, breaks: Sequence[LineBreak], gone: Sequence[Gone]) -> Told:
    """All that was told of a day, with what is new and without what is gone."""
    names = digest_of(break_id_of(day, each) for each in breaks) - digest_of(each.break_id for each in gone)
    return Told(
        breaks=told.breaks + len(breaks) - len(gone),
        differs_fen=told.differs_fen + differs_fen_in(breaks) - differs_fen_in(gone),
        alone=told.alone + alone_in(breaks) - alone_in(gone),
        digest=in_hex(int(told.digest, 16) + names),
    )


def digest_of(break_ids: Iterable[str]) -> int:
    """A number that only these ids have, in whatever order."""
    return sum(int.from_bytes(sha256(break_id.encode()).digest()) for break_id in break_ids)


def in_hex(digest: int) -> str:
    """As events say it."""
    return f"{digest % _DIGESTS:064x}"


def listing_of(command: ReconcileBankDay) -> str:
    """The digest over all that is told of a day in parts: whoever begins anew with other balances begins another listing."""
    claims, known = command.claims, command.known or NOTHING_TOLD
    figures = (
        command.accounts_fen,
        command.bank.closing_fen,
        command.ledger.closing_fen,
        *((claims.register_fen, claims.ledger_fen) if claims else ()),
    )
    said = (command.lines_hash, known.digest, *map(str, figures), *(part.digest for part in command.parts))
    return sha256("|".join(said).encode()).hexdigest()


def break_id_of(day: date, line: LineBreak) -> str:
    """A difference is known by all that it says: said again it is the same, said otherwise it is another."""
    amounts = (str(line.bank_fen), str(line.ledger_fen))
    which = (str(line.number),) if line.number else ()
    return digest(str(day), line.kind, line.reference, line.account_id, *amounts, *which)


def digest(*parts: str) -> str:
    """An id of a difference, of all that it says."""
    said = "".join(f"{len(part)}:{part}" for part in parts)
    return f"brk_{sha256(said.encode()).hexdigest()[:32]}"
