"""Decides what is owed on a loan, to whom a payment goes, and when a business day ends.

Never touches an account: money is debited and credited by `bidding`, on the facts that stand here.
"""
