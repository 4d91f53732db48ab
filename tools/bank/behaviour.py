"""How the simulator misbehaves on demand: what is asked for by name, for so many of the next orders."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: An hour: longer than a test or a person waits.
_SECONDS_MAX = 3600.0

Seconds = Annotated[float, Field(ge=0, le=_SECONDS_MAX)]


class Behaviour(BaseModel):
    """What becomes of an order. The defaults are a good bank's: booked at once, called back once, truthfully.

    `hold_s`: seconds before it is booked, in which a query hears `pending`. `late_s`: seconds from the booking to the first
    call-back. `times`: how many call-backs say the same; 0 is a lost one. `contradiction`: one more call-back follows, which says
    another outcome, amount or reference. `refuse`: the bank does not book it, and says this code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    hold_s: Seconds = 0.0
    late_s: Seconds = 0.0
    times: Annotated[int, Field(ge=0, le=20)] = 1
    contradiction: Literal["outcome", "amount", "reference"] | None = None
    refuse: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")] | None = None

    @model_validator(mode="after")
    def _truth_comes_first(self) -> Self:
        """A contradiction contradicts something: said first, it would be the answer."""
        if self.contradiction and not self.times:
            raise ValueError("a contradiction needs a call-back before it")
        return self


#: What every order meets that nobody has asked something else for.
GOOD = Behaviour()
