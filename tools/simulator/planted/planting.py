"""How a bug is put in the place of real code, and how a plant that no longer fits says so instead of finding nothing.

A plant rots when the code around it moves: its name is gone, it is called otherwise, its own code uses what is not there any more,
or nobody comes by. Each of these is `Rotten` with a sentence; none looks like an auditor without teeth.
"""

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from libs.events.records import RecordedEvent
from libs.events.sagas import Send

Policy = Callable[[RecordedEvent], "list[Send]"]
Patch = Callable[[], AbstractContextManager[Any]]

_ROOM: Final = Path(__file__).parent
#: What Python says of code that was written for other code.
_ROT: Final = (AttributeError, NameError, TypeError)


class Rotten(Exception):
    """A plant does not fit the code that it was made for."""


class Lookout:
    """Which patches of a plant were come by in its runs, and whether one of them broke by itself."""

    def __init__(self) -> None:
        self._reached: dict[str, bool] = {}
        self._broken: str | None = None

    def await_(self, place: str) -> None:
        """A patch stands here."""
        self._reached.setdefault(place, False)

    def reach(self, place: str) -> None:
        """Somebody came by."""
        self._reached[place] = True

    def broke(self, place: str, error: Exception) -> None:
        """Planted code failed as code does that was written for other code."""
        self._broken = self._broken or f"{place} fails by itself: {error!r}"

    def rot(self, *, whole: bool) -> str | None:
        """What is rotten, or None. `whole`: runs went to their end, so a place nobody came by is one that nobody comes by."""
        missed = [place for place, reached in self._reached.items() if not reached] if whole else []
        return self._broken or (f"never reached: {', '.join(missed)}" if missed else None)


_LOOKOUT: ContextVar[Lookout | None] = ContextVar("lookout", default=None)


@contextmanager
def looking_out() -> Iterator[Lookout]:
    """What is planted in this block tells whether anybody came by."""
    lookout = Lookout()
    token = _LOOKOUT.set(lookout)
    try:
        yield lookout
    finally:
        _LOOKOUT.reset(token)


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """A patch that puts `make(original)` in the place of an attribute. Planting it raises Rotten where it does not fit."""
    place = f"{getattr(owner, '__name__', type(owner).__name__)}.{name}"

    def planted() -> AbstractContextManager[Any]:
        if not hasattr(owner, name):
            raise Rotten(f"{place} is not there")
        real = getattr(owner, name)
        bug = make(real)
        _require_fit(place, real, bug)
        return patch.object(owner, name, _watched(place, bug) if inspect.isfunction(bug) else bug)

    return planted


def policy(policies: Any, source: str, make: Callable[[Policy], Policy]) -> Patch:
    """A patch of what a service does on the events of a source. It is reached when it does otherwise than the real one."""
    place = f"the policy on {source}"

    def planted() -> AbstractContextManager[Any]:
        if source not in policies:
            raise Rotten(f"{place} is not there")
        real, lookout = policies[source], _LOOKOUT.get()
        bug = make(real)
        if lookout is not None:
            lookout.await_(place)

        def answer(event: RecordedEvent) -> list[Send]:
            sends = bug(event)
            if lookout is not None and sends != real(event):
                lookout.reach(place)
            return sends

        return patch.dict(policies, {source: answer})

    return planted


def together(*patches: Patch) -> Patch:
    """Several patches as one."""

    @contextmanager
    def planted() -> Iterator[None]:
        with ExitStack() as all_of_them:
            for each in patches:
                all_of_them.enter_context(each())
            yield

    return planted


def _require_fit(place: str, real: Any, bug: Any) -> None:
    """A function is called as the real one is, whatever its parameters are named; anything else is of the same type."""
    if not callable(real) or not callable(bug):
        if type(real) is not type(bug):
            raise Rotten(f"{place} is {type(real).__name__}, planted is {type(bug).__name__}")
        return
    signature = inspect.signature(real)
    kinds = inspect.Parameter
    for every in (True, False):
        asked = [each for each in signature.parameters.values() if every or each.default is kinds.empty]
        by_place = [
            each for each in asked if each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        by_name = {each.name: each for each in asked if each.kind is kinds.KEYWORD_ONLY}
        try:
            inspect.signature(bug).bind(*by_place, **by_name)
        except TypeError as error:
            raise Rotten(f"{place}{signature} is not called as planted: {error}") from None


def _watched(place: str, bug: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, telling the lookout of the moment that it was called, and of a failure that is its own."""
    lookout = _LOOKOUT.get()
    if lookout is None:
        return bug
    lookout.await_(place)

    @functools.wraps(bug)
    def called(*args: Any, **fields: Any) -> Any:
        lookout.reach(place)
        with _telling(lookout, place):
            return bug(*args, **fields)

    @functools.wraps(bug)
    def generated(*args: Any, **fields: Any) -> Generator[Any, Any, Any]:
        lookout.reach(place)
        with _telling(lookout, place):
            return (yield from bug(*args, **fields))

    return generated if inspect.isgeneratorfunction(bug) else called


@contextmanager
def _telling(lookout: Lookout, place: str) -> Iterator[None]:
    try:
        yield
    except _ROT as error:
        trail = error.__traceback__
        while trail is not None and trail.tb_next is not None:
            trail = trail.tb_next
        if trail is not None and Path(trail.tb_frame.f_code.co_filename).parent == _ROOM:
            lookout.broke(place, error)
        raise
