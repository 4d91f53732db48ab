"""Of a date that differs in much: what was told of it before, as the views show it, and how much more there is room for.

What has no room waits in the bank's file and in our bookings, which both stay; each look at them brings the next.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Final

from libs.events.bank_days import LineBreak, Told, Unlisted
from libs.runtime.http.edge import ReadsViews
from services.bidding.commands.bank_days import Gone, Half
from services.bidding.domain.bank_day_files import BREAKS_MAX, LISTED_MAX, PART_MAX
from services.bidding.domain.bank_day_sums import LINE_KINDS, alone_in, differs_fen_in
from services.bidding.matching import Known, Matcher

BREAKS: Final = "bidding.bank-breaks"
#: Of the room for differences of lines, what is left to those of the whole, which never wait (chosen).
_OF_THE_WHOLE: Final = 100
_PAGE: Final = 1_000

InThread = Callable[..., Awaitable[Any]]
"""Run a function that blocks beside the loop (asyncio.to_thread)."""

Chunk = tuple[tuple[LineBreak, ...], tuple[Gone, ...]]


@dataclass(frozen=True, slots=True)
class Room:
    """How many differences of lines may be open, how many one look brings, and how many one command."""

    open: int
    listed: int
    part: int


USUAL: Final = Room(open=BREAKS_MAX - _OF_THE_WHOLE, listed=LISTED_MAX, part=PART_MAX)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a date's file shows; `known` is None where that is all, else it is what is new, what is gone, and what waits."""

    breaks: tuple[LineBreak, ...]
    gone: tuple[Gone, ...] = ()
    known: Told | None = None
    unlisted: Unlisted | None = None
    unclosed: Unlisted | None = None


async def shown_by(
    views: ReadsViews,
    matcher: Matcher,
    day: date,
    known: Mapping[str, Any],
    room: Room,
    in_thread: InThread,
) -> Shown:
    """What a date's file shows: all of it, where that is little and nothing was left out before (`known`: the date's document), else
    what is new and what is gone.
    """
    if not known.get("bit_by_bit"):
        whole = await in_thread(matcher.breaks, room.part)
        # What is told as a whole says its own differences on the list again, so they take no room from it.
        if whole == [] or (whole and len(whole) <= room.open - await _open_breaks(views, besides=day)):
            return Shown(breaks=tuple(whole))
    return await _bit_by_bit(views, matcher, day, room, in_thread)


async def _bit_by_bit(
    views: ReadsViews,
    matcher: Matcher,
    day: date,
    room: Room,
    in_thread: InThread,
) -> Shown:
    """What is new of a date and what is gone, as far as there is room."""
    await _take_known(views, matcher, day)
    left = max(0, room.open - await _open_breaks(views))
    listing = await in_thread(
        partial(
            matcher.listing,
            day,
            new_max=min(left, room.listed),
            gone_max=room.listed,
            alone_max=left,
        )
    )
    gone = tuple([await _with_other(views, each) for each in listing.gone])
    stand_alone = sum(each.other is not None for each in gone)
    new = listing.new[: max(0, left - stand_alone)]
    return Shown(
        breaks=new,
        gone=gone,
        known=matcher.told,
        unlisted=_more(listing.unlisted, listing.new[len(new) :]),
        unclosed=listing.unclosed,
    )


async def _open_breaks(views: ReadsViews, besides: date | None = None) -> int:
    """How many differences stand on the work list, explained ones too; without those of the lines of a date (`besides`)."""
    found = 0
    for state in ("open", "explained"):
        after: str | None = None
        while True:
            page, after = await views.page(BREAKS, where={"state": state}, after=after, limit=_PAGE)
            found += sum(not (besides and _is_line_of(besides, document)) for document in page)
            if after is None:
                break
    return found


def _is_line_of(day: date, document: Mapping[str, Any]) -> bool:
    return document["kind"] in LINE_KINDS and document["business_date"] == day.isoformat()


def chunks_of(breaks: Sequence[LineBreak], gone: Sequence[Gone], part: int) -> list[Chunk]:
    """As many as a command takes, each; what is gone comes first, because it makes room."""
    if len(breaks) + 2 * len(gone) <= part:
        return [(tuple(breaks), tuple(gone))]
    half = max(1, part // 2)
    chunks: list[Chunk] = [((), tuple(gone[at : at + half])) for at in range(0, len(gone), half)]
    return chunks + [(tuple(breaks[at : at + part]), ()) for at in range(0, len(breaks), part)]


def _more(sums: Unlisted | None, breaks: Sequence[LineBreak]) -> Unlisted | None:
    """The sums of what waits, with these."""
    if not breaks:
        return sums
    before = sums or Unlisted(breaks=0, differs_fen=0, alone=0)
    return Unlisted(
        breaks=before.breaks + len(breaks),
        differs_fen=before.differs_fen + differs_fen_in(breaks),
        alone=before.alone + alone_in(breaks),
    )


async def _take_known(views: ReadsViews, matcher: Matcher, day: date) -> None:
    """What was told of the date and what its files still showed when they were last looked at."""
    after: str | None = None
    while True:
        page, after = await views.page(
            BREAKS, where={"business_date": day.isoformat()}, after=after, limit=_PAGE
        )
        matcher.take_known(
            Known(
                document["reference"],
                Gone(
                    break_id=document["break_id"],
                    kind=document["kind"],
                    bank_fen=document["bank_fen"],
                    ledger_fen=document["ledger_fen"],
                    counterpart=(document["counterpart"] or "") if document["state"] == "resolved" else "",
                ),
            )
            for document in page
            if _is_shown(document)
        )
        if after is None:
            break


def _is_shown(document: Mapping[str, Any]) -> bool:
    """Whether a difference is one of a line, and no file was without it yet."""
    return document["kind"] in LINE_KINDS and document["state"] != "closed" and not document.get("is_gone")


async def _with_other(views: ReadsViews, gone: Gone) -> Gone:
    """With what was settled together with it, if that is still so."""
    other = await views.get(BREAKS, gone.counterpart) if gone.counterpart else None
    if other is None or other["state"] != "resolved" or other["counterpart"] != gone.break_id:
        return replace(gone, counterpart="")
    if not _is_shown(other):
        return replace(gone, counterpart="")
    half = Half(
        business_date=date.fromisoformat(other["business_date"]),
        kind=other["kind"],
        reference=other["reference"],
        account_id=other["account_id"],
        bank_fen=other["bank_fen"],
        ledger_fen=other["ledger_fen"],
    )
    return replace(gone, other=half)
