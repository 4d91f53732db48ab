"""Bugs of onboarding and collections: caps, relations, reviews, leaving, promises, leases and the limits on contacts."""

from dataclasses import replace
from typing import Any

import services.bidding.domain.listing as listing
import services.onboarding.domain.user as user
from services.bidding.commands import RecordCard, RecordRelation
from services.bidding.domain import bank, funding, opening, owner
from services.bidding.domain.profile import Profile as BiddingProfile
from services.bidding.policies import POLICIES as BIDDING
from services.collections.commands import RecordCasePayment
from services.collections.domain import contact_gate, debtor_cases, debtor_contacts
from services.collections.policies import POLICIES as COLLECTIONS
from services.onboarding.commands import ReduceExposure
from services.onboarding.domain import exposure
from services.onboarding.domain.profile import Profile as OnboardingProfile
from services.onboarding.domain.user_state import Verified
from services.onboarding.policies import POLICIES as ONBOARDING
from tools.simulator.planted.plant import LAWFUL, WHOLE, Plant, forgetting, instead, policy, together


def _none(*_arguments: Any) -> None:
    return None


def _unrelated(real: Any) -> Any:
    def why_unfit(command: Any, *others: Any) -> Any:
        code = real(command, *others)
        return None if code == "related_party" else code

    return why_unfit


def _unread(real: Any) -> Any:
    def open_listing(command: Any, state: Any, context: Any, profile: Any) -> Any:
        return real(command, state, context, replace(profile, check_required=False))

    return open_listing


def _of_any_text(real: Any) -> Any:
    """The state says what the checker said; its event says it, too."""

    def check(command: Any, state: Any, context: Any, profile: Any) -> Any:
        return real(command, replace(state, content_hash=command.content_hash), context, profile)

    return check


def _without_a_look(_real: Any) -> Any:
    def paid(state: Any, context: Any, voucher: str) -> Any:
        return funding._funded(state, context, executor=context.principal, voucher=voucher)

    return paid


def _no_exposures(real: Any) -> Any:
    """Whoever still owes may go."""

    def erase(command: Any, state: Any, context: Any) -> Any:
        if isinstance(state, Verified):
            return real(command, Verified(customer=state.customer, suitability=None, exposures=()), context)
        return real(command, state, context)

    return erase


PLANTS = (
    Plant(
        "cap-forgotten",
        "A loan is approved whatever its borrower owes already.",
        instead(exposure, "_is_within", lambda _real: lambda _exposure, _cap: True),
        ("above the cap of",),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "nobody-has-a-cap",
        "No cap is in force for anybody, and the events say so.",
        instead(OnboardingProfile, "cap_fen", lambda _real: _none),
        ("is not the law's",),
        config=LAWFUL,
        seeds=range(2),
    ),
    Plant(
        "principal-back-still-counts",
        "Principal that came back counts against the borrower's cap for ever.",
        policy(ONBOARDING, "repayment", forgetting(ReduceExposure)),
        (" counts ", "told is"),
        config=WHOLE,
        seeds=range(6),
    ),
    Plant(
        "related-may-bid",
        "Whoever is related to a borrower may lend to him.",
        instead(listing, "_why_unfit", _unrelated),
        ("who is related",),
        config=WHOLE,
        seeds=range(8),
    ),
    Plant(
        "relation-not-told",
        "A relation never reaches the account of who is related.",
        policy(BIDDING, "onboarding", forgetting(RecordRelation)),
        ("does not know that", "who is related"),
        config=WHOLE,
        seeds=range(2),
    ),
    Plant(
        "card-not-told",
        "The own-name card that somebody is verified by never reaches his account.",
        policy(BIDDING, "onboarding", forgetting(RecordCard)),
        ("knows another card than",),
        config=WHOLE,
        seeds=range(2),
    ),
    Plant(
        "order-without-card",
        "What is asked of the bank names no card.",
        instead(bank, "_own_card", lambda _real: _none),
        ("the bank is told another card",),
        config=WHOLE,
        seeds=range(2),
    ),
    Plant(
        "one-review-is-enough",
        "A large loan is funded after one review.",
        instead(
            funding,
            "_review",
            lambda real: (
                lambda command, state, context, profile: (
                    [*real(command, state, context, profile)[:1], funding._pass(state, context, profile)]
                )
            ),
        ),
        ("funded after 1 reviews", "funded after 0 reviews"),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "review-at-no-amount",
        "A large listing is filled and asks for nobody's review.",
        instead(BiddingProfile, "reviews_needed", lambda _real: lambda *_arguments: 0),
        ("reviews, told is 0",),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "published-unread",
        "An application's listing opens at once, nobody looks at it.",
        instead(listing, "open_listing", _unread),
        ("is published unread",),
        config=LAWFUL,
        seeds=range(3),
    ),
    Plant(
        "published-by-who-prepared-it",
        "Whoever likes lets a listing be published, also who prepared it.",
        instead(opening, "_require_second_person", lambda _real: _none),
        ("publishes what he has a part in",),
        config=LAWFUL,
        seeds=range(16),
    ),
    Plant(
        "any-text-is-published",
        "Whoever checks a listing need not have read its text.",
        instead(opening, "_check", _of_any_text),
        ("has read another text",),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "fee-beside-the-table",
        "A listing may cost what nobody has published.",
        together(
            instead(BiddingProfile, "fees_version", lambda _real: lambda *_arguments: 1),
            instead(OnboardingProfile, "has_published", lambda _real: lambda *_arguments: True),
        ),
        ("are not the published ones", "has no published fee"),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "ceiling-forgotten",
        "A loan may cost what it likes.",
        together(
            instead(opening, "is_affordable", lambda _real: lambda *_arguments: True),
            instead(funding, "is_affordable", lambda _real: lambda *_arguments: True),
            instead(OnboardingProfile, "allows_cost", lambda _real: lambda *_arguments: True),
        ),
        ("costs more than the ceiling of",),
        config=LAWFUL,
        seeds=range(8),
    ),
    Plant(
        "one-investor-takes-it-all",
        "Nobody looks at how much one investor has in one listing.",
        instead(BiddingProfile, "investor_cap_fen", lambda _real: _none),
        ("above what one investor may",),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "reviewer-pays-out",
        "Who reviewed a large loan pays it out, too.",
        instead(funding, "_require_another", lambda _real: _none),
        ("pays out what others have to",),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "payout-forgets-the-cap",
        "A reviewed loan is paid out on the look at its caps that its approval came from, up to ten days before.",
        instead(funding, "_paid", _without_a_look),
        ("nobody has looked at the cap again",),
        config=LAWFUL,
        seeds=range(24),
    ),
    Plant(
        "leaves-with-money",
        "An account with money in it is closed when its owner leaves.",
        instead(owner, "_why_not_empty", lambda _real: _none),
        ("is closed with", "money moves on the closed account"),
        config=WHOLE,
        seeds=range(12),
    ),
    Plant(
        "leaves-with-an-application",
        "Whoever has an application or a loan under way is forgotten.",
        instead(user, "_erase", _no_exposures),
        ("leaves with",),
        config=WHOLE,
        seeds=range(4, 5),
    ),
    Plant(
        "promise-not-judged",
        "A promise whose day has passed stays open.",
        instead(debtor_cases, "judge_promises", lambda _real: lambda _state, _day: []),
        ("was not judged on", "internal refusals", "WakeFailed"),
        config=WHOLE,
        seeds=range(26, 28),
    ),
    Plant(
        "payment-not-told-to-the-case",
        "A payment of a late loan never reaches its case.",
        policy(COLLECTIONS, "repayment", forgetting(RecordCasePayment)),
        ("is overdue, it is", "never ends"),
        config=WHOLE,
        seeds=range(6),
    ),
    Plant(
        "lease-not-looked-at",
        "Whoever asks works on a debtor whom another holds.",
        instead(debtor_contacts, "require_lease", lambda _real: _none),
        ("does not hold him",),
        config=WHOLE,
        seeds=range(6),
    ),
    Plant(
        "called-at-night",
        "A debtor is called at any hour.",
        instead(contact_gate, "may_disturb", lambda _real: lambda *_arguments: True),
        ("is disturbed at minute",),
        config=WHOLE,
        seeds=range(8),
    ),
)
