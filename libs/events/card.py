"""The name of a customer's own-name bank card on the log: never its number, which is personal data and the vault's.

It stands in a file of its own because three services' events speak of it.
"""

from typing import Annotated

from pydantic import Field

CardRef = Annotated[str, Field(pattern=r"^card_[0-9a-f]{32}$")]
"""An opaque id that onboarding minted; its form leaves no room for a card's number (13 to 19 digits)."""
