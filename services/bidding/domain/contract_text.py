"""The wording of a loan's contract and of a claim's certificate: one text for one contract, known by its hash.

The platform must be able to show the text of a hash for ever: a changed wording is a new version, and a version is never
edited. Texts name people by their ids only, are plain ASCII, and promise nothing (processes.md 1.N). What they must say is
from processes.md 1.G.1: amount, term, rate, repayment manner, liability for default, rights and duties of both sides.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Final

from libs.events.bidding import Certificate, ClaimTerms, ContractIssued
from libs.events.onboarding import TextHash
from libs.events.schedules.row import ScheduleRow
from libs.events.schedules.rows import schedule
from libs.events.schedules.terms import PLAIN
from services.bidding.commands.papers import IssueContract

#: The name of the one template, and the version that new contracts are written by.
TEMPLATE: Final = "loan_contract"
CURRENT_VERSION: Final = 3


class UnknownVersion(LookupError):
    """A contract was written by a template that this release does not have."""


@dataclass(frozen=True, slots=True)
class _Wording:
    """One version: the contract without its claims, the line of a claim, the line of a guarantor or of none, a certificate; the
    head of the annex that is the schedule and the line of an instalment, both empty where there is none."""

    contract: str
    claim: str
    guarantor: str
    no_guarantor: str
    certificate: str
    schedule: str = ""
    row: str = ""


_VERSION_1: Final = _Wording(
    contract="""\
LOAN CONTRACT
version 1

Contract          {contract_id}
Loan              {terms.loan_id}
Date              {terms.funded_on}
Borrower          {terms.borrower}
Lenders           the {count} claims in the annex, each its lender's alone

1. Amount. The lenders lend the borrower {terms.amount_fen} fen in all.
2. Term. {terms.tenor_months} months from the date of this contract.
3. Interest. {rate:f} a year on the principal that is outstanding.
4. Repayment. In {terms.tenor_months} monthly instalments, manner: {terms.method}. The due day is the
   day of the month of this contract, or the month's last day where it has no such day.
5. Fees. {terms.origination_fee_fen} fen, taken from the pay-out, borne by the borrower;
   {terms.interest_fee_permille} per mille of the interest, borne by the lenders.
6. Default. Who pays late owes penalty interest on what is overdue, at the published rate
   and under the legal ceiling of the day. What is late is demanded as the law allows.
7. The borrower may repay early. He uses the money for the stated purpose, and tells the
   truth about himself. He owes to the lenders, not to the platform.
8. Each lender owns his claim from this date, receives his share of every payment in
   proportion to his outstanding principal, and may sell it as the platform's rules allow.
9. The platform mediates and keeps the records. It neither lends nor borrows, holds no
   money of either side, and answers for no debt.
10. Risk. Lending can lose interest and principal. Nobody promises a return. The grade is
    {terms.grade}; it is an opinion and no promise.
11. Guarantee. {guarantor}

Annex: claims
""",
    claim="{claim.claim_id}  {claim.investor}  {claim.principal_fen} fen\n",
    guarantor="By {terms.guarantor}, an external company, under a deed of its own.",
    no_guarantor="None.",
    certificate="""\
CERTIFICATE OF CLAIM
version 1

Claim             {claim.claim_id}
Loan              {terms.loan_id}
Contract          {contract_id}
Contract hash     {contract_hash}
Date              {terms.funded_on}
Lender            {claim.investor}
Custody account   {claim.account_id}
Borrower          {terms.borrower}

The lender has lent {claim.principal_fen} fen of the {terms.amount_fen} fen of this loan, at {rate:f} a year,
repaid in {terms.tenor_months} monthly instalments, manner: {terms.method}.

The contract says what either side owes. The platform mediates and answers for no debt.
Lending can lose interest and principal. Nobody promises a return.
""",
)

_MANNER_1: Final = """\
4. Repayment. In {terms.tenor_months} monthly instalments, manner: {terms.method}. The due day is the
   day of the month of this contract, or the month's last day where it has no such day.
5. Fees. {terms.origination_fee_fen} fen, taken from the pay-out, borne by the borrower;
   {terms.interest_fee_permille} per mille of the interest, borne by the lenders.
"""
_MANNER_2: Final = """\
4. Repayment. Manner: {terms.method}, as annex 2 says to the fen. The due day is
   the day of the month of this contract, or the month's last day where it has no such
   day; where nobody works on it: {repayment.shift}, by the calendar {repayment.calendar}.
   Interest runs by the {repayment.interest_by} ({repayment.day_count}), rounded {repayment.rounding}.
5. Fees. {terms.origination_fee_fen} fen, taken from the pay-out, and with each instalment
   {repayment.period_fee_permille} per mille of the amount, borne by the borrower;
   {terms.interest_fee_permille} per mille of the interest, borne by the lenders.
"""
#: The second version says the whole schedule, and any manner of repayment.
_VERSION_2: Final = replace(
    _VERSION_1,
    contract=_VERSION_1.contract.replace("version 1", "version 2")
    .replace(_MANNER_1, _MANNER_2)
    .replace("claims in the annex", "claims in annex 1")
    .replace("Annex: claims\n", "Annex 1: claims\n"),
    certificate=_VERSION_1.certificate.replace("version 1", "version 2").replace(
        "repaid in {terms.tenor_months} monthly instalments, manner: {terms.method}.",
        "over {terms.tenor_months} months, manner of repayment: {terms.method}.",
    ),
    schedule="\nAnnex 2: schedule in fen (number, due, principal, interest, fee)\n",
    row="{row.number}  {row.due_on}  {row.principal_fen}  {row.interest_fen}  {row.fee_fen}\n",
)

_EARLY_2: Final = "7. The borrower may repay early. He uses the money"
_EARLY_3: Final = """\
7. The borrower may repay early. Who may pay on his behalf: {payer}.
   He uses the money"""
#: The third says who may pay.
_VERSION_3: Final = replace(
    _VERSION_2,
    contract=_VERSION_2.contract.replace("version 2", "version 3").replace(_EARLY_2, _EARLY_3),
    certificate=_VERSION_2.certificate.replace("version 2", "version 3"),
)

_WORDINGS: Final = {1: _VERSION_1, 2: _VERSION_2, 3: _VERSION_3}

_PAYERS: Final = {"borrower": "nobody but himself", "anyone": "anyone, whose payment then names him"}

Terms = IssueContract | ContractIssued
"""What a contract is written from: what is asked for, or what was issued; the fields have the same names."""


def contract_text(terms: Terms, contract_id: str, version: int = CURRENT_VERSION) -> str:
    """The contract in full, with line feeds; a rate has no zeros at its end. Its schedule is that of the ledger, by the same
    function. Raises UnknownVersion, ValueError without a rate; refused as `schedule` names it.
    """
    wording = _wording(version)
    guarantor = wording.no_guarantor if terms.guarantor is None else wording.guarantor
    head = wording.contract.format(
        terms=terms,
        contract_id=contract_id,
        count=len(terms.claims),
        repayment=terms.repayment or PLAIN,
        payer=_PAYERS[(terms.repayment or PLAIN).payer],
        rate=_rate(terms),
        guarantor=guarantor.format(terms=terms),
    )
    claims = "".join(wording.claim.format(claim=claim) for claim in terms.claims)
    return head + claims + _annex(wording, terms)


def _annex(wording: _Wording, terms: Terms) -> str:
    """The schedule, where the version has one."""
    if not wording.schedule:
        return ""
    return wording.schedule + "".join(wording.row.format(row=row) for row in rows_of(terms))


def rows_of(terms: Terms) -> tuple[ScheduleRow, ...]:
    """The schedule that was issued; of what is only asked for, that of the ledger by the same function. Refused as `schedule` names it."""
    if isinstance(terms, ContractIssued) and terms.rows:
        return terms.rows
    plan = schedule(
        terms.repayment or PLAIN,
        amount_fen=terms.amount_fen,
        annual_rate=_rate(terms),
        months=terms.tenor_months,
        funded_on=terms.funded_on,
    )
    return plan.rows


def certificate_text(
    terms: Terms,
    claim: ClaimTerms | Certificate,
    contract_id: str,
    contract_hash: TextHash,
    version: int = CURRENT_VERSION,
) -> str:
    """The certificate of one claim. Raises as contract_text does."""
    return _wording(version).certificate.format(
        terms=terms, claim=claim, contract_id=contract_id, contract_hash=contract_hash, rate=_rate(terms)
    )


def hash_of(text: str) -> TextHash:
    """SHA-256 of the text's UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()


def _wording(version: int) -> _Wording:
    if version not in _WORDINGS:
        raise UnknownVersion(f"there is no version {version} of {TEMPLATE}")
    return _WORDINGS[version]


def _rate(terms: Terms) -> Decimal:
    if terms.annual_rate is None:
        raise ValueError("a contract without a stated rate bears no interest: none is built")
    return terms.annual_rate.normalize()
