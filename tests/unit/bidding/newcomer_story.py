"""A listing that an operator's hand lets open in three days, for newcomers, by somebody who is related to staff."""

from datetime import timedelta

from libs.events.scheduling import ListingScheduled
from tests.unit.bidding.listing_story import CLOSES, opened
from tests.unit.given import TODAY

IN_3_DAYS = TODAY + timedelta(days=3)
FOR_NEWCOMERS = opened(newcomers_only=True)
#: What it will say on its day, which is the first of its whole days.
OPENING = opened(closes_on=CLOSES + timedelta(days=2))
SCHEDULED = ListingScheduled(listing_id="lst_1", loan_id="loan_1", opens_on=IN_3_DAYS, opening=OPENING)
