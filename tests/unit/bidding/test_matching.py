"""A bank's file is believed as a whole or refused at a line, and matched with our bookings, however many, in bounded memory."""

import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.bank_days import LineBreak, Side, Unlisted
from libs.events.money import MAX_INTEGER
from services.bidding.bank_file import LINE_BYTES_MAX, BankFile, BankFileRefused, lines_of
from services.bidding.domain.bank_day_sums import NOTHING_TOLD, alone_in
from services.bidding.matching import Matcher, OurBooking, judged

DAY = date(2024, 3, 11)
ROOT = Path(__file__).resolve().parents[3]
HEAD, END = "H|loanstream-bank-file|2|2024-03-11|2|100", "T|2|500|200|400"
END_OF_NONE = ("H|loanstream-bank-file|2|2024-03-11|0|0", "T|0|0|0|0")
IN = "B|B1|top_1|acc_ann|in|500|2024-03-11T08:00:00Z"
OUT = "B|B2|wdr_1|acc_cem|out|200|2024-03-11T08:00:01Z"

#: A reference has a booking on at most one account of the bank, and on any accounts of ours.
BANK = st.dictionaries(
    st.sampled_from("ABCDEFGH"),
    st.tuples(st.sampled_from("xyz"), st.integers(-3, 3).filter(bool)),
)
OURS = st.dictionaries(
    st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from("xyz")), st.integers(-3, 3).filter(bool)
)


def read(*lines: str, begins_at: int = 0, end: str = "\n") -> BankFile:
    """The file of these lines, read to its end."""
    text = ("\n".join(lines) + end).encode()
    file = BankFile(lines_of(text[at : at + 7] for at in range(0, len(text), 7)), DAY, begins_at)
    for _ in file.read():
        pass
    return file


def matched(
    bank: dict[str, tuple[str, int]], ours: Sequence[OurBooking], place: Path | None = None
) -> list[LineBreak]:
    """What differs, by the real thing."""
    lines = [
        f"B|{reference}||{account}|{'in' if fen > 0 else 'out'}|{abs(fen)}|2024-03-11T08:00:00Z"
        for reference, (account, fen) in bank.items()
    ]
    in_fen = sum(fen for _, fen in bank.values() if fen > 0)
    out_fen = -sum(fen for _, fen in bank.values() if fen < 0)
    text = "\n".join(
        (
            f"H|loanstream-bank-file|2|2024-03-11|{len(bank)}|0",
            *lines,
            f"T|{len(bank)}|{in_fen}|{out_fen}|{in_fen - out_fen}\n",
        )
    ).encode()
    with Matcher.open(place) as matcher:
        matcher.take_bank(BankFile(lines_of([text]), DAY))
        matcher.take_ledger(ours)
        found = matcher.breaks(1_000)
        assert found is not None
        return found


def test_a_whole_file_is_read() -> None:
    """Its sums, the digest of its bookings, and that of as many of them as an earlier file had."""
    file = read(HEAD, IN, OUT, END, begins_at=1)
    assert file.side == Side(bookings=2, in_fen=500, out_fen=200, closing_fen=400)
    assert file.lines_hash == sha256(f"{IN}\n{OUT}\n".encode()).hexdigest()
    assert (file.begins_at, file.begins_with) == (1, sha256(f"{IN}\n".encode()).hexdigest())
    shorter = read(HEAD, IN, OUT, END, begins_at=3)
    assert (shorter.begins_at, shorter.begins_with) == (2, shorter.lines_hash)
    empty = read("H|loanstream-bank-file|2|2024-03-11|0|-5", "T|0|0|0|-5")
    assert (empty.side.bookings, empty.lines_hash) == (0, sha256().hexdigest())


def _at(line: str, when: str) -> str:
    """The line with another time."""
    return f"{line.rsplit('|', 1)[0]}|{when}"


def _most(line: str) -> str:
    """The line with the largest amount."""
    return re.sub(r"\|(500|200)\|", f"|{MAX_INTEGER}|", line)


NO_TIMES = ("9999-99-99T99:99:99Z", "2024-02-31T08:00:00Z", "2024-03-11T25:00:00Z", "2024-03-11T08:61:00Z")


@pytest.mark.parametrize(
    ("line", "code", "lines"),
    [
        (1, "head_missing", (IN, OUT, END)),
        (1, "head_missing", ("",)),
        (1, "broken_head", ("H|loanstream-bank-file|2|2024-03-11|two|0", END)),
        (1, "unknown_version", (HEAD.replace("|2|", "|1|", 1), IN, OUT, END)),
        (1, "wrong_date", (HEAD.replace("03-11", "03-12"), IN, OUT, END)),
        (2, "broken_line", (HEAD, IN.replace("500", "5.0"), OUT, END)),
        (3, "broken_line", (HEAD, IN, OUT.replace("out", "off"), END)),
        (3, "broken_line", (HEAD, IN, OUT.replace("acc_cem", "Cem Demir"), END)),
        (3, "broken_line", (HEAD, IN, OUT.replace("200", "0"), END)),
        (3, "broken_line", (HEAD, IN, OUT.replace("200", "9" * 16), END)),
        (3, "broken_line", (HEAD, IN, OUT.replace("200", f"{MAX_INTEGER + 1}"), END)),
        *((2, "broken_line", (HEAD, _at(IN, when), OUT, END)) for when in NO_TIMES),
        (3, "broken_line", (HEAD, IN, "x" * (LINE_BYTES_MAX + 1), END)),
        (4, "end_missing", (HEAD, IN, OUT)),
        (4, "count_differs", (HEAD, IN, OUT, "T|3|500|200|400")),
        (3, "count_differs", (HEAD, IN, "T|1|500|0|600")),
        (4, "sum_differs", (HEAD, IN, OUT, "T|2|500|201|399")),
        (4, "balance_differs", (HEAD, IN, OUT, "T|2|500|200|401")),
        (1, "sum_too_large", (HEAD.replace("|2|100", f"|2|{MAX_INTEGER + 1}"), IN, OUT, END)),
        (
            4,
            "sum_too_large",
            (
                HEAD,
                _most(IN),
                _most(OUT.replace("out", "in")),
                f"T|2|{2 * MAX_INTEGER}|0|{2 * MAX_INTEGER + 100}",
            ),
        ),
        (
            3,
            "sum_too_large",
            (HEAD.replace("|2|100", "|1|1"), _most(IN), f"T|1|{MAX_INTEGER}|0|{MAX_INTEGER + 1}"),
        ),
        (5, "goes_on_after_its_end", (HEAD, IN, OUT, END, IN)),
        (4, "reference_twice", (HEAD.replace("|2|100", "|3|100"), IN, OUT, IN, "T|3|1000|200|900")),
    ],
)
def test_a_broken_file_is_refused_at_its_line(line: int, code: str, lines: tuple[str, ...]) -> None:
    """Broken, cut, doubled, or of another date: named with the number of the line, and nothing of it counts."""
    text = ("\n".join(lines) + "\n").encode()
    with Matcher.open() as matcher, pytest.raises(BankFileRefused) as refused:
        matcher.take_bank(BankFile(lines_of([text]), DAY))
    assert (refused.value.line, refused.value.code) == (line, code)


@pytest.mark.parametrize("cut", range(1, len("\n".join((HEAD, IN, OUT, END))) + 1, 3))
def test_a_file_that_ends_anywhere_is_not_whole(cut: int) -> None:
    """Whatever is missing at its end, it is not taken for the whole."""
    text = "\n".join((HEAD, IN, OUT, END)) + "\n"
    with pytest.raises(BankFileRefused):
        read(text[:-cut], end="")


@given(BANK, OURS)
def test_what_differs_is_what_the_two_sides_do_not_share(
    bank: dict[str, tuple[str, int]], ours: dict[tuple[str, str], int]
) -> None:
    """Against a naive oracle: a booking that both have alike is no difference, any other is one, and they add up to the fen."""
    bookings = [OurBooking(reference, account, fen) for (reference, account), fen in ours.items()]
    breaks = matched(bank, bookings)
    theirs = {(reference, account, fen) for reference, (account, fen) in bank.items()}
    mine = {(reference, account, fen) for (reference, account), fen in ours.items()}
    alike = theirs & mine
    assert {each.reference for each in breaks} == {each[0] for each in theirs ^ mine}
    assert sum(each.bank_fen - each.ledger_fen for each in breaks) == sum(fen for *_, fen in theirs) - sum(
        fen for *_, fen in mine
    )
    for reference in bank.keys() | {each for each, _ in ours}:
        kinds = sorted(each.kind for each in breaks if each.reference == reference)
        here = [each for each in theirs if each[0] == reference]
        there = sorted(each for each in mine if each[0] == reference)
        reused = ["reference_reused"] * (len(there) - 1)
        if not there:
            assert kinds == ["missing_here"]
        elif not here:
            assert kinds == ["missing_there", *reused]
        elif here[0] in alike:
            assert kinds == reused
        else:
            meant = next((each for each in there if each[1] == here[0][1]), there[0])
            kind = (
                "direction_differs"
                if (here[0][2] < 0) != (meant[2] < 0)
                else "amount_differs"
                if here[0][2] != meant[2]
                else "account_differs"
            )
            assert kinds == sorted([kind, *reused])


def test_differences_beyond_a_work_list_are_counted(tmp_path: Path) -> None:
    """As many are told as there is room for; the rest is a number and its sums, and nothing stays on the disk."""
    ours = [OurBooking(f"R{number}", "acc_ann", number) for number in range(1, 6)]
    with Matcher.open(tmp_path) as matcher:
        matcher.take_bank(BankFile([f"{END_OF_NONE[0]}\n".encode(), f"{END_OF_NONE[1]}\n".encode()], DAY))
        matcher.take_ledger(ours)
        assert matcher.breaks(4) is None
        found = matcher.listing(DAY, new_max=3, gone_max=0, alone_max=0)
        assert matcher.told == NOTHING_TOLD
    assert [each.reference for each in found.new] == ["R1", "R2", "R3"]
    assert (found.gone, found.unclosed) == ((), None)
    assert found.unlisted == Unlisted(breaks=2, differs_fen=-9, alone=-2)
    assert not [*tmp_path.iterdir()]


def test_bookings_that_say_the_same_are_told_apart() -> None:
    """One reference told three times to one account is three differences, numbered; the bank's own is none of them."""
    thrice = [OurBooking("R", "acc_ann", 5)] * 3
    numbers = [(each.kind, each.number) for each in judged(None, thrice)]
    assert numbers == [("missing_there", 0), ("reference_reused", 1), ("reference_reused", 2)]
    assert alone_in(judged(None, thrice)) == -3


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Twenty thousand lines take what two thousand take, but for a few megabytes: neither side is ever held."""
    code = (
        "import resource, sys; from tests.unit.bidding.long_file import match\n"
        "print(match(int(sys.argv[1])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for lines in (2_000, 20_000):
        line = [sys.executable, "-c", code, str(lines)]
        found = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        breaks, peak_kib = found.stdout.split()
        assert int(breaks) == 3
        peaks.append(int(peak_kib))
    assert peaks[1] - peaks[0] < 16 * 1024
