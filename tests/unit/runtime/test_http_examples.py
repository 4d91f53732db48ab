"""The OpenAPI examples of every service: each body is one that its route accepts, and each problem that they name exists."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic_core import to_json

import libs
import services
from libs.runtime.http import Shape, examples
from libs.runtime.http.app import build_app
from libs.runtime.http.examples import PROBLEMS, example_of
from libs.runtime.service import load_services

_ROOMS = [Path(next(iter(room.__path__))) for room in (libs, services)]


@cache
def apps() -> dict[str, FastAPI]:
    """The application of every service that has routes."""
    loaded = load_services("demo").items()
    return {name: build_app(service.router()) for name, service in loaded if service.router is not None}


def operations(app: FastAPI) -> Iterator[tuple[APIRoute, str, dict[str, Any]]]:
    """Every route with its method and its operation in the document."""
    paths = app.openapi()["paths"]
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield route, method, paths[route.path_format][method.lower()]


def test_every_body_has_an_example_that_its_route_accepts() -> None:
    """Of all services: what a reader finds under `example` has the shape that the route asks for, sent as it stands."""
    wrong, bodies = [], 0
    for app in apps().values():
        for route, _, operation in operations(app):
            if route.body_field is None:
                continue
            bodies += 1
            (media,) = operation["requestBody"]["content"].values()
            annotation: Any = route.body_field.field_info.annotation
            accepts = TypeAdapter[Any](annotation)
            try:
                accepts.validate_json(to_json(media["example"]))
            except ValueError as error:
                wrong.append(
                    f"{route.path}: {media['example']} is no body, give its fields examples: {error}"
                )
    assert not wrong, "\n".join(wrong)
    assert bodies > 40


def test_every_post_says_what_its_body_is() -> None:
    """Of all services: what asks for nothing says so too (NoFields), or it takes whatever is sent, malformed JSON as well."""
    takes_anything = [
        f"{name}: {route.path}"
        for name, app in apps().items()
        for route, method, _ in operations(app)
        if method == "POST" and not _is_shaped(route)
    ]
    assert takes_anything == []


def _is_shaped(route: APIRoute) -> bool:
    """Whether all that the body may be is a Shape, or nothing."""
    if route.body_field is None:
        return False
    annotation: Any = route.body_field.field_info.annotation
    kinds = set(get_args(annotation) or (annotation,)) - {NoneType}
    return all(isinstance(kind, type) and issubclass(kind, Shape) for kind in kinds)


def test_every_date_in_a_body_is_a_business_date() -> None:
    """Of all services: no timestamp, no year with which dates cannot be counted on; the strict field alone brings its example."""
    apps()
    plain = [
        f"{shape.__name__}.{name}"
        for shape in _below(Shape)
        if shape.__module__.startswith("services.")
        for name, said in shape.model_json_schema()["properties"].items()
        for kind in said.get("anyOf", [said])
        if kind.get("format") == "date" and "examples" not in kind
    ]
    assert plain == []


def _below(shape: type[Shape]) -> Iterator[type[Shape]]:
    for each in shape.__subclasses__():
        yield each
        yield from _below(each)


def test_every_name_in_an_address_has_an_example() -> None:
    """And so has every query, but the cursor, which only a page gives; each is what the parameter itself says it may be."""
    missing = [
        f"{route.path} {parameter['name']}"
        for app in apps().values()
        for route, _, operation in operations(app)
        for parameter in operation["parameters"]
        if parameter["in"] in ("path", "query")
        and parameter["name"] != "cursor"
        and "example" not in parameter
    ]
    assert not missing, "\n".join(missing)


def test_every_problem_that_is_documented_exists() -> None:
    """Its code is told somewhere in the code, under the status beside which it stands, and every operation shows it."""
    told = {
        node.value
        for room in _ROOMS
        for path in room.rglob("*.py")
        if path != Path(examples.__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for statuses in PROBLEMS.values():
        for codes in statuses.values():
            assert set(codes) <= told
    for app in apps().values():
        for _, method, operation in operations(app):
            for status, response in operation["responses"].items():
                if status >= "400":
                    (media,) = response["content"].values()
                    shown = {name: each["value"] for name, each in media["examples"].items()}
                    assert tuple(shown) == PROBLEMS[method][status]
                    assert {each["type"] for each in shown.values()} == {
                        f"urn:loanstream:problem:{name}" for name in shown
                    }


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string", "examples": ["a", "b"]}, "a"),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": 7}, 7),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Pair"}]}, {"left": 1}),
        ({"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2}, [3, 3]),
        ({"type": "boolean", "default": False}, False),
        ({"type": "string", "format": "date"}, "2024-03-15"),
        ({"type": "string"}, None),
        ({"type": "array", "items": {"type": "string"}}, None),
    ],
)
def test_an_example_follows_from_the_schema(schema: dict[str, Any], example: Any) -> None:
    """A field's own example first, then what its type says; nothing is made up for a word that could be anything."""
    pair = {
        "type": "object",
        "properties": {"left": {"type": "integer"}, "right": {"type": "string"}},
        "required": ["left"],
    }
    assert example_of(schema, {"components": {"schemas": {"Pair": pair}}}) == example
