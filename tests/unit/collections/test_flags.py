"""A debtor who has died, or who disputes a debt: who still reaches for him, and how."""

from dataclasses import replace
from typing import Any

import pytest

from libs.events.collections import ContactStarted, PromiseReleased
from libs.events.sagas import Send
from services.collections.policies import on_repayment
from services.collections.projections.queue import VIEW as QUEUE
from tests.unit.collections.flag_story import LIFTED, RAISED, flag, flagged, unflag, unflagged
from tests.unit.collections.plan_story import ASKED, PLAN
from tests.unit.collections.stories import (
    CALL,
    CASE,
    CLAIM,
    DEBTOR,
    LEE,
    LOAN,
    MISS,
    PROMISE,
    PROMISED,
    at,
    debtor,
    entry,
    history,
    ranked,
)
from tests.unit.documents import documents, recorded
from tests.unit.documents import history as stream
from tests.unit.given import TODAY

LETTER = replace(CALL, channel="letter")
OTHER = replace(MISS, loan_id="loan_8")
HELD = (MISS, CLAIM)


def test_a_flag_stands_once_whether_anything_was_missed_or_not() -> None:
    """It is kept before there is a case, and found when there is one; the queue says so."""
    debtor().when(flag("death")).then(flagged("death"))
    debtor(flag("death")).when(flag("death")).then_nothing()
    debtor(flag("death")).when(unflag("death")).then(unflagged("death"))
    debtor(flag("death")).when(unflag("dispute")).then_nothing()
    debtor(MISS).when(flag("dispute")).then(flagged("dispute"), ranked(entry(), entry(flags=("dispute",))))
    assert debtor(flag("death")).when(MISS).events[-1] == ranked(None, entry(flags=("death",)))


@pytest.mark.parametrize("channel", ["call", "visit", "sms"])
@pytest.mark.parametrize(("kind", "code"), [("death", "debtor_deceased"), ("dispute", "debt_disputed")])
def test_only_letters_go_out_while_a_flag_stands(channel: Any, kind: Any, code: str) -> None:
    """No call, visit or message, to whomever; a letter, and whoever rings up himself, as ever; lifted, all of it again."""
    flagged_debtor = debtor(*HELD, flag(kind))
    flagged_debtor.when(replace(CALL, channel=channel)).then_refused(code)
    flagged_debtor.when(replace(CALL, channel=channel, party="guarantor", party_id="pty_1")).then_refused(
        code
    )
    assert flagged_debtor.when(LETTER).refused is None
    assert flagged_debtor.when(replace(CALL, direction="inbound")).refused is None
    assert debtor(*HELD, flag(kind), unflag(kind)).when(replace(CALL, channel=channel)).refused is None


def test_whom_the_dead_leave_behind_is_written_to() -> None:
    """Nobody reaches him in vain first, for nobody can; to others nobody writes while he may answer himself, and never who refused."""
    guarantor = replace(LETTER, party="guarantor", party_id="pty_1")
    debtor(*HELD).when(guarantor).then_refused("debtor_reachable")
    debtor(*HELD, flag("dispute")).when(guarantor).then_refused("debtor_reachable")
    dead = debtor(*HELD, flag("death"))
    dead.when(guarantor).then(
        ContactStarted(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            contact_id=guarantor.contact_id,
            number=1,
            collector=LEE,
            channel="letter",
            direction="outbound",
            party="guarantor",
            party_id="pty_1",
            started_at=at(0).at,
            local_day=TODAY,
        )
    )
    debtor(*HELD, flag("death"), unflag("death")).when(guarantor).then_refused("debtor_reachable")


def test_a_death_is_the_debtors_and_a_dispute_is_the_loans() -> None:
    """Of two loans one is flagged: nobody calls the dead about the other, and what is not disputed is worked as ever."""
    both = (MISS, OTHER, CLAIM)
    call = replace(CALL, case_id="case_8")
    debtor(*both, flag("death")).when(call).then_refused("debtor_deceased")
    assert debtor(*both, flag("dispute")).when(call).refused is None
    debtor(*both, flag("dispute", "loan_8")).when(call).then_refused("debt_disputed")


def test_nobody_agrees_with_the_dead_nor_on_what_is_disputed() -> None:
    """A plan is for neither; a promise that a debtor gives who disputes is taken, one of the dead is not."""
    promised = (*HELD, CALL, (PROMISED, at(4)))
    debtor(*promised, flag("death")).when(PROMISE, at(5)).then_refused("debtor_deceased")
    assert debtor(*promised, flag("dispute")).when(PROMISE, at(5)).refused is None
    debtor(*HELD, flag("death")).when(PLAN).then_refused("debtor_deceased")
    debtor(*HELD, flag("dispute")).when(PLAN).then_refused("debt_disputed")
    debtor(*HELD, flag("dispute"), unflag("dispute")).when(PLAN).then(ASKED)


def test_the_dead_break_no_promise() -> None:
    """A promise that was open is released when he dies."""
    promised = debtor(*HELD, CALL, (PROMISED, at(4)), (PROMISE, at(5)))
    events = promised.when(flag("death"), at(6)).events
    assert events[:2] == (
        flagged("death"),
        PromiseReleased(
            debtor_id=DEBTOR,
            case_id=CASE,
            loan_id=LOAN,
            promise_id="prm_1",
            collector=LEE,
            amount_fen=300_00,
            paid_fen=0,
        ),
    )


def test_repayment_tells_both_ways() -> None:
    """What is raised and what is lifted reaches the debtor's stream."""
    assert on_repayment(recorded(RAISED, "loan_7")) == [Send("flag", DEBTOR, flag("death"))]
    assert on_repayment(recorded(LIFTED, "loan_7")) == [Send("unflag", DEBTOR, unflag("death"))]


def test_the_queue_shows_what_stands() -> None:
    """Whoever picks a case sees its flags before he dials."""
    told = history(MISS, flag("dispute"), flag("death"))
    shown = documents(QUEUE, stream(DEBTOR, *told))
    assert [document["flags"] for document in shown.values()] == [["death", "dispute"]]
