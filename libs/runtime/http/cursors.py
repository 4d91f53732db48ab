"""The cursor of a list's next page: the last name of this one, with a checksum by which what is no cursor of the list shows.

It is no secret and no protection: whoever counts on the wrong page is told so instead of reading an empty one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final

from libs.runtime.http.problems import Problem

_CHECKSUM_BYTES: Final = 6


def cursor(of: str, name: str) -> str:
    """The cursor after a document's name in the list `of`."""
    checksum = blake2b(f"{of}\0{name}".encode(), digest_size=_CHECKSUM_BYTES).digest()
    return urlsafe_b64encode(checksum + name.encode()).decode().rstrip("=")


def read_cursor(of: str, text: str) -> str:
    """The name in a cursor of the list `of`. Raises Problem 422 `malformed_cursor`."""
    try:
        name = urlsafe_b64decode(text + "=" * (-len(text) % 4))[_CHECKSUM_BYTES:].decode()
    except ValueError:
        name = ""
    # base64 reads more texts than it writes, so the text itself is compared, not only the checksum
    if text != cursor(of, name):
        raise malformed_cursor()
    return name


def malformed_cursor() -> Problem:
    """What is sent is no cursor of the list."""
    return Problem(422, "malformed_cursor", "A cursor is sent exactly as this list gave it.")
