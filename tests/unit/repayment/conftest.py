"""What the route tests of repayment share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that keeps nothing but secrets: minting an RSA key for every test would take most of its time."""
    return tmp_path_factory.mktemp("keys")
