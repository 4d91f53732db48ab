"""The one router of onboarding: its modules declare their routes on it."""

from libs.runtime.http import ServiceRouter

router = ServiceRouter("onboarding", "Who people are, and which applications become loans.")
