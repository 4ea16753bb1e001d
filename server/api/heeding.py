"""A body that is refused is heeded: what it says about danger is acted on, whatever speaks against it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from server.api import sync_cursor
from server.api.converters import OtherId, other_id
from server.api.edge import actor, writing
from server.api.errors import is_away
from server.api.legible_body import readings
from server.api.refusals import HeaderProblem, PathProblem, Unstored
from server.api.throttling import heeded_by
from server.postgresql.rerun import gave_way
from server.services.errors import Gone, Heeded, NotFound, ServiceError
from server.services.journal import unreadable
from server.services.journal.unreadable import Kind, Unread

P = ParamSpec("P")
R = TypeVar("R")
Heed = Callable[[], Heeded | None]
# What is refused before a service has read it. The services heed what they refuse.
_UNREAD = (HeaderProblem, PathProblem, Gone)


class RefusedBody(HTTPException):
    """A refusal that carries what the patient must see all the same."""

    def __init__(self, refusal: HTTPException, heeded: Heeded) -> None:
        super().__init__(refusal.description)
        self.code = refusal.code
        self.data: Any = getattr(refusal, "data", {})
        self.heeded = heeded


def heeds(kind: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Heed the body of a view that stores one thing where it is refused. Goes above the arguments."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if name := other_id(kwargs):
                raise PathProblem(name, OtherId.REFUSAL)
            return view(*args, **kwargs)

        @wraps(view)
        def careful(*args: P.args, **kwargs: P.kwargs) -> R:
            return _heeding(partial(checked, *args, **kwargs), partial(_heed_body, kind, kwargs))

        return heeded_by(careful, partial(_heed_body, kind))

    return decorate


def heeds_items(view: Callable[P, R]) -> Callable[P, R]:
    """Heed every item of a batch that is refused as a whole. Goes above the arguments."""

    @wraps(view)
    def careful(*args: P.args, **kwargs: P.kwargs) -> R:
        return _heeding(partial(view, *args, **kwargs), _heed_items)

    return heeded_by(careful, lambda _ids: _heed_items())


def unread_in(item: object) -> Iterator[Unread]:
    """Yield every content that an item of a batch holds; null is none."""
    if isinstance(item, dict):
        name = unreadable.name_of(item.get("id"))
        held = ((kind, item.get(kind.value)) for kind in Kind)
        yield from (Unread(kind, raw, name) for kind, raw in held if raw is not None)


def _heeding(do: Callable[[], R], heed: Heed) -> R:
    """Return what ``do`` returns; where it refuses or fails, the error carries what was heeded."""
    try:
        return do()
    except _UNREAD as refusal:
        refusal.heeded = refusal.heeded or heed()
        raise
    except ServiceError:
        raise
    except HTTPException as refusal:
        if (heeded := heed()) is None:
            raise
        raise RefusedBody(refusal, heeded) from None
    except Exception as failure:
        if (heeded := _heed_after(failure, heed)) is None:
            raise
        raise Unstored(failure, heeded) from failure


def _heed_after(failure: Exception, heed: Heed) -> Heeded | None:
    """Heed, in a transaction of its own, what a failure took back; None where that fails too."""
    if is_away(failure) or (isinstance(failure, DBAPIError) and gave_way(failure)):
        return None  # it can't be asked, or it is asked all of it again
    with suppress(SQLAlchemyError):
        return heed()
    return None


def _heed_items() -> Heeded | None:
    """Act on the red flags of every item; return what the patient must see of all of them."""
    return _heed(None, [found for body in readings() for found in _unread_of(body)])


def _unread_of(body: object) -> Iterator[Unread]:
    """Yield what the items of a batch hold; with the cursor of somebody else, they may have said it."""
    found = body if isinstance(body, dict) else {}
    items, of_other = found.get("items"), sync_cursor.is_of_other(found.get("cursor"))
    for item in items if isinstance(items, list) else []:
        yield from (replace(one, of_other=of_other) for one in unread_in(item))


def _heed_body(kind: Kind, ids: Mapping[str, object]) -> Heeded | None:
    name = next((str(value) for key, value in ids.items() if key != "patient_id"), "")
    found = [Unread(kind, raw, unreadable.name_of(name)) for raw in readings()]
    return _heed(ids.get("patient_id"), found)


def _heed(patient_id: object, found: list[Unread]) -> Heeded | None:
    if not found:
        return None
    # Whose patient it is not is told by the refusal itself, which goes on.
    with suppress(NotFound), writing() as work:
        whose = patient_id if isinstance(patient_id, UUID) else actor().patient_id
        assert whose is not None, "whoever sends one is a patient or names one"
        return unreadable.heed(work, whose, *found)
    return None
