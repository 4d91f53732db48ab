"""Decides on customer money at the custodian, listings and bids: who may hold, pay, bid and be funded.

Never decides what a loan owes (that is `repayment`), never owns money, never lends between a bid and a loan.
"""
