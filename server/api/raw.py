"""Bodies that are no JSON: taken byte by byte, of the content types that a view names."""

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from server.api.body import whole
from server.api.contract_notes import with_doc

P = ParamSpec("P")
R = TypeVar("R")


def takes_raw(examples: Mapping[str, str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say in the contract which content types a view takes, each with an example."""
    content = {kind: {"schema": {"type": "string"}, "example": text} for kind, text in examples.items()}

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"requestBody": {"required": True, "content": content}})

    return decorate


def read_raw(*kinds: str) -> tuple[str, bytes]:
    """Return the content type and the body, or raise 413 or 415."""
    if request.mimetype not in kinds:
        raise UnsupportedMediaType(f"Send {' or '.join(kinds)}.")
    return request.mimetype, whole(request)
