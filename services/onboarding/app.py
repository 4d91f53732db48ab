"""What `onboarding` is made of. It has no aggregate of its own yet, and so keeps only its part of the business day."""

from libs.runtime.service import Service
from services.onboarding.policies import POLICIES


def build(_profile: str) -> Service:
    """The service; no rule parameter decides anything here yet."""
    return Service(name="onboarding", policies=POLICIES)
