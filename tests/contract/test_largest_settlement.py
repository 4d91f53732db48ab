"""What a loan may restate is what its settlement can be told: the two services agree on the largest."""

from libs.events.codec import encode
from libs.events.corrections import AdjustingLine
from libs.events.topics import COMMAND_BYTES_MAX
from services.bidding.commands.adjustments import OpenSettlement
from services.repayment.domain.restatement import LINES_MAX


def test_the_largest_settlement_is_a_command() -> None:
    """As many lines as there may be, of the longest ids and numbers below 10^11, and the platform's own: smaller than a command may be."""
    line = AdjustingLine(
        account_id=f"acc_{'0' * 36}",
        principal_fen=-(10**11) + 1,
        interest_fen=-(10**10) + 1,
        penalty_fen=-(10**10) + 1,
        fee_fen=-(10**10) + 1,
        returned_fen=0,
        cost_fen=-(10**8) + 1,
        amount_fen=-(10**11) + 1,
    )
    opened = OpenSettlement(
        correction_id=f"cor_{'0' * 36}",
        loan_id=f"loan_{'0' * 36}",
        booking="prior_year",
        lines=(line,) * (LINES_MAX + 1),
    )
    assert len(encode(OpenSettlement, opened)) < COMMAND_BYTES_MAX - 4096
