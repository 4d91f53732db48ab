"""The one router of bidding, which every module of its routes declares on."""

from libs.runtime.http import ServiceRouter

router = ServiceRouter("bidding", "Customer money at the custodian, listings and bids.")
