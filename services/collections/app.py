"""What `collections` is made of. It has no aggregate of its own yet, and so keeps only its part of the business day."""

from libs.runtime.service import Service
from services.collections.policies import POLICIES


def build(profile: str) -> Service:
    """The service for a rule profile."""
    return Service(name="collections", policies=POLICIES)
