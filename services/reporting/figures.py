"""The registry of figures: numbers that people quote, each with its formula, its rule and the rows it is made of.

`loanstream explain NAME` and `/reporting/figures/{figure}` show the value with its rows, and each row names its events. At
rest every figure is the sum of its rows, which tests ask of each.
"""

from collections.abc import Callable, Iterator
from typing import Final

from libs.events.views import Figure, OtherThan
from services.reporting.projections.funnel import STAGES

_LEDGER, _STATEMENT, _FUNNEL = "bidding.custody", "reporting.statement", "reporting.funnel"
_BUCKETS, _CURRENT = "repayment.overdue-buckets", "current"
_HISTORY, _LOSSES = "repayment.loan-history", "repayment.off-balance"
_LATE = {"bucket": OtherThan(_CURRENT)}


def _balance(name: str, title: str, account: str, formula: str, rule: str, moved: str) -> Figure:
    """The balance of a class of accounts: its rows are the movements that moved something there."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula=formula,
        rule=rule,
        view=_LEDGER,
        doc=account,
        field="balance_fen",
        rows_view=_STATEMENT,
        rows_where={f"posted.{moved}_fen": OtherThan(0)},
        rows_field=f"posted.{moved}_fen",
    )


def _pocket(name: str, title: str, field: str) -> Figure:
    """What one account holds in one pocket: its rows are the movements that moved something there."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula="Σ what the account's movements added",
        rule="domain.md section 3",
        view="bidding.balances",
        doc="{account}",
        field=field,
        rows_view=_STATEMENT,
        rows_where={"account_id": "{account}", field: OtherThan(0)},
        rows_field=field,
        of=("account",),
        missing="unknown_account",
    )


def _principal(
    name: str,
    title: str,
    formula: str,
    doc: str,
    rows: dict[str, str | OtherThan],
    *,
    field: str = "principal_fen",
    of: tuple[str, ...] = (),
    missing: str | None = None,
) -> Figure:
    """Whole outstanding principal of a part of the running book: its rows are the part's loans."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula=formula,
        rule="rules.md 1.5",
        view=_BUCKETS,
        doc=doc,
        field=field,
        rows_view=_BUCKETS,
        rows_where={"kind": "loan"} | rows,
        rows_field="principal_fen",
        of=of,
        missing=missing,
    )


def _loss(name: str, title: str, field: str) -> Figure:
    """A sum of the register of losses: its rows are the loans that were written off."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula="Σ over loans that were written off; written off = recovered + in kind + waived + lapsed − corrected + left",
        rule="processes.md 1.P",
        view=_LOSSES,
        doc="sum",
        field=field,
        rows_view=_LOSSES,
        rows_where={"kind": "loan"},
        rows_field=field,
    )


def _overdue_principal(
    name: str, title: str, doc: str, rows: dict[str, str | OtherThan], missing: str
) -> Figure:
    """What of the principal of a part of the running book is overdue: its loans' events say it before and after."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula="Σ principal that is open of missed instalments",
        rule="processes.md 1.P, overdue transfer",
        view=_BUCKETS,
        doc=doc,
        field="overdue_principal_fen",
        rows_view=_BUCKETS,
        rows_where={"kind": "loan"} | rows,
        rows_field="overdue_principal_fen",
        of=tuple(part for part in ("region", "product", "bucket") if f"{{{part}}}" in doc),
        missing=missing,
    )


def _overdue(name: str, title: str, doc: str, rows: dict[str, str | OtherThan], missing: str) -> Figure:
    """What is overdue of a part of the running book, moved by its cases: at rest the sum of what its loans say."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula="Σ all that is open of missed instalments, penalty charged on them included",
        rule="rules.md 1.4",
        view=_BUCKETS,
        doc=doc,
        field="overdue_fen",
        rows_view=_BUCKETS,
        rows_where={"kind": "loan"} | _LATE | rows,
        rows_field="overdue_fen",
        of=tuple(part for part in ("region", "product", "bucket") if f"{{{part}}}" in doc),
        missing=missing,
    )


#: The parts of the running book of which sums are kept: document, its rows, and the code of one that is not there.
_PARTS: Final[tuple[tuple[str, dict[str, str | OtherThan], str], ...]] = (
    ("bucket:{bucket}", {"bucket": "{bucket}"}, "unknown_bucket"),
    (
        "segment:{region}:{product}:{bucket}",
        {"region": "{region}", "product": "{product}", "bucket": "{bucket}"},
        "unknown_segment",
    ),
    ("region:{region}", {"region": "{region}"}, "unknown_region"),
    ("product:{product}", {"product": "{product}"}, "unknown_product"),
)


def _by_part(make: Callable[..., Figure], *named: tuple[str, str]) -> Iterator[Figure]:
    """The figure of each part, by its name and title."""
    return (make(name, title, *part) for (name, title), part in zip(named, _PARTS, strict=True))


def _of_loan(name: str, title: str, formula: str, rule: str, field: str) -> Figure:
    """A sum of one loan: its rows are the lines of its history that moved it."""
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula=formula,
        rule=rule,
        view=_HISTORY,
        doc="{loan}",
        field=field,
        rows_view=_HISTORY,
        rows_where={"loan_id": "{loan}", f"parts.{field}": OtherThan(None)},
        rows_field=f"parts.{field}",
        of=("loan",),
        missing="unknown_loan",
    )


def _reached(stage: str, title: str, event: str) -> Figure:
    """A stage of the funnel: its rows are the users who have reached it."""
    return Figure(
        name=f"funnel_{stage}",
        title=title,
        unit="users",
        formula=f"number of users with {event}, each once",
        rule="domain.md section 6",
        view=_FUNNEL,
        doc=None,
        field=stage,
        rows_view=_FUNNEL,
        rows_where={stage: OtherThan(None)},
        rows_field=None,
    )


def _cases(
    name: str,
    title: str,
    doc: str,
    rows: dict[str, str],
    *,
    of: tuple[str, ...] = (),
    missing: str | None = None,
) -> Figure:
    """Cases in the collection queue, which are its rows."""
    return Figure(
        name=name,
        title=title,
        unit="cases",
        formula="number of cases that are open",
        rule="domain.md section 5",
        view="collections.stages",
        doc=doc,
        field="cases",
        rows_view="collections.queue",
        rows_where=rows,
        rows_field=None,
        of=of,
        missing=missing,
    )


#: stage -> (title, what a user must have)
_REACHED = {
    "registered": ("Users who registered", "UserRegistered"),
    "verified": ("Users who were verified", "UserVerified"),
    "assessed": ("Users whose suitability was assessed", "SuitabilityAssessed"),
    "topped_up": ("Users who have topped up", "FundsDeposited"),
    "bid": ("Users with an accepted bid", "BidPlaced"),
    "funded": ("Users with a part of a funded loan", "HoldCaptured"),
}

FIGURES = (
    _balance(
        "custody_balance",
        "Customers' and the platform's money at the custodian",
        "bank:custody",
        "−(Σ top-ups + Σ marketing money − Σ withdrawals); the bank's side, so what it holds is negative",
        "domain.md section 9.1",
        "bank",
    ),
    _balance(
        "available",
        "Available money of all customers",
        "available",
        "Σ postings on available accounts",
        "domain.md section 3",
        "available",
    ),
    _balance(
        "held",
        "Money held for bids and withdrawals",
        "held",
        "Σ postings on held accounts",
        "domain.md section 3",
        "held",
    ),
    _balance(
        "platform_fees",
        "The platform's fees",
        "fees",
        "Σ postings on the fee account",
        "domain.md section 3",
        "fees",
    ),
    _balance(
        "marketing_money",
        "The platform's money for vouchers",
        "marketing",
        "Σ postings on the marketing account",
        "processes.md 1.S",
        "marketing",
    ),
    _balance(
        "in_clearing",
        "Money between a loan's parties, and vouchers on their way",
        "clearing",
        "Σ postings on clearing accounts; zero when every saga has ended",
        "design.md section 4",
        "clearing",
    ),
    _pocket("available_of_account", "Available money of one account", "available_fen"),
    _pocket("held_of_account", "Held money of one account", "held_fen"),
    _principal(
        "current_principal",
        "Outstanding principal of loans that are not overdue",
        "Σ outstanding principal of loans in bucket `current`",
        "bucket:current",
        {"bucket": _CURRENT},
    ),
    _principal(
        "bucket_principal",
        "Outstanding principal of loans in one overdue bucket",
        "Σ whole outstanding principal of the bucket's loans",
        "bucket:{bucket}",
        {"bucket": "{bucket}"},
        of=("bucket",),
        missing="unknown_bucket",
    ),
    _principal(
        "written_off_principal",
        "Outstanding principal of loans that were written off",
        "Σ outstanding principal of loans that were written off and are not repaid; in no overdue bucket",
        "written_off",
        {"kind": "written_off"},
    ),
    _loss("losses_left", "What is still owed of loans that were written off", "left_fen"),
    _loss("losses_recovered", "Money that came on loans since they were written off", "recovered_fen"),
    _principal(
        "late_principal_of_region",
        "Outstanding principal of a region's loans that are past due",
        "Σ whole outstanding principal of the region's loans in any bucket but `current`",
        "region:{region}",
        {"region": "{region}"} | _LATE,
        field="late_principal_fen",
        of=("region",),
        missing="unknown_region",
    ),
    _principal(
        "late_principal_of_product",
        "Outstanding principal of a product's loans that are past due",
        "Σ whole outstanding principal of the product's loans in any bucket but `current`",
        "product:{product}",
        {"product": "{product}"} | _LATE,
        field="late_principal_fen",
        of=("product",),
        missing="unknown_product",
    ),
    _principal(
        "segment_principal",
        "Outstanding principal of one region's loans of one product in one overdue bucket",
        "Σ whole outstanding principal of the loans of region, product and bucket",
        "segment:{region}:{product}:{bucket}",
        {"region": "{region}", "product": "{product}", "bucket": "{bucket}"},
        of=("region", "product", "bucket"),
        missing="unknown_segment",
    ),
    *_by_part(
        _overdue,
        ("bucket_overdue", "What is overdue of the loans in one overdue bucket"),
        (
            "segment_overdue",
            "What is overdue of one region's loans of one product in one overdue bucket",
        ),
        ("overdue_of_region", "What is overdue of a region's loans"),
        ("overdue_of_product", "What is overdue of a product's loans"),
    ),
    *_by_part(
        _overdue_principal,
        ("bucket_overdue_principal", "Overdue principal of the loans in one overdue bucket"),
        (
            "segment_overdue_principal",
            "Overdue principal of one region's loans of one product in one overdue bucket",
        ),
        ("overdue_principal_of_region", "Overdue principal of a region's loans"),
        ("overdue_principal_of_product", "Overdue principal of a product's loans"),
    ),
    _of_loan(
        "loan_outstanding",
        "Outstanding principal of one loan",
        "principal lent − Σ principal paid",
        "domain.md section 4",
        "outstanding_fen",
    ),
    *(_reached(stage, *_REACHED[stage]) for stage in STAGES),
    Figure(
        name="pipeline",
        title="Applications that have reached a stage",
        unit="applications",
        formula="number of applications that have ever reached the stage, or ended in it",
        rule="domain.md section 2",
        view="onboarding.pipeline",
        doc="all",
        field="reached.{stage}",
        rows_view="onboarding.applications",
        rows_where={"reached.{stage}": OtherThan(None)},
        rows_field=None,
        of=("stage",),
        missing="unknown_stage",
    ),
    _cases("open_cases", "Cases in the collection queue", "all", {}),
    _cases(
        "open_cases_of_stage",
        "Cases of one stage in the collection queue",
        "stage:{stage}",
        {"stage": "{stage}"},
        of=("stage",),
        missing="unknown_stage",
    ),
)
