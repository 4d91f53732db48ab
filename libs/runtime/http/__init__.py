"""The HTTP edge: what a service's routes are made of. Everything a service's api room needs is named here.

A person's POST becomes a command on the log and is answered by the log; a GET reads a view. See design.md 2.9.
"""

from libs.runtime.http.access import BankSignature, scopes
from libs.runtime.http.calls import Call, ThisCall, ThisPrincipal
from libs.runtime.http.commands import Answer, Order
from libs.runtime.http.edge import edge_of
from libs.runtime.http.live import Sight
from libs.runtime.http.problems import not_found
from libs.runtime.http.reading import Page, ThisPage, ViewReader, view_reader
from libs.runtime.http.role import ApiRole
from libs.runtime.http.router import ServiceRouter
from libs.runtime.http.shapes import (
    CountField,
    DayField,
    HashField,
    NoFields,
    PositiveFenField,
    PositiveFenText,
    RateField,
    Shape,
    id_field,
    id_path,
    read_day,
    read_rate,
    read_whole,
)

__all__ = [
    "Answer",
    "ApiRole",
    "BankSignature",
    "Call",
    "CountField",
    "DayField",
    "HashField",
    "NoFields",
    "Order",
    "Page",
    "PositiveFenField",
    "PositiveFenText",
    "RateField",
    "ServiceRouter",
    "Shape",
    "Sight",
    "ThisCall",
    "ThisPage",
    "ThisPrincipal",
    "ViewReader",
    "edge_of",
    "id_field",
    "id_path",
    "not_found",
    "read_day",
    "read_rate",
    "read_whole",
    "scopes",
    "view_reader",
]
