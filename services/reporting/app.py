"""What `reporting` is made of: it decides nothing, so it has views only, and none of its own yet."""

from libs.runtime.service import Service


def build(profile: str) -> Service:
    """The service for a rule profile."""
    return Service(name="reporting")
