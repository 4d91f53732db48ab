"""The custodian bank of a development stack: a simulator with a process and a ledger of its own, and a person's hand in its place.

It knows the platform by HTTP and signatures only, as a real bank does, and keeps no real bank's promises but those that are
written here: a request is booked once, what it has booked it says, and its ledger balances at every booking.
"""
