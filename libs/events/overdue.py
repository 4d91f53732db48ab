"""What of a late loan's principal is overdue, as its events say it: that of missed instalments. The rest stays normal (processes.md 1.P)."""

from libs.events.codec import record
from libs.events.money import Count


@record
class OverduePrincipal:
    """Principal that is open of missed instalments: `before_fen` was said until now, counted in `from_bucket`, and it is `after_fen`, counted
    in `to_bucket`. So a sum moves by what was said, also of a loan whose earlier events did not say it."""

    from_bucket: str
    to_bucket: str
    before_fen: Count
    after_fen: Count
