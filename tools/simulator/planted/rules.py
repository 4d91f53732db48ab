"""Bugs of the business: bids, holds, payments, distributions, penalties and what the day does to a loan."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import services.bidding.domain.account_state as account_state
import services.bidding.domain.holds as holds
import services.bidding.domain.listing as listing
from libs.events.bidding import ListingExpired
from libs.events.money import Rounding, divide_fen
from libs.events.schedules import due_dates, rows
from services.bidding.commands import (
    CaptureHold,
    CreditFee,
    CreditInvestor,
    CreditProceeds,
    ReduceHold,
    ReleaseHold,
    ReturnPayment,
)
from services.bidding.domain import bank, voiding
from services.bidding.domain.cancelling import cancelled
from services.bidding.domain.listing_state import Filled, Passed, Payable
from services.bidding.policies import POLICIES as BIDDING
from services.repayment.domain import allocation, charging, distribution, loan_day, paying
from tools.simulator.planted.plant import (
    DUES,
    LATE,
    LAWFUL,
    MONTH_END,
    ROUGH_DUES,
    Plant,
    changing,
    forgetting,
    instead,
    policy,
    together,
)


def _keeps_holds_of_expired(real: Any) -> Any:
    return lambda event: [] if isinstance(event.data, ListingExpired) else real(event)


def _floored(total_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    whole = sum(weights)
    return tuple(total_fen * weight // whole if whole else 0 for weight in weights)


def _rounded_up(total_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    whole = sum(weights)
    return tuple(divide_fen(total_fen * weight, whole, Rounding.UP) if whole else 0 for weight in weights)


def _fined_when_paid(real: Any) -> Any:
    """Penalty runs on the whole instalment, whatever of it is paid."""

    def penalty_lines(book: Any, on: date, rules: Any) -> Any:
        unpaid = replace(book, first_open=1, paid=())
        return real(unpaid, on, rules)

    return penalty_lines


def _drifting(real: Any) -> Any:
    """A due date is a month after the one before, so a short month shortens all that follow."""

    def due_date(funded_on: date, number: int) -> date:
        day: date = funded_on
        for _ in range(number):
            day = real(day, 1)
        return day

    return due_date


def _interest_first(_real: Any) -> Any:
    def allocate(book: Any, amount_fen: int, on: date, _order: Any = None) -> Any:
        lines, rest = [], amount_fen
        for owed in allocation.open_lines(book, on):
            principal = min(rest, owed.principal_fen)
            interest = min(rest - principal, owed.interest_fen)
            penalty = min(rest - principal - interest, owed.penalty_fen)
            fee = min(rest - principal - interest - penalty, owed.fee_fen)
            line = replace(
                owed, principal_fen=principal, interest_fen=interest, penalty_fen=penalty, fee_fen=fee
            )
            rest -= allocation.line_fen(line)
            if allocation.line_fen(line):
                lines.append(line)
        return tuple(lines)

    return allocate


def _without_funds(real: Any) -> Any:
    """Whoever has too little is lent the rest."""

    def book(state: Any, **moves: Any) -> Any:
        lacking = -(state.available_fen + moves.get("available_fen", 0))
        if lacking <= 0:
            return real(state, **moves)
        rich = replace(state, available_fen=state.available_fen + lacking)
        return real(rich, **moves)

    return book


def _any_amount(real: Any) -> Any:
    def why_not(command: Any, *others: Any) -> Any:
        code = real(command, *others)
        return None if code == "bid_above_remaining" else code

    return why_not


def _as_if_it_asked_for_more(real: Any) -> Any:
    def place(command: Any, state: Any, *others: Any) -> Any:
        asked = max(state.terms.amount_fen, state.raised_fen + command.amount_fen)
        return real(command, replace(state, terms=replace(state.terms, amount_fen=asked)), *others)

    return place


def _takes_back_any(real: Any) -> Any:
    def cancel(command: Any, state: Any, context: Any) -> Any:
        if isinstance(state, Filled | Passed | Payable):
            return [cancelled(state.terms, state.bids, context, command.code, command.by)]
        return real(command, state, context)

    return cancel


def _never_for_top_ups(real: Any) -> Any:
    def is_repeated(answer: Any, requests: Any, state: Any, noun: str) -> bool:
        return noun != "top_up" and real(answer, requests, state, noun)

    return is_repeated


def _answered_again(real: Any) -> Any:
    """The state does not mind a second answer, so that nothing but the books can."""

    def answered(requests: Any, request_id: str, reference: str, *, succeeded: bool) -> Any:
        earlier = {each.request_id: each.amount_fen for each in requests.answered}
        again = {request_id: earlier[request_id]} if request_id in earlier else {}
        return real(
            replace(requests, pending=requests.pending | again), request_id, reference, succeeded=succeeded
        )

    return answered


PLANTS = (
    Plant(
        "bid-declined-hold-kept",
        "A declined bid's money stays held.",
        policy(BIDDING, "bidding", forgetting(ReleaseHold)),
        ("is held for nothing",),
    ),
    Plant(
        "excess-lent",
        "A bid that is taken in part keeps the rest held, and lends it.",
        together(
            policy(BIDDING, "bidding", forgetting(ReduceHold)),
            policy(BIDDING, "bidding", changing(CaptureHold, amount_fen=lambda _command: None)),
        ),
        ("too much", "never credited", "internal refusals", "never ends"),
    ),
    Plant(
        "full-listing-taken-back",
        "Whoever asks takes back a listing that is full.",
        instead(voiding, "cancel", _takes_back_any),
        ("is taken back by the",),
        config=LAWFUL,
        seeds=range(2, 6),
    ),
    Plant(
        "expired-hold-kept",
        "A listing that expires keeps its investors' money.",
        policy(BIDDING, "bidding", _keeps_holds_of_expired),
        ("is held for nothing", "never ends", "wait for ever"),
    ),
    Plant(
        "fen-made-at-payout",
        "A borrower is paid out one fen more than his investors gave.",
        policy(
            BIDDING, "bidding", changing(CreditProceeds, amount_fen=lambda command: command.amount_fen + 1)
        ),
        ("promised was", "clearing:loan:"),
    ),
    Plant(
        "fee-forgotten",
        "The origination fee never reaches the platform.",
        policy(BIDDING, "bidding", forgetting(CreditFee)),
        ("clearing:loan:",),
    ),
    Plant(
        "overdrawn",
        "Whoever bids more than he has is lent the rest.",
        instead(holds, "book", _without_funds),
        ("available:acc_",),
    ),
    Plant(
        "overfunded",
        "A bid above what is left is taken.",
        together(
            instead(listing, "_why_not", _any_amount), instead(listing, "_place", _as_if_it_asked_for_more)
        ),
        ("is overfunded",),
    ),
    Plant(
        "capture-forgotten",
        "One investor's hold of a funded loan is not captured.",
        policy(BIDDING, "bidding", forgetting(CaptureHold)),
        ("is held for nothing", "never ends"),
    ),
    Plant(
        "bank-answer-booked-twice",
        "The bank's answer that comes again is booked again.",
        together(
            instead(bank, "_is_repeated", _never_for_top_ups),
            instead(account_state, "with_answer", _answered_again),
        ),
        ("answer to", "bank reference"),
    ),
    Plant(
        "remainder-dropped",
        "The fen that a split leaves over go to nobody.",
        instead(distribution, "split_fen", lambda _real: _floored),
        ("is not shared out", "claims "),
        config=LATE,
    ),
    Plant(
        "share-rounded-up",
        "Every holder's share is rounded up.",
        instead(distribution, "split_fen", lambda _real: _rounded_up),
        ("is not shared out", "got more than it held", "claims "),
        config=LATE,
    ),
    Plant(
        "holder-forgotten",
        "A holder's share of a repayment is never credited.",
        policy(BIDDING, "repayment", forgetting(CreditInvestor)),
        ("clearing:loan:", "never credited"),
        config=DUES,
    ),
    Plant(
        "excess-kept",
        "What a loan did not take is not given back.",
        policy(BIDDING, "repayment", forgetting(ReturnPayment)),
        ("clearing:loan:", "never credited"),
        config=DUES,
    ),
    Plant(
        "principal-first",
        "A payment pays principal before interest and penalty.",
        instead(paying, "allocate", _interest_first),
        ("in the wrong order",),
        config=ROUGH_DUES,
    ),
    Plant(
        "penalty-on-paid",
        "Penalty runs on the whole instalment although a part of it is paid.",
        instead(charging, "penalty_lines", _fined_when_paid),
        ("open is", "internal refusals"),  # the loan itself may notice that its lines do not add up
        config=LATE,
        seeds=range(2, 6),
    ),
    Plant(
        "grace-forgotten",
        "Penalty is charged from the first day on.",
        instead(
            charging,
            "penalty_lines",
            lambda real: lambda book, on, rules: real(book, on, replace(rules, penalty_grace_days=0)),
        ),
        ("days after its due date",),
        config=DUES,
    ),
    Plant(
        "due-dates-drift",
        "A short month moves all later due dates.",
        instead(due_dates, "due_date", _drifting),
        ("instalment ",),
        config=MONTH_END,
    ),
    Plant(
        "interest-rounded-up",
        "A month's interest is rounded up.",
        instead(
            rows,
            "interest_fen",
            lambda real: lambda balance, rate, part, _mode: real(balance, rate, part, Rounding.UP),
        ),
        ("wrong interest of instalment", "asked anew is"),
        config=DUES,
    ),
    Plant(
        "bucket-not-left",
        "A loan that caught up stays in its overdue bucket.",
        instead(paying, "better_bucket", lambda _real: lambda *_arguments: []),
        ("repaid in M", "days are"),
        config=LATE,
    ),
    Plant(
        "missed-on-the-due-day",
        "An instalment is missed on the day it falls due.",
        instead(loan_day, "_misses", lambda real: lambda state, on: real(state, on + timedelta(days=1))),
        ("is judged", "misses", "days are", "was not asked for"),
        config=DUES,
    ),
)
