"""The register of assets taken in settlement 抵债资产: kept, counted every quarter, sold within the term of its kind.

Sources: processes.md 1.P (Ministry of Finance 2005 no. 53 art. 18); file F19. The platform holds it for those who have shares in it and
buys none (domain.md section 9).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import assert_never, get_args

from libs.events.assets import (
    AssetAuctionFailed,
    AssetCounted,
    AssetCountMissed,
    AssetDisposalFailed,
    AssetDisposalOverdue,
    AssetDisposalProposed,
    AssetDisposalSigned,
    AssetDisposed,
    AssetSold,
    AssetTaken,
)
from libs.events.deciding import Aggregate, Context, Refused, Wake, WakeOn
from libs.events.in_kind import SettlementInKind
from services.repayment.commands.assets import (
    CountAsset,
    DeclineDisposal,
    ProposeDisposal,
    RecordDisposal,
    RecordFailedAuction,
    SignDisposal,
    TakeAsset,
)
from services.repayment.domain.asset_parties import require_neither_end, require_parties
from services.repayment.domain.asset_proceeds import proceeds
from services.repayment.domain.asset_state import (
    STEPS,
    Asset,
    AssetEvent,
    AssetState,
    Disposal,
    Disposed,
    Kept,
    NotTaken,
    evolve,
    signs_until,
)
from services.repayment.domain.himself import is_his
from services.repayment.domain.ids import require_account, staff
from services.repayment.domain.profile import Profile, Rules

#: The phase of a day in which a count or a term is missed: the last that repayment has.
TERMS_PHASE = 4
#: Counted at least once a quarter *(chosen: of 92 days)*.
_QUARTER = timedelta(days=92)
_YEARS = {"real_estate": 2, "shares": 2, "rights": 2, "movables": 1}

_StaffsCommand = CountAsset | RecordFailedAuction | ProposeDisposal | SignDisposal
_SagasCommand = RecordDisposal | DeclineDisposal
AssetCommand = TakeAsset | _StaffsCommand | _SagasCommand


def decide(
    command: AssetCommand | Wake, state: AssetState, context: Context, *, profile: Profile
) -> Sequence[AssetEvent]:
    """The register's answer to a command. Refusals stand on the commands."""
    match command:
        case TakeAsset():
            return _take(command) if isinstance(state, NotTaken) else []
        case Wake():
            return _pass(command, state)
        case RecordDisposal() | DeclineDisposal():
            return _answered(command, state, context)
        case CountAsset() | RecordFailedAuction() | ProposeDisposal() | SignDisposal():
            return _kept(command, state, context, profile)
        case _:
            assert_never(command)


def _kept(
    command: _StaffsCommand, state: AssetState, context: Context, profile: Profile
) -> Sequence[AssetEvent]:
    who = staff(context)
    if isinstance(state, NotTaken):
        raise Refused("unknown_asset")
    if isinstance(state, Disposed):
        if isinstance(command, SignDisposal):
            raise Refused("no_disposal")
        raise Refused("asset_disposed")
    rules = profile.on(context.business_date)
    match command:
        case CountAsset():
            return _count(command, state, who, context.business_date)
        case RecordFailedAuction():
            return _failed_auction(command, state, who, context.business_date)
        case ProposeDisposal():
            return _propose(rules, command, state, who, context.business_date)
        case SignDisposal():
            return _sign(rules, command, state, who, context.business_date)
        case _:
            assert_never(command)


# --- taking and keeping --------------------------------------------------------------------------------------------


def dispose_by(terms: SettlementInKind) -> date:
    """The last day of its term: two years from acquisition, one for movables, and never beyond the validity of a right."""
    last = _years_after(terms.acquired_on, _YEARS[terms.asset])
    return last if terms.valid_to is None else min(last, terms.valid_to)


def _years_after(day: date, years: int) -> date:
    if (day.month, day.day) == (2, 29):
        day = day - timedelta(days=1)
    return day.replace(year=day.year + years)


def _take(command: TakeAsset) -> Sequence[AssetTaken]:
    return [
        AssetTaken(
            asset_id=command.asset_id,
            loan_id=command.loan_id,
            measure_id=command.measure_id,
            borrower=command.borrower,
            borrower_account=command.borrower_account,
            terms=command.terms,
            settled_fen=command.settled_fen,
            excess_fen=command.excess_fen,
            shares=command.shares,
            taken_on=command.taken_on,
            dispose_by=dispose_by(command.terms),
            count_due_on=command.taken_on + _QUARTER,
            product=command.product,
            region=command.region,
        )
    ]


def _count(command: CountAsset, state: Kept, who: str, on: date) -> Sequence[AssetCounted]:
    if state.counted == (on, command.paper):
        return []
    return [
        AssetCounted(
            asset_id=state.asset.asset_id,
            loan_id=state.asset.loan_id,
            found=command.found,
            paper=command.paper,
            counted_by=who,
            counted_on=on,
            next_due_on=on + _QUARTER,
        )
    ]


def _pass(
    wake: Wake, state: AssetState
) -> Sequence[AssetCountMissed | AssetDisposalOverdue | AssetDisposalFailed]:
    """A quarter went by and nobody counted it, or its term did and it is not sold, or nobody signed its sale in time. One that was taken on an evening after its last day
    hears of it before the phase in which the next day ends: what is over by then is the day before."""
    if not isinstance(state, Kept):
        return []
    asset, events = state.asset, list[AssetCountMissed | AssetDisposalOverdue | AssetDisposalFailed]()
    on = wake.business_date - timedelta(days=wake.phase < TERMS_PHASE)
    if state.count_due_on <= on:
        events.append(
            AssetCountMissed(
                asset_id=asset.asset_id,
                loan_id=asset.loan_id,
                due_on=state.count_due_on,
                next_due_on=state.count_due_on + _QUARTER,
                missed=state.counts_missed + 1,
            )
        )
    if asset.dispose_by <= on and not state.is_overdue:
        events.append(
            AssetDisposalOverdue(asset_id=asset.asset_id, loan_id=asset.loan_id, dispose_by=asset.dispose_by)
        )
    last = signs_until(state)
    if state.disposal is not None and last is not None and last <= on:
        events.append(_failed(state, state.disposal.disposal_id, "expired", wake.business_date))
    return events


def wake_on(state: AssetState) -> WakeOn:
    """The end of the day by which it must be counted or sold, or its sale be signed."""
    if not isinstance(state, Kept):
        return None
    days = [state.count_due_on, signs_until(state), None if state.is_overdue else state.asset.dispose_by]
    return min(day for day in days if day is not None), TERMS_PHASE


# --- the sale ------------------------------------------------------------------------------------------------------


def _failed_auction(
    command: RecordFailedAuction, state: Kept, who: str, on: date
) -> Sequence[AssetAuctionFailed]:
    if command.report in state.failed_auctions:
        return []
    return [
        AssetAuctionFailed(
            asset_id=state.asset.asset_id,
            loan_id=state.asset.loan_id,
            reserve_fen=command.reserve_fen,
            report=command.report,
            recorded_by=who,
            held_on=on,
        )
    ]


def _propose(
    rules: Rules, command: ProposeDisposal, state: Kept, who: str, on: date
) -> Sequence[AssetDisposalProposed]:
    proposed = AssetDisposalProposed(
        asset_id=state.asset.asset_id,
        loan_id=state.asset.loan_id,
        disposal_id=command.disposal_id,
        manner=command.manner,
        price_fen=command.price_fen,
        reserve_fen=command.reserve_fen,
        cost_fen=command.cost_fen,
        cost_account=command.cost_account,
        buyer_account=command.buyer_account,
        paper=command.paper,
        reason=command.reason,
        proposed_by=who,
        proposed_on=on,
        sign_until=on + timedelta(days=rules.signing_days),
    )
    if command.disposal_id == state.ended:
        return []
    if state.disposal is not None:
        if state.disposal.disposal_id == command.disposal_id:
            return []
        raise Refused("disposal_under_way")
    _require_sale(rules, command, state)
    return [proposed]


def _require_sale(rules: Rules, command: ProposeDisposal, state: Kept) -> None:
    _require_no_part(state.asset, command.himself)
    if (command.manner == "auction") != (command.reserve_fen is not None):
        raise Refused("reserve_missing")
    if command.reserve_fen is not None and command.price_fen < command.reserve_fen:
        raise Refused("below_reserve")
    if command.manner != "auction" and not state.failed_auctions and command.reason is None:
        raise Refused("auction_first")
    if bool(command.cost_fen) != bool(command.cost_account):
        raise Refused("invalid_cost")
    require_account(command.buyer_account)
    if command.cost_account:
        require_account(command.cost_account)
    require_parties(rules, command, state.asset)
    require_neither_end(command, command.himself)


def _sign(rules: Rules, command: SignDisposal, state: Kept, who: str, on: date) -> Sequence[AssetEvent]:
    disposal = state.disposal
    if disposal is None or disposal.disposal_id != command.disposal_id:
        if state.ended == command.disposal_id and command.refused is not None:
            return []
        raise Refused("no_disposal")
    done = STEPS[: len(disposal.signers)]
    if command.refused is None and (command.step, who) in zip(done, disposal.signers, strict=True):
        return []
    if done == STEPS or command.step != STEPS[len(done)]:
        raise Refused("step_out_of_order")
    # The date may be past before the tick has reached this stream, as with a measure.
    if disposal.sign_until is not None and on > disposal.sign_until:
        raise Refused("disposal_expired")
    _require_another(disposal, who, command.himself)
    _require_no_part(state.asset, command.himself)
    if command.refused is not None:
        return [_failed(state, command.disposal_id, command.refused, on, refused_by=who)]
    require_parties(rules, disposal, state.asset)
    left = STEPS[len(done) + 1 :]
    signed = AssetDisposalSigned(
        asset_id=state.asset.asset_id,
        loan_id=state.asset.loan_id,
        disposal_id=disposal.disposal_id,
        step=command.step,
        signer=who,
        signed_on=on,
        next_step=left[0] if left else None,
    )
    if left:
        return [signed]
    sold = AssetSold(
        asset_id=state.asset.asset_id,
        loan_id=state.asset.loan_id,
        disposal_id=disposal.disposal_id,
        buyer_account=disposal.buyer_account,
        price_fen=disposal.price_fen,
        sold_on=on,
    )
    return [signed, sold]


def _require_another(disposal: Disposal, who: str, himself: str | None) -> None:
    """Nobody has two parts in a sale, nor signs what he buys or is paid."""
    if who in (disposal.proposed_by, *disposal.signers):
        raise Refused("forbidden_second_signature")
    require_neither_end(disposal, himself)


def _require_no_part(asset: Asset, himself: str | None) -> None:
    """Nobody sells what he gave for his debt, nor what he has a share in."""
    if is_his(asset.borrower_account, himself):
        raise Refused("forbidden_borrower")
    if himself in [share.investor for share in asset.shares]:
        raise Refused("forbidden_holder")


# --- the money -----------------------------------------------------------------------------------------------------


def _answered(
    command: _SagasCommand, state: AssetState, context: Context
) -> Sequence[AssetDisposed | AssetDisposalFailed]:
    if isinstance(state, NotTaken):
        raise Refused("unknown_asset")
    if isinstance(state, Disposed):
        return []
    disposal = state.disposal
    is_sold = disposal is not None and len(disposal.signers) == len(STEPS)
    is_this = disposal is not None and disposal.disposal_id == command.disposal_id
    if isinstance(command, DeclineDisposal):
        if not is_sold or not is_this:
            return []
        return [_failed(state, command.disposal_id, command.code, context.business_date)]
    if disposal is None or not is_sold or not is_this:
        raise Refused("no_disposal")
    lines = proceeds(state.asset, disposal)
    shared_fen = sum(share.amount_fen for share in state.asset.shares)
    got_fen = sum(line.amount_fen for line in lines if line.part == "holder")
    return [
        AssetDisposed(
            asset_id=state.asset.asset_id,
            loan_id=state.asset.loan_id,
            disposal_id=disposal.disposal_id,
            price_fen=disposal.price_fen,
            lines=lines,
            loss_fen=max(0, shared_fen - got_fen),
            disposed_on=context.business_date,
        )
    ]


def _failed(
    state: Kept, disposal_id: str, code: str, on: date, *, refused_by: str = ""
) -> AssetDisposalFailed:
    return AssetDisposalFailed(
        asset_id=state.asset.asset_id,
        loan_id=state.asset.loan_id,
        disposal_id=disposal_id,
        code=code,
        failed_on=on,
        refused_by=refused_by,
    )


def asset_aggregate(profile: Profile) -> Aggregate:
    """The aggregate of the streams `ast_…`, under the days that a profile gives signatures."""
    return Aggregate(
        name="asset",
        prefix="ast",
        commands=get_args(AssetCommand),
        events=get_args(AssetEvent),
        state=AssetState,
        initial=NotTaken(),
        decide=partial(decide, profile=profile),
        evolve=evolve,
        wake_on=wake_on,
    )
