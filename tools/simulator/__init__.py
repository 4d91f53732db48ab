"""The seeded simulator: the platform's own decider, policy, day and projection code on an in-memory log full of faults.

One seed gives one run, always the same. `loanstream sim` looks for failing ones.
"""
