"""The registry of figures: numbers that people quote, each with its formula, its rule and the rows it is made of.

`loanstream explain NAME` and `/reporting/figures/{figure}` show the value with its rows, and each row names its events. At
rest every figure is the sum of its rows, which a test asks of each on the running platform.
"""

from libs.events.views import Figure, OtherThan

_LEDGER, _STATEMENT = "bidding.custody", "reporting.statement"
_BUCKETS, _CURRENT = "repayment.overdue-buckets", "current"


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


def _principal(
    name: str,
    title: str,
    formula: str,
    doc: str,
    rows: dict[str, str | OtherThan],
    *,
    field: str = "principal_fen",
    of: tuple[str, ...] = (),
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
    )


_LATE = {"bucket": OtherThan(_CURRENT)}

FIGURES = (
    _balance(
        "custody_balance",
        "Customers' and fee money at the custodian",
        "bank:custody",
        "−(Σ top-ups − Σ withdrawals); the bank's side, so what it holds is negative",
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
        "in_clearing",
        "Money between a loan's parties",
        "clearing",
        "Σ postings on clearing accounts; zero when every saga has ended",
        "design.md section 4",
        "clearing",
    ),
    _principal(
        "current_principal",
        "Outstanding principal of loans that are not overdue",
        "Σ outstanding principal of loans in bucket `current`",
        "bucket:current",
        {"bucket": _CURRENT},
    ),
    _principal(
        "m1_principal",
        "Outstanding principal of loans 1 to 30 days past due",
        "Σ whole outstanding principal of loans in bucket M1",
        "bucket:M1",
        {"bucket": "M1"},
    ),
    _principal(
        "bucket_principal",
        "Outstanding principal of loans in one overdue bucket",
        "Σ whole outstanding principal of the bucket's loans",
        "bucket:{bucket}",
        {"bucket": "{bucket}"},
        of=("bucket",),
    ),
    _principal(
        "late_principal_of_region",
        "Outstanding principal of a region's loans that are past due",
        "Σ whole outstanding principal of the region's loans in any bucket but `current`",
        "region:{region}",
        {"region": "{region}"} | _LATE,
        field="late_principal_fen",
        of=("region",),
    ),
    _principal(
        "late_principal_of_product",
        "Outstanding principal of a product's loans that are past due",
        "Σ whole outstanding principal of the product's loans in any bucket but `current`",
        "product:{product}",
        {"product": "{product}"} | _LATE,
        field="late_principal_fen",
        of=("product",),
    ),
    _principal(
        "segment_principal",
        "Outstanding principal of one region's loans of one product in one overdue bucket",
        "Σ whole outstanding principal of the loans of region, product and bucket",
        "segment:{region}:{product}:{bucket}",
        {"region": "{region}", "product": "{product}", "bucket": "{bucket}"},
        of=("region", "product", "bucket"),
    ),
    Figure(
        name="registered_users",
        title="Users who registered",
        unit="users",
        formula="number of UserRegistered",
        rule="domain.md section 6",
        view="onboarding.funnel",
        doc="all",
        field="registered",
        rows_view="reporting.investors",
        rows_where={"registered_on": OtherThan(None)},
        rows_field=None,
    ),
)
