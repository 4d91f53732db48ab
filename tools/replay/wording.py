"""How figures are written for people."""


def money(fen: int) -> str:
    """An amount for a person: 1,234.56."""
    sign, amount = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{amount // 100:,}.{amount % 100:02}"
