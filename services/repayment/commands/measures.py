"""Commands about measures: what staff, lenders and the loan say to a measure, and what a measure asks of its loan."""

from libs.events.codec import command
from libs.events.flags import FlagKind
from libs.events.mandate import MandateBy, Voter
from libs.events.measures import MeasureStep, MeasureTerms
from libs.events.money import Count
from libs.events.onboarding import Code, Reference

# --- the measure ---------------------------------------------------------------------------------------------------


@command("repayment.ProposeMeasure")
class ProposeMeasure:
    """Propose a measure for a loan. `proposed_by` is set where a policy sends it for somebody; else it is the caller. `branch` is his,
    as the staff's register says, and `himself` he as a customer: what he has a part in the loan refuses. `debtor_id` is whose plan it is,
    where a collector asked for one.

    No effect for the same again. Refused: `measure_exists` (with other terms), `forbidden_not_staff`, `invalid_loan`,
    `evidence_missing` (without any paper), `invalid_branch` (a move to where the
    loan is), `forbidden_branch` (a move from another than the proposer's).
    """

    measure_id: str
    loan_id: str
    terms: MeasureTerms
    reason: Code
    evidence: tuple[Reference, ...]
    proposed_by: str | None = None
    branch: Code | None = None
    debtor_id: str = ""
    himself: str | None = None


@command("repayment.AdmitMeasure")
class AdmitMeasure:
    """The loan has examined the measure and could do it: whose word is needed, who signs nothing of it (its `guarantor`, its `holders`),
    and what was waived of it before. No effect once it was answered; refused: `unknown_measure`."""

    borrower: str
    mandate: MandateBy
    voters: tuple[Voter, ...]
    silence_consents: bool
    guarantor: str = ""
    holders: tuple[str, ...] = ()
    waived_before_fen: Count = 0
    flags: tuple[FlagKind, ...] = ()


@command("repayment.SignMeasure")
class SignMeasure:
    """Agree to a measure by the post of a step, or refuse it (`refused`, a code), which ends it. `himself` is the signer as a customer,
    as the staff's register says, and `branch` his branch. No effect for the same again.

    Refused: `unknown_measure`, `measure_not_admitted`, `measure_ended`, `step_signed`, `step_out_of_order`, `forbidden_not_staff`,
    `forbidden_second_signature` (he proposed it, or signed another step), `measure_expired` (its days to be signed are over),
    `forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder` (he owes, answers for it or is owed), `forbidden_branch` (not of the
    branch that the loan comes to).
    """

    step: MeasureStep
    refused: Code | None = None
    himself: str | None = None
    branch: Code | None = None


@command("repayment.VoteOnMandate")
class VoteOnMandate:
    """A lender agrees to a measure, or does not, with all his principal. No effect for the same again.

    Refused: `unknown_measure` (also for one who has no vote), `no_vote_open`, `voted_otherwise`.
    """

    agrees: bool


@command("repayment.CompleteMeasure")
class CompleteMeasure:
    """The loan has done it. No effect once it has ended; refused: `unknown_measure`, `measure_not_approved`."""


@command("repayment.FailMeasure")
class FailMeasure:
    """The loan cannot do it (`code`). No effect once it has ended; refused: `unknown_measure`."""

    code: Code


# --- the loan ------------------------------------------------------------------------------------------------------


@command("repayment.ExamineMeasure")
class ExamineMeasure:
    """Ask the loan whether it could do a measure today, and whose word it needs. No effect for one that it has answered.

    `himself` is whoever proposes it as a customer, empty for none.

    Refused: `unknown_loan`, `forbidden_borrower`, `forbidden_guarantor`, `forbidden_holder` (he proposes about himself),
    `no_voters` (its lenders' word is needed and there is none of them), and as CarryOutMeasure.
    """

    measure_id: str
    terms: MeasureTerms
    himself: str = ""


@command("repayment.CarryOutMeasure")
class CarryOutMeasure:
    """All have agreed: the loan does it; where it is `payment_on_its_way`, it waits for the last debit's answer and is asked again. No effect
    for one that it has done, or that waits. Refused: `unknown_loan`, `loan_repaid`, and

    an extension: `consent_missing` (of a guarantor who stands in for it), `loan_matured`, `extended_before`, `extension_too_long`, `nothing_to_extend`, `manner_not_extended` (flat, or in a grace), `loan_written_off`,
    `arrears_unpaid` (of a restructuring);
    a restructuring: the same but for `loan_matured` and `arrears_unpaid`, with `loan_compensated` (the guarantor paid for an instalment of it), `nothing_overdue`, `payment_on_its_way`, `partly_paid`, `term_too_short`;
    a write-off: `loan_written_off` (and no cost is said), `overdue_too_short`, `payment_on_its_way`, `invalid_cost` (without an account, or an
    account without one), `cost_open` (another is not paid yet), `invalid_account`, `forbidden_payee` (the account of who has a part in the
    loan, or proposes or signs it); a waiver: `nothing_to_waive` (or only what its guarantor has paid for), `waiver_limit_passed` (with what was waived
    of the loan before, more than who signed it may give up: `waivable_fen`);
    another class: `class_unchanged`, `not_cured`, `better_than_overdue`, `under_observation`, `loan_written_off`; non-accrual: `not_accruing`;
    its end: `accruing`, `not_cured` (arrears are not paid), `loan_written_off`;
    a move: `other_branch` (it is not there);
    a settlement in kind: `not_overdue` (and not written off), `loan_guaranteed` (who stands in, and could pay, is asked first), `payment_on_its_way` (his as well),
    `above_valuation`, `invalid_date` (acquired or valued later, or a right that has ended), `acquired_before_loan`, `valuation_too_old`, `invalid_validity` (rights have one, others
    none), `fee_owed`, `neither_arrears_nor_all`;
    a pause: `cause_not_allowed` (not by the profile), `invalid_date` (its end before its beginning), `pause_over` (by today),
    `pause_backdated` (when it is proposed: from before today), `pause_after_maturity` (it begins after the last due day, or, where that is over, in more than
    thirty days),
    `loan_written_off`, `pause_stands` (one that runs or is to come), `pause_too_long`, `pause_days_used` (of a calendar year); its end: `no_pause`;
    a flag: `flag_stands`; its end, which a repaid loan does as well: `no_flag`;
    a voidance, also of a loan that is repaid: `loan_settled_in_kind`, `loan_measured`, `loan_compensated`, `payment_on_its_way`,
    `history_differs`, `replay_too_long` and `too_many_accounts` (as of corrections), `invalid_date` (when it is proposed: due today or before,
    or more than 366 days later), `not_illegal_purpose` and `invalid_lenders` (when it is proposed: somebody knew of it, who holds none of its
    claims, or is named twice).
    Of a loan that is void only its class, its branch, its flags, a write-off and a settlement in kind: `loan_voided`.
    """

    measure_id: str
    terms: MeasureTerms
    waivable_fen: Count | None = None
