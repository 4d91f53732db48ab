"""What is shown of a loan whose contract is void, and what of it moves money, stops a guarantee and ends the measure."""

from dataclasses import replace

from libs.events.adjustments import CorrectionCollected, CorrectionSettled
from libs.events.corrections import Share
from libs.events.sagas import Send
from services.bidding.commands.adjustments import OpenSettlement
from services.bidding.policies.adjusting import on_repayment as settled
from services.repayment.commands.guarantees import ReduceGuarantee
from services.repayment.commands.measures import CompleteMeasure
from services.repayment.policies import POLICIES
from services.repayment.projections.claims import VIEW as CLAIMS
from services.repayment.projections.corrections import VIEW as CORRECTIONS
from services.repayment.projections.loans import VIEW as LOANS
from services.repayment.projections.measures import VIEW as MEASURES
from tests.unit.documents import documents, history, recorded
from tests.unit.repayment.measure_story import PROPOSED
from tests.unit.repayment.test_voidance import RESTATED, SAID, VOIDED

COLLECTED = CorrectionCollected(
    correction_id="msr_1",
    loan_id="loan_7",
    booking="same_year",
    account_id="acc_fees",
    amount_fen=60,
    paid=(Share(account_id="acc_1", amount_fen=50), Share(account_id="acc_2", amount_fen=10)),
    open_fen=40,
)


def test_a_void_loan_owes_principal_only() -> None:
    """Each instalment has received principal, one more asks for the rest, and no penalty runs."""
    loan = documents(LOANS, history("loan_7", *VOIDED))["loan_7"]
    shown_of = ("voided_on", "outstanding_fen", "penalty_rate", "rows_to", "bucket", "matures_on")
    shown = {name: loan[name] for name in shown_of}
    assert shown == {
        "voided_on": "2024-03-15",
        "outstanding_fen": 65_998,
        "penalty_rate": "0",
        "rows_to": 2,
        "bucket": "current",
        "matures_on": "2024-03-16",
    }
    rows = [
        [
            loan[f"rows.{number}.{part}_fen"]
            for part in ("principal", "interest", "paid_principal", "paid_interest")
        ]
        for number in (1, 2)
    ]
    assert rows == [[34_002, 0, 34_002, 0], [65_998, 0, 0, 0]]
    assert loan["measures.msr_1"] == "voidance"


def test_its_claims_are_less_by_what_counts_as_principal() -> None:
    """What was interest is principal that came back."""
    claim = documents(CLAIMS, history("loan_7", *VOIDED))["clm_7_1"]
    names = ("outstanding_fen", "principal_back_fen", "interest_fen", "fee_fen")
    assert [claim[name] for name in names] == [32_999, 17_001, 0, 0]


def test_what_moves_is_settled_as_a_correction_is_and_stands_with_its_measure() -> None:
    """The settlement bears the measure's id; what is still to be collected is the measure's, and no correction hears of it."""
    (send,) = settled(recorded(RESTATED))
    assert (send.stream_id, type(send.command)) == ("adj_msr_1", OpenSettlement)
    assert sum(line.amount_fen for line in send.command.lines) == 0
    told = (recorded(PROPOSED, "msr_1"), recorded(COLLECTED, "adj_msr_1"))
    assert documents(MEASURES, told)["msr_1"]["owed_fen"] == 40
    assert documents(CORRECTIONS, told[1:]) == {}
    done = CorrectionSettled(correction_id="msr_1", loan_id="loan_7")
    assert documents(MEASURES, (*told, recorded(done, "adj_msr_1", 2)))["msr_1"]["owed_fen"] == 0
    assert POLICIES["bidding"](recorded(done)) == []
    restored = POLICIES["repayment"](recorded(RESTATED))
    assert restored == []


def test_a_void_loan_ends_its_measure_and_leaves_its_guarantor_free() -> None:
    """What he stood in for is void, so he stands in for nothing; his limit has room for it."""
    done = Send("complete", "msr_1", CompleteMeasure())
    assert POLICIES["repayment"](recorded(SAID)) == [done]
    free = ReduceGuarantee(guarantor="gua_g", loan_id="loan_7", left_fen=0)
    guaranteed = replace(SAID, guarantor="gua_g")
    assert POLICIES["repayment"](recorded(guaranteed)) == [done, Send("guarantee", "gua_g", free)]
