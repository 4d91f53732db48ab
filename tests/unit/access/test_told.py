"""What another stream refuses after the answer is told to who asked, by name, where he may read it: over the whole platform."""

from pathlib import Path

from tests.unit.access.platform import running_platform
from tests.unit.access.settlers import Settling

UNKNOWN = "loan_nope"


async def test_who_asks_in_vain_is_told_why(tmp_path: Path) -> None:
    """A waiver for a loan that is none, and money paid on it: both are answered before the loan is asked, and neither is silent."""
    async with running_platform(tmp_path / "town") as platform:
        town = Settling(platform)
        await town.staff()
        collector = ("stf_lee", ("measure",))
        waiver = {"kind": "waiver", "amount_fen": 100}
        body = {"loan_id": UNKNOWN, "terms": waiver, "reason": "income_lost", "evidence": ["vault:1"]}
        measure = (await town.must("POST", "/repayment/measures", *collector, body))["id"]
        told = await town.must("GET", f"/repayment/measures/{measure}", *collector)
        assert (told["stage"], told["code"]) == ("failed", "unknown_loan")
        mine = await town.must("GET", "/repayment/measures/mine", *collector)
        assert mine["items"] == [told]

        ada = await town.customer(1, "CN-31", "stf_lee")
        await town.top_up(ada, 100_00)
        paid = await town.own(
            ada, f"/bidding/accounts/{ada.account}/loan-payments", {"loan_id": UNKNOWN, "amount_fen": 50_00}
        )
        assert paid["status"] == "pending"
        lines = await town.must(
            "GET", f"/reporting/statement?payment={paid['id']}", ada.user, ("account:own",)
        )
        back, out = lines["items"]
        assert (out["movement"], out["available_fen"]) == ("LoanPaymentDebited", -50_00)
        assert (back["movement"], back["reason"]) == ("LoanPaymentReturned", "unknown_loan")
        assert back["available_after_fen"] == 100_00
