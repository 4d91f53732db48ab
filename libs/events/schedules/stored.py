"""A loan's manner of repayment as views keep it: the JSON of its event, and back."""

from typing import Any

from libs.events.codec import decode_object, encode, parse_json
from libs.events.schedules.terms import RepaymentTerms


def stored(terms: RepaymentTerms | None) -> dict[str, Any] | None:
    """What stands in a document; None for equal monthly instalments."""
    return None if terms is None else dict(parse_json(encode(RepaymentTerms, terms)))


def read(document: dict[str, Any] | None) -> RepaymentTerms | None:
    """The terms of a document. Raises Undecodable for what is none."""
    if document is None:
        return None
    terms: RepaymentTerms = decode_object(RepaymentTerms, document)
    return terms
