"""Words that no text of the platform may use: they promise what nobody can keep (processes.md 1.N, 2016 Interim Measures art. 10).

A template is looked at when it is imported, so one that promises safety never reaches an investor. It stands here because
every service that shows a text to customers has templates of its own.
"""

#: In lower case; a text is compared without its case, with one space for whatever stands between words.
FORBIDDEN = (
    "guaranteed",
    "principal protected",
    "principal protection",
    "capital protected",
    "zero risk",
    "no risk",
    "risk free",
    "without risk",
    "safe as a deposit",
    "certain profit",
    "保本",
    "保息",
    "保收益",
    "零风险",
    "无风险",
    "稳赚",
    "刚性兑付",
    "包赔",
)

_GAPS = str.maketrans("-_.\n\t", "     ")


def forbidden_in(text: str) -> tuple[str, ...]:
    """The forbidden words that a text uses, in the order of the list."""
    plain = " ".join(text.lower().translate(_GAPS).split())
    return tuple(word for word in FORBIDDEN if word in plain)


def lawful(template: str) -> str:
    """The template itself. Raises ValueError for one that uses a forbidden word."""
    found = forbidden_in(template)
    if found:
        raise ValueError(f"no text of the platform may say {', '.join(found)}")
    return template
