"""The loans that a guarantor stands in for, as his stream's state keeps them: one text, a line for each, beside their sum.

A state is encoded whole after every decision on it, and a guarantor may stand in for 50,000 loans: as a mapping they take a hundred times
as long (accepted.py, docs/decisions/0026). Only a loan that still counts has a line.
"""

from libs.events.money import Count

Lines = str
"""`;<loan>,<fen>` for each."""

NONE: Lines = ""

#: What would end an id; no id that the platform mints has any of it.
_MARKS = (("%", "%25"), (";", "%3B"), (",", "%2C"))
_QUOTED = str.maketrans(dict(_MARKS))


def counts_for(lines: Lines, loan_id: str) -> Count:
    """What of a loan still counts (fen); 0 for one that does not."""
    begins, ends = _bounds(lines, loan_id)
    return int(lines[lines.index(",", begins) + 1 : ends]) if begins < ends else 0


def with_loan(lines: Lines, loan_id: str, fen: int) -> Lines:
    """The loans once so much of one counts; 0 for nothing."""
    begins, ends = _bounds(lines, loan_id)
    line = f";{loan_id.translate(_QUOTED)},{fen}" if fen else ""
    return lines[:begins] + line + lines[ends:]


def _bounds(lines: Lines, loan_id: str) -> tuple[int, int]:
    """Where a loan's line begins and ends; the end of the text where it has none."""
    begins = lines.find(f";{loan_id.translate(_QUOTED)},")
    if begins < 0:
        return len(lines), len(lines)
    ends = lines.find(";", begins + 1)
    return begins, len(lines) if ends < 0 else ends
