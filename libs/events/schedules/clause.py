"""The contract's clause on what the house may do with its lenders' money without asking them (processes.md 1.P, A23)."""

from typing import Literal

from libs.events.codec import record

Mandated = Literal["extension", "restructuring", "write_off", "settlement_in_kind"]
"""What lenders' word is needed for."""


@record
class MandateClause:
    """What of these the house decides by itself, and whether silence is consent in a vote on the others."""

    measures: tuple[Mandated, ...] = ()
    silence_consents: bool = False
