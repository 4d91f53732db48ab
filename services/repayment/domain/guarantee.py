"""What a loan knows of its guarantor: who he is, a compensation that is under way, and what he has paid for."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, Literal, Protocol, TypeVar, assert_never

from libs.events.codec import record
from libs.events.compensation import (
    ClaimsSubrogated,
    CompensationApproved,
    CompensationDeclined,
    CompensationExecuted,
    CompensationProposed,
)
from libs.events.repayment import AllocationLine


@record
class Proposed:
    """One of finance proposes it; it is signed until the end of `sign_until`."""

    kind: Literal["proposed"] = "proposed"
    compensation_id: str
    proposed_by: str
    sign_until: date | None = None


@record
class Approved:
    """Another one agreed; the cashier asks for the money."""

    kind: Literal["approved"] = "approved"
    compensation_id: str
    proposed_by: str
    approved_by: str
    sign_until: date | None = None


@record
class Asked:
    """The guarantor's account is asked for what `lines` say of each instalment."""

    kind: Literal["asked"] = "asked"
    compensation_id: str
    lines: tuple[AllocationLine, ...]


UnderWay = Proposed | Approved | Asked


@record
class Subrogated:
    """Instalments that are the guarantor's, because he paid them: number `first` through `through`, None for all to the end."""

    claim_id: str
    first: int
    through: int | None

    def holds(self, number: int) -> bool:
        """Whether what is paid on an instalment is his; number 0 is what ends the loan early."""
        if self.through is None:
            return number == 0 or number >= self.first
        return self.first <= number <= self.through

    def outlives(self, number: int) -> bool:
        """Whether they are his still once others take the place of all from a number on: only where none of them is replaced."""
        return self.through is None or self.through < number


class Numbered(Protocol):
    """What stands on an instalment: paid on it, or to be."""

    @property
    def number(self) -> int: ...


_Line = TypeVar("_Line", bound=Numbered)


def by_owner(subrogated: Sequence[Subrogated], lines: Iterable[_Line]) -> dict[str | None, list[_Line]]:
    """Whose each instalment is: under a guarantor's claim what is on those that he paid for, under None what all other claims share.
    One rule for what is paid (sharing.py) and for what is to be (expected.py, worth.py)."""
    found: dict[str | None, list[_Line]] = {None: [], **{each.claim_id: [] for each in subrogated}}
    for line in lines:
        owner = next((each.claim_id for each in subrogated if each.holds(line.number)), None)
        found[owner].append(line)
    return found


#: What his account answers when it cannot pay; any other end of a compensation is the house's, or the borrower's.
_CANNOT_PAY: Final = frozenset(
    {"insufficient_available", "owner_deceased", "unknown_account", "account_closed"}
)


@record
class Guarantee:
    """A loan's guarantor, `under_way` what he is being asked for, `subrogated` what he has paid for, oldest first. `asked_in_vain`: when he was
    asked last, his account could not pay."""

    guarantor: str
    under_way: UnderWay | None = None
    subrogated: tuple[Subrogated, ...] = ()
    asked_in_vain: bool = False

    @property
    def is_asked_first(self) -> bool:
        """Whether there is money of his that would come before a thing of the debtor's: he has not paid for all of it, and could pay, or is being
        asked whether he can."""
        return self.next_number is not None and (self.under_way is not None or not self.asked_in_vain)

    @property
    def next_number(self) -> int | None:
        """The first instalment that is not his, None when all are."""
        if not self.subrogated:
            return 1
        last = self.subrogated[-1].through
        return None if last is None else last + 1

    def is_his(self, number: int) -> bool:
        """Whether an instalment is his, because he paid it."""
        return any(each.holds(number) for each in self.subrogated)


GuaranteeEvent = (
    CompensationProposed
    | CompensationApproved
    | CompensationExecuted
    | CompensationDeclined
    | ClaimsSubrogated
)


def fold(guarantee: Guarantee, event: GuaranteeEvent) -> Guarantee:
    """The guarantee after one event."""
    match event:
        case CompensationProposed():
            asked = Proposed(
                compensation_id=event.compensation_id,
                proposed_by=event.proposed_by,
                sign_until=event.sign_until,
            )
            return replace(guarantee, under_way=asked)
        case CompensationApproved():
            assert isinstance(guarantee.under_way, Proposed), "what is proposed is approved"
            approved = Approved(
                compensation_id=event.compensation_id,
                proposed_by=guarantee.under_way.proposed_by,
                approved_by=event.approved_by,
                sign_until=guarantee.under_way.sign_until,
            )
            return replace(guarantee, under_way=approved)
        case CompensationExecuted():
            return replace(
                guarantee, under_way=Asked(compensation_id=event.compensation_id, lines=event.lines)
            )
        case CompensationDeclined():
            in_vain = isinstance(guarantee.under_way, Asked) and event.code in _CANNOT_PAY
            return replace(guarantee, under_way=None, asked_in_vain=guarantee.asked_in_vain or in_vain)
        case ClaimsSubrogated():
            claim = event.claim
            paid = Subrogated(claim_id=claim.claim_id, first=claim.first, through=claim.through)
            return replace(
                guarantee, under_way=None, subrogated=(*guarantee.subrogated, paid), asked_in_vain=False
            )
        case _:
            assert_never(event)


def replaced_from(guarantee: Guarantee | None, number: int) -> Guarantee | None:
    """Once instalments from a number on are no longer what he paid, he shares in what takes their place as every holder does."""
    if guarantee is None:
        return None
    kept = tuple(each for each in guarantee.subrogated if each.outlives(number))
    return replace(guarantee, subrogated=kept)
