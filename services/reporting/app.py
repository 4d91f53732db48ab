"""What `reporting` is made of: it decides nothing, so it has views only, and none of its own yet."""

from libs.runtime.service import Service


def build(_profile: str) -> Service:
    """The service; no rule parameter decides anything here yet."""
    return Service(name="reporting")
