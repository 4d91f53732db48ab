"""The registry of figures: numbers that people quote, each with its formula, its rule and the rows it is made of.

`loanstream explain NAME` and `/reporting/figures/{figure}` show the value with its rows, and each row names its events.
"""

from libs.events.views import Figure

_LEDGER, _BUCKETS = "bidding.custody", "repayment.overdue-buckets"


def _balance(
    name: str, title: str, account: str, formula: str, rule: str, movement: dict[str, str]
) -> Figure:
    return Figure(
        name=name,
        title=title,
        unit="fen",
        formula=formula,
        rule=rule,
        view=_LEDGER,
        doc=account,
        field="balance_fen",
        rows_view="reporting.statement",
        rows_where=movement,
    )


FIGURES = (
    _balance(
        "custody_balance",
        "Customers' and fee money at the custodian",
        "bank:custody",
        "−(Σ top-ups − Σ withdrawals); the bank's side, so what it holds is negative",
        "domain.md section 9.1",
        {"movement": "FundsDeposited"},
    ),
    _balance(
        "available",
        "Available money of all customers",
        "available",
        "Σ postings on available accounts",
        "domain.md section 3",
        {"movement": "InvestorCredited"},
    ),
    _balance(
        "held",
        "Money held for bids and withdrawals",
        "held",
        "Σ postings on held accounts",
        "domain.md section 3",
        {"movement": "FundsHeld"},
    ),
    _balance(
        "platform_fees",
        "The platform's fees",
        "fees",
        "Σ postings on the fee account",
        "domain.md section 3",
        {"movement": "FeeCredited"},
    ),
    _balance(
        "in_clearing",
        "Money between a loan's parties",
        "clearing",
        "Σ postings on clearing accounts; zero when every saga has ended",
        "design.md section 4",
        {"movement": "HoldCaptured"},
    ),
    Figure(
        name="current_principal",
        title="Outstanding principal of loans that are not overdue",
        unit="fen",
        formula="Σ outstanding principal of loans in bucket `current`",
        rule="rules.md 1.5",
        view=_BUCKETS,
        doc="bucket:current",
        field="principal_fen",
        rows_view=_BUCKETS,
        rows_where={"kind": "loan", "bucket": "current"},
    ),
    Figure(
        name="m1_principal",
        title="Outstanding principal of loans 1 to 30 days past due",
        unit="fen",
        formula="Σ whole outstanding principal of loans in bucket M1",
        rule="rules.md 1.5",
        view=_BUCKETS,
        doc="bucket:M1",
        field="principal_fen",
        rows_view=_BUCKETS,
        rows_where={"kind": "loan", "bucket": "M1"},
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
        rows_where={},
    ),
)
