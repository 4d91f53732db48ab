"""The lenders' mandate 委托: whose word is needed, how a vote stands, and when it is decided.

The contract may give it beforehand. Else it needs more than two thirds of the principal within ten days; silence counts only where
the contract says that it does *(chosen)* (processes.md 1.P, A23). What asks for it is another room's: a measure, a settlement in kind.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from libs.events.codec import record
from libs.events.deciding import Refused
from libs.events.mandate import MandateBy, Voter
from libs.events.money import Count
from libs.events.schedules.clause import MandateClause, Mandated
from libs.events.schedules.terms import RepaymentTerms

#: More than so many of so many parts of the principal carry a vote.
_CARRIES, _OF = 2, 3


class Creditor(Protocol):
    """A claim, as a vote sees it."""

    @property
    def investor(self) -> str: ...
    @property
    def principal_fen(self) -> int: ...


@record
class Need:
    """Whose word a loan's lenders have given already, or are still to give; the voters of the day on which it was asked for."""

    by: MandateBy
    voters: tuple[Voter, ...] = ()
    silence_consents: bool = False


@record
class Ballot:
    """A vote: who has one, until the end of which day, who has used it, and with how much of the principal."""

    voters: tuple[Voter, ...]
    until: date
    silence_consents: bool
    agreed: tuple[str, ...] = ()
    disagreed: tuple[str, ...] = ()
    for_fen: Count = 0
    against_fen: Count = 0

    @property
    def of_fen(self) -> int:
        """All principal that has a vote."""
        return sum(voter.principal_fen for voter in self.voters)


def need_of(terms: RepaymentTerms | None, what: Mandated, claims: Sequence[Creditor]) -> Need:
    """What a loan's contract says of it; who votes where it says nothing, each lender once with all that he is owed.
    Refused: `no_voters`."""
    clause = (terms.mandate if terms else None) or MandateClause()
    if what in clause.measures:
        return Need(by="clause")
    owed: dict[str, int] = {}
    for claim in claims:
        owed[claim.investor] = owed.get(claim.investor, 0) + claim.principal_fen
    voters = tuple(Voter(investor=who, principal_fen=fen) for who, fen in owed.items() if fen)
    if not voters:
        raise Refused("no_voters")
    return Need(by="vote", voters=voters, silence_consents=clause.silence_consents)


def vote_of(ballot: Ballot, who: str, *, agrees: bool) -> Voter | None:
    """Who votes, with how much; None for the same again. Refused: `forbidden_no_claim`, `voted_otherwise`."""
    voter = next((each for each in ballot.voters if each.investor == who), None)
    if voter is None:
        raise Refused("forbidden_no_claim")
    if who in (ballot.agreed if agrees else ballot.disagreed):
        return None
    if who in (*ballot.agreed, *ballot.disagreed):
        raise Refused("voted_otherwise")
    return voter


def counted(ballot: Ballot, voter: Voter, *, agrees: bool) -> Ballot:
    """The ballot with one more vote."""
    if agrees:
        return replace(
            ballot,
            agreed=(*ballot.agreed, voter.investor),
            for_fen=ballot.for_fen + voter.principal_fen,
        )
    return replace(
        ballot,
        disagreed=(*ballot.disagreed, voter.investor),
        against_fen=ballot.against_fen + voter.principal_fen,
    )


def has_carried(ballot: Ballot) -> bool:
    """Whether more than two thirds of the principal agree, whatever the others say."""
    return _OF * ballot.for_fen > _CARRIES * ballot.of_fen


def is_lost(ballot: Ballot) -> bool:
    """Whether it cannot be carried any more, whatever the others say."""
    return _OF * (ballot.of_fen - ballot.against_fen) <= _CARRIES * ballot.of_fen


def at_its_end(ballot: Ballot) -> MandateBy | None:
    """How the mandate is given when the last day is over: None where it is not."""
    if has_carried(ballot):
        return "vote"
    return "silence" if ballot.silence_consents and not is_lost(ballot) else None
