"""Commands to a user's stream: who he is, what he may borrow, and his leaving."""

from libs.events.card import CardRef
from libs.events.codec import command
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Kind, Recheck, Reference


@command("onboarding.RegisterUser")
class RegisterUser:
    """A user exists from here on. No effect when he is registered like this.

    Refused: `invalid_user`, `invalid_referrer`, `invalid_owner`, `user_exists`.
    """

    user_id: str
    kind: Kind
    region: Code
    referrer: str | None = None
    owner: str | None = None


@command("onboarding.CreditReferral")
class CreditReferral:
    """Another registered with this user's code. No effect for a code that is nobody's: the referred one stays in the pool."""

    user_id: str
    referred: str


@command("onboarding.BindOwner")
class BindOwner:
    """The referrer's owner becomes this user's. No effect when he has one or is forgotten. Refused: `invalid_owner`."""

    user_id: str
    owner: str


@command("onboarding.VerifyUser")
class VerifyUser:
    """The provider confirmed who the user is, by his own-name card `card_ref` where one was compared. Of a verified user only
    another card is news. No effect when he is verified with this one. Refused: `unknown_user`, `erasure_requested`.
    """

    user_id: str
    provider: Code
    reference: Reference
    card_ref: CardRef | None = None


@command("onboarding.RefuseVerification")
class RefuseVerification:
    """The provider did not confirm. Refused: `unknown_user`, `already_verified`, `erasure_requested`."""

    user_id: str
    provider: Code
    reference: Reference
    code: Code


@command("onboarding.AssessSuitability")
class AssessSuitability:
    """The questionnaire's answers, one number from 1 to 5 per question. No effect for today's result again.

    Refused: `unknown_user`, `not_verified`, `invalid_answers`, `erasure_requested`.
    """

    user_id: str
    answers: tuple[int, ...]


@command("onboarding.DeclareRelation")
class DeclareRelation:
    """The user is related to another: a verified one says so, who answers for it with his name. No effect when it is known.

    Refused: `unknown_user`, `not_verified`, `invalid_related`, `too_many_relations`, `erasure_requested`.
    """

    user_id: str
    related: str


@command("onboarding.RecordRelation")
class RecordRelation:
    """Another declared himself related to this user; that leaves this one's own declarations their room. No effect when it is
    known or the user is not. Refused: `too_many_relations`.
    """

    user_id: str
    related: str


@command("onboarding.RecordStaffTie")
class RecordStaffTie:
    """The user is this member of staff (`himself`), or related to him; it may be said before the user comes. No effect when it is
    known or the user is forgotten.
    """

    user_id: str
    staff_id: str
    himself: bool


@command("onboarding.ConfirmApplicant")
class ConfirmApplicant:
    """May this user apply? Answered by event. Refused: `unknown_user`."""

    user_id: str
    application_id: str


@command("onboarding.ReserveExposure")
class ReserveExposure:
    """Count a loan against the user's cap, or decline by event. No effect when it counts. Refused: `unknown_user`."""

    user_id: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen


@command("onboarding.ReduceExposure")
class ReduceExposure:
    """Principal came back. No effect for a loan that does not count (one that no application led to)."""

    user_id: str
    loan_id: str
    amount_fen: PositiveFen


@command("onboarding.RestoreExposure")
class RestoreExposure:
    """After a correction `owed_fen` of a loan is owed: so much counts. No effect when it does, nor for who is not verified or is forgotten."""

    user_id: str
    loan_id: str
    owed_fen: Count


@command("onboarding.ReleaseExposure")
class ReleaseExposure:
    """The loan does not count any more. No effect when it does not."""

    user_id: str
    loan_id: str
    reason: Code


@command("onboarding.ConfirmExposure")
class ConfirmExposure:
    """Look at the user's caps again before the loan's next step. Always answered by event."""

    user_id: str
    application_id: str
    loan_id: str
    step: Recheck


@command("onboarding.ReleaseApplicant")
class ReleaseApplicant:
    """An application of the user ended without a loan. No effect when it is not under way."""

    user_id: str
    application_id: str


@command("onboarding.EraseUser")
class EraseUser:
    """The user wants to be forgotten: his account is asked whether it is empty. No effect when it is asked, or he is forgotten.

    Refused: `unknown_user`, `has_exposure`, `has_application` (one is under way).
    """

    user_id: str


@command("onboarding.CompleteErasure")
class CompleteErasure:
    """The account was empty and is closed. No effect when the user did not ask, or is forgotten."""

    user_id: str


@command("onboarding.DeclineErasure")
class DeclineErasure:
    """The account is not empty (`code`): the user stays. No effect when he did not ask."""

    user_id: str
    code: Code
