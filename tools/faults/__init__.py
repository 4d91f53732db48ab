"""Faults on the real platform: what is broken on purpose, what callers were told meanwhile, and whether the log agrees."""
