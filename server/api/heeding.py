"""A body that does not fit its schema is refused, and heeded: what it says about danger is acted on."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import request
from werkzeug.exceptions import BadRequest, UnprocessableEntity

from server.api.body import read_json
from server.api.edge import actor, writing
from server.api.throttling import heeded_by
from server.services.errors import Gone, Heeded, NotFound
from server.services.journal import unreadable
from server.services.journal.unreadable import Kind

P = ParamSpec("P")
R = TypeVar("R")


class RefusedBody(UnprocessableEntity):
    """A refusal that carries what the patient must see all the same."""

    def __init__(self, refusal: UnprocessableEntity, heeded: Heeded) -> None:
        super().__init__(refusal.description)
        self.data: Any = getattr(refusal, "data", {})
        self.heeded = heeded


def heeds(kind: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Heed the body of a view where it is refused for its shape. Goes above the arguments."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def careful(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return view(*args, **kwargs)
            except UnprocessableEntity as refusal:
                heeded = _heed(kind, kwargs.get("patient_id"))
                if heeded is None:
                    raise
                raise RefusedBody(refusal, heeded) from None

        return heeded_by(careful, lambda ids: _heed(kind, ids.get("patient_id")))

    return decorate


def heeds_items(view: Callable[P, R]) -> Callable[P, R]:
    """Heed every item of a batch that is refused as a whole. Goes above the arguments."""

    @wraps(view)
    def careful(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return view(*args, **kwargs)
        except UnprocessableEntity as refusal:
            heeded = _heed_items()
            if heeded is None:
                raise
            raise RefusedBody(refusal, heeded) from None
        except Gone as refusal:
            refusal.heeded = _heed_items()
            raise

    return heeded_by(careful, lambda _ids: _heed_items())


def _heed_items() -> Heeded | None:
    """Act on the red flags of every item; return what the patient must see of all of them."""
    found = [heeded for kind, raw in _items() if (heeded := _heed_raw(kind, raw, None)) is not None]
    if not found:
        return None
    flags = tuple(flag for heeded in found for flag in heeded.flags)
    return Heeded(flags, found[0].country, any(heeded.contact_today for heeded in found))


def _items() -> Iterator[tuple[Kind, object]]:
    with suppress(BadRequest):
        body = read_json(request.get_data())
        items = body.get("items") if isinstance(body, dict) else None
        for item in items if isinstance(items, list) else ():
            yield from (
                (kind, item[kind.value]) for kind in Kind if isinstance(item, dict) and kind.value in item
            )


def _heed(kind: Kind, patient_id: object) -> Heeded | None:
    with suppress(BadRequest):  # it is no JSON: there is nothing to read, and the refusal goes on
        return _heed_raw(kind, read_json(request.get_data()), patient_id)
    return None


def _heed_raw(kind: Kind, raw: object, patient_id: object) -> Heeded | None:
    # Whose patient it is not is told by the refusal itself, which goes on.
    with suppress(NotFound), writing() as work:
        whose = patient_id if isinstance(patient_id, UUID) else actor().patient_id
        assert whose is not None, "whoever sends one is a patient or names one"
        return unreadable.heed(work, whose, kind, raw)
    return None
