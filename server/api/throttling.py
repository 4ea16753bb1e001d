"""Requests that come too fast are refused before they cost anything; what they say about danger is heeded."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from flask import Response, g, request

from server.api.address import client_address
from server.services.errors import Heeded, TooMany
from server.throttle import Throttle

P = ParamSpec("P")
R = TypeVar("R")
Heed = Callable[[Mapping[str, Any]], Heeded | None]
_HEED, _LARGEST = "heed", "largest"


def too_fast(wait: float) -> TooMany:
    """Return the refusal of a request that comes too fast; in ``wait`` seconds it would not."""
    seconds = max(1, math.ceil(wait))
    return TooMany("Too many requests. Nothing was stored. Send the same again later.", seconds, "too-many")


def check_stranger(throttle: Throttle) -> None:
    """Raise TooMany where this address has asked too much without a sign-in."""
    if wait := throttle.wait_of_stranger(client_address()):
        raise too_fast(wait)


def count_stranger(throttle: Throttle, answer: Response) -> Response:
    """Count the answer to whoever is not signed in, by their address.

    Of what carries its own proof (`with_proof`) only refusals count: one address may have much to report.
    """
    is_counted = answer.status_code >= 400 or not g.get("with_proof", False)
    if "actor" not in g and is_counted and answer.status_code not in (429, 503):
        throttle.stranger(client_address())
    return answer


def heeded_by(view: Callable[P, R], heed: Heed) -> Callable[P, R]:
    """Say how a refused request to ``view`` is read for what cannot wait; ``heed`` takes the path's ids."""
    view.__dict__[_HEED] = heed
    return view


def heeded_for(view: Callable[P, R], check: Callable[[Mapping[str, Any]], None]) -> Callable[P, R]:
    """Heed a refused request to ``view`` only where ``check``, which takes the path's ids, lets it pass."""
    heed: Heed | None = view.__dict__.get(_HEED)
    if heed is None:
        return view

    def checked(ids: Mapping[str, Any]) -> Heeded | None:
        check(ids)
        return heed(ids)

    return heeded_by(view, checked)


def as_large_as(view: Callable[P, R], size: int) -> Callable[P, R]:
    """Say how many bytes a body for ``view`` may have."""
    view.__dict__[_LARGEST] = size
    return view


def is_heeded(view: Callable[..., Any]) -> bool:
    """Return whether what is sent to ``view`` may hold what cannot wait."""
    return _HEED in view.__dict__


def refused(view: Callable[..., Any], wait: float, throttle: Throttle, ids: Mapping[str, Any]) -> TooMany:
    """Return the refusal of a signed-in request, after what it says about danger was acted on.

    That is bounded too, to a tenth of the limit: above it the phone's next try, which comes, is read.
    """
    refusal = too_fast(wait)
    if is_heeded(view) and not throttle.heeding(str(g.actor.sign_in_id)):
        request.max_content_length = view.__dict__.get(_LARGEST, request.max_content_length)
        refusal.heeded = view.__dict__[_HEED](ids)
    return refusal
