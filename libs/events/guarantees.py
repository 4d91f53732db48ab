"""Events of `repayment` about guarantors 担保方: external companies, admitted by two people, that stand in for loans up to a limit.

A guarantor is a customer like others: `gua_x` has the account `acc_x` of the user `usr_x`, and what he pays comes out of it and out of
nothing else (domain.md section 9, red line 2). What he pays for stands in `libs.events.compensation`.
"""

from datetime import date
from typing import Literal

from libs.events.codec import event
from libs.events.money import Count, PositiveFen
from libs.events.onboarding import Code, Reference

Liability = Literal["joint", "general"]
"""连带责任 joint: he is asked as soon as the debtor is late; 一般保证 general: only after the debtor was sued in vain (Civil Code art. 687, 688)."""


@event("repayment.GuarantorProposed.v1")
class GuarantorProposed:
    """Somebody read the company's admission `file` (licence, permit, net worth, outstanding guarantees) and proposes a limit: the most
    that all loans which it guarantees may be owed together, until the end of `valid_to`. The file says its net assets (None: it was not
    asked), and what it guarantees elsewhere. Another person agrees until the end of `sign_until`, or it comes to nothing."""

    guarantor: str
    limit_fen: PositiveFen
    valid_to: date
    file: Reference
    proposed_by: str
    proposed_on: date
    liability: Liability = "joint"
    net_assets_fen: PositiveFen | None = None
    elsewhere_fen: Count = 0
    sign_until: date | None = None


@event("repayment.GuarantorAdmitted.v1")
class GuarantorAdmitted:
    """Another person agrees, to what was proposed or to less: the company guarantees new loans up to the limit, until the end of
    `valid_to`. A later proposal that is admitted takes the place of this one."""

    guarantor: str
    limit_fen: PositiveFen
    valid_to: date
    guaranteed_fen: Count
    proposed_by: str
    admitted_by: str
    admitted_on: date
    liability: Liability = "joint"


@event("repayment.GuarantorRefused.v1")
class GuarantorRefused:
    """What was proposed is not agreed to, or taken back by whoever proposed it (`code`), or waited too long (`expired`, `refused_by` is
    empty then); what was admitted before stands."""

    guarantor: str
    code: Code
    refused_by: str
    refused_on: date


@event("repayment.GuarantorSuspended.v1")
class GuarantorSuspended:
    """The company guarantees no new loans (`code`), until it is admitted again; for those that stand it pays on."""

    guarantor: str
    code: Code
    suspended_by: str
    suspended_on: date


@event("repayment.GuaranteeReserved.v1")
class GuaranteeReserved:
    """A loan counts against the guarantor's limit from here on, before its listing opens; `guaranteed_fen` is all that he guarantees."""

    guarantor: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen
    guaranteed_fen: PositiveFen
    limit_fen: PositiveFen


@event("repayment.GuaranteeDeclined.v1")
class GuaranteeDeclined:
    """The guarantor may not stand in for this loan (`code`)."""

    guarantor: str
    application_id: str
    loan_id: str
    amount_fen: PositiveFen
    code: Code


@event("repayment.GuaranteeReduced.v1")
class GuaranteeReduced:
    """`amount_fen` of a loan counts no more: repaid, paid by the guarantor himself, or the loan never came about. `left_fen` still does."""

    guarantor: str
    loan_id: str
    amount_fen: PositiveFen
    left_fen: Count
    guaranteed_fen: Count
