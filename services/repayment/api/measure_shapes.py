"""Bodies of the requests and answers about measures: what is proposed, what waits for whose word, how it ended."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from libs.events import in_kind, mandate, measures, pauses, voidance, voiding
from libs.events.flags import Flag, FlagKind, Unflag
from libs.events.repayment import LoanClass
from libs.runtime.http import Answer, DayField, PositiveFenField, Shape, id_field

_CODE = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
_REFERENCE = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"

MonthsField = Annotated[int, Field(strict=True, ge=1, le=600, examples=[6])]
ReferenceField = Annotated[str, Field(pattern=_REFERENCE, examples=["vault:7f3a"])]


class ExtensionIn(Shape):
    """What is not due yet is due over so many months more; with the consent of whoever answers for the loan."""

    kind: Literal["extension"]
    months: MonthsField
    guarantor_consent: ReferenceField | None = None

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.Extension(months=self.months, guarantor_consent=self.guarantor_consent)


class RestructuringIn(Shape):
    """All that is open, arrears too, is due over so many months more; with the consent of whoever answers for the loan."""

    kind: Literal["restructuring"]
    months: MonthsField
    guarantor_consent: ReferenceField | None = None

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.Restructuring(months=self.months, guarantor_consent=self.guarantor_consent)


class WriteOffIn(Shape):
    """The house expects nothing more, on a ground. What its pursuit has cost is paid first of what comes still, to `cost_account`; for
    a loan that is written off already that is all that it says."""

    kind: Literal["write_off"]
    ground: measures.WriteOffGround
    cost_fen: PositiveFenField | None = None
    cost_account: Annotated[str, id_field("acc")] | None = Field(default=None, validate_default=True)

    @field_validator("cost_account")
    @classmethod
    def _is_owed_a_cost(cls, account: str | None, told: ValidationInfo) -> str | None:
        if "cost_fen" in told.data and (account is None) != (told.data["cost_fen"] is None):
            raise ValueError("a cost and whom it is owed to are said together")
        return account

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.WriteOff(
            ground=self.ground, cost_fen=self.cost_fen or 0, cost_account=self.cost_account or ""
        )


class WaiverIn(Shape):
    """At most so much charged penalty is given up."""

    kind: Literal["waiver"]
    amount_fen: PositiveFenField

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.Waiver(amount_fen=self.amount_fen)


class ReclassificationIn(Shape):
    """The loan is of another of the five classes."""

    kind: Literal["reclassification"]
    to_class: LoanClass

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.Reclassification(to_class=self.to_class)


class NonAccrualIn(Shape):
    """The loan's interest is no income any more; with `ends` it is again, once its arrears are paid."""

    kind: Literal["non_accrual"]
    ends: Annotated[bool, Field(strict=True)] = False

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.NonAccrual(ends=self.ends)


class BranchMoveIn(Shape):
    """Another branch looks after the loan."""

    kind: Literal["branch_move"]
    from_branch: Annotated[str, Field(pattern=_CODE, examples=["CN-31"])]
    to_branch: Annotated[str, Field(pattern=_CODE, examples=["CN-44"])]

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return measures.BranchMove(from_branch=self.from_branch, to_branch=self.to_branch)


class PauseIn(Shape):
    """These days do not count, both included; it begins tomorrow at the earliest, and by the loan's last due day."""

    kind: Literal["pause"]
    from_on: DayField
    to_on: DayField
    cause: pauses.PauseCause

    @field_validator("to_on")
    @classmethod
    def _ends_after_it_begins(cls, to_on: date, told: ValidationInfo) -> date:
        if to_on < told.data.get("from_on", to_on):
            raise ValueError("a pause does not end before it begins")
        return to_on

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return pauses.Pause(from_on=self.from_on, to_on=self.to_on, cause=self.cause)


class PauseEndIn(Shape):
    """The pause that stands ends today."""

    kind: Literal["pause_end"]

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return pauses.PauseEnd()


class FlagIn(Shape):
    """The debtor has died, or disputes the debt."""

    kind: Literal["flag"]
    flag: FlagKind

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return Flag(flag=self.flag)


class UnflagIn(Shape):
    """The flag does not stand any more."""

    kind: Literal["unflag"]
    flag: FlagKind

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return Unflag(flag=self.flag)


class SettlementInKindIn(Shape):
    """An asset takes the place of `agreed_fen` of the debt, at most its value: cash is impossible, as a paper says. Only rights have a
    last day (`valid_to`)."""

    kind: Literal["settlement_in_kind"]
    asset: in_kind.AssetKind
    agreed_fen: PositiveFenField
    valued_fen: PositiveFenField
    valued_on: DayField
    valuer: ReferenceField
    valuation: ReferenceField
    ground: Literal["agreement", "award"]
    acquired_on: DayField
    title: ReferenceField
    keeper: ReferenceField
    cash_impossible: ReferenceField
    remainder_to_debtor: Annotated[bool, Field(strict=True)] = False
    valid_to: DayField | None = Field(default=None, validate_default=True)

    @field_validator("valid_to")
    @classmethod
    def _is_of_rights_that_last(cls, valid_to: date | None, told: ValidationInfo) -> date | None:
        if "asset" in told.data and (told.data["asset"] == "rights") != (valid_to is not None):
            raise ValueError("rights have a last day, nothing else has")
        if valid_to is not None and any(
            valid_to < told.data.get(day, valid_to) for day in ("valued_on", "acquired_on")
        ):
            raise ValueError("what has ended is not acquired or valued any more")
        return valid_to

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return in_kind.SettlementInKind(**dict(self))


class VoidanceIn(Shape):
    """The loan's contract is void: principal back, no interest; what is left is due on the next day, or by `repay_by`,
    at most 366 days away. `knew` are those of its lenders who knew of its illegal purpose."""

    kind: Literal["voidance"]
    ground: voiding.VoidingCode
    repay_by: DayField | None = None
    knew: list[Annotated[str, id_field("usr")]] = Field(default_factory=list, max_length=2_000)

    def terms(self) -> measures.MeasureTerms:
        """As the command has it."""
        return voidance.Voidance(ground=self.ground, repay_by=self.repay_by, knew=tuple(self.knew))


TermsIn = Annotated[
    ExtensionIn
    | RestructuringIn
    | WriteOffIn
    | WaiverIn
    | ReclassificationIn
    | NonAccrualIn
    | BranchMoveIn
    | PauseIn
    | PauseEndIn
    | FlagIn
    | UnflagIn
    | SettlementInKindIn
    | VoidanceIn,
    Field(discriminator="kind", examples=[{"kind": "waiver", "amount_fen": 100_00}]),
]


class MeasureIn(Shape):
    """A measure that is proposed: for which loan, what, why (a code), and the papers in the vault that prove it."""

    loan_id: Annotated[str, id_field("loan")]
    terms: TermsIn
    reason: Annotated[str, Field(pattern=_CODE, examples=["income_lost"])]
    evidence: Annotated[list[ReferenceField], Field(min_length=1, max_length=20)]


class MeasureStepIn(Shape):
    """A step of a measure; `refused` is a reason, a code, which ends it."""

    step: measures.MeasureStep
    refused: Annotated[str | None, Field(pattern=_CODE, examples=["not_proven"])] = None


class VoteIn(Shape):
    """A lender's word, with all his principal."""

    agrees: Annotated[bool, Field(strict=True)]


class MeasureDone(Answer):
    """What was asked for is done; `stage` is what the measure waits for now, or its end."""

    stage: str

    @staticmethod
    def proposed(event: measures.MeasureProposed) -> "MeasureDone":
        """The loan answers next."""
        return MeasureDone(id=event.measure_id, stage="loan")

    @staticmethod
    def signed(event: measures.MeasureSigned) -> "MeasureDone":
        """On to the next post, or to the lenders and the loan."""
        return MeasureDone(id=event.measure_id, stage=event.next_step or "mandate")

    @staticmethod
    def refused(event: measures.MeasureRefused) -> "MeasureDone":
        """That is its end."""
        return MeasureDone(id=event.measure_id, stage="refused")

    @staticmethod
    def voted(event: mandate.MandateVoted) -> "MeasureDone":
        """The vote is counted."""
        return MeasureDone(id=event.measure_id, stage="vote")


class MeasureOut(BaseModel):
    """A measure and how far it is: `loan` while its loan is asked, then the post whose step is next, `vote` while its lenders vote,
    `execution` once all have agreed, at last `executed`, `refused` or `failed`; `until` is the last day of what it waits for.
    In `execution`, `waits_for` says why it is not done yet: `payment_on_its_way`.
    Amounts of principal that vote are in fen; `owed_fen` is what of a voidance's money is not collected yet, None where nothing was to be."""

    measure_id: str
    loan_id: str
    kind: measures.MeasureKind
    terms: dict[str, Any]
    reason: str
    evidence: list[str]
    proposed_by: str
    proposed_on: date
    stage: str
    mandate: mandate.MandateBy | None
    until: date | None
    of_fen: int
    for_fen: int
    against_fen: int
    code: str | None
    ended_on: date | None
    flags: list[FlagKind] = []
    owed_fen: int | None = None
    waits_for: str | None = None

    @staticmethod
    def of(document: Mapping[str, Any]) -> "MeasureOut":
        """From a document of repayment.measures; who signed is the house's own."""
        return MeasureOut(**{name: document.get(name) for name in MeasureOut.model_fields})


class MeasuresOut(BaseModel):
    """A page of measures."""

    items: list[MeasureOut]
    next: str | None


class MandateVoteOut(BaseModel):
    """A measure that a lender is asked about: what it is, until the end of which day, and how the vote stands, in fen of principal; how far
    it is and how it ended, as a measure says it (`stage`, `code`, `ended_on`). Whose account is paid what a pursuit cost is not in its terms."""

    measure_id: str
    loan_id: str
    kind: measures.MeasureKind
    terms: dict[str, Any]
    until: date
    of_fen: int
    for_fen: int
    against_fen: int
    agreed: bool | None
    stage: str
    code: str | None
    ended_on: date | None

    @staticmethod
    def of(document: Mapping[str, Any], who: str) -> "MandateVoteOut":
        """From a document of repayment.measures; `agreed` is the caller's own word, None while he has not given it."""
        agreed = document.get("votes", {}).get(who)
        terms = {name: value for name, value in document["terms"].items() if name != "cost_account"}
        names = [name for name in MandateVoteOut.model_fields if name not in ("agreed", "terms")]
        return MandateVoteOut(agreed=agreed, terms=terms, **{name: document[name] for name in names})


class MandateVotesOut(BaseModel):
    """A page of measures that wait for the caller's word."""

    items: list[MandateVoteOut]
    next: str | None
