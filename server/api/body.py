"""The guard in front of the parser: size, type, encoding, depth, duplicate names, numbers that are none."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Protocol, TypeVar, cast

from flask import Request, Response, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from server.api.contract_notes import operation_id, with_doc
from server.turnstile import TURNED_AWAY

View = TypeVar("View", bound=Callable[..., Any])
DEEPEST = 16
# Possessive, and happy without the closing quote: no body makes it read a byte twice.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NESTING = re.compile(rb"[\[\]{}]")


# A refused body is read and thrown away up to this size; whoever sends more loses the connection.
MOST_DRAINED = 2 * 1024 * 1024
_PIECE = 64 * 1024


def drained(answer: Response) -> Response:
    """Read what is left of the request's body, so that the next request on its connection finds its way.

    A refusal (an expired token, no such path) is often answered before the body was read. Who is turned away
    is not waited for: a slow one among many would keep the thread that tells the others.
    """
    if TURNED_AWAY in request.environ:
        if request.content_length or "Transfer-Encoding" in request.headers:
            answer.headers["Connection"] = "close"
        return answer
    left, stream = MOST_DRAINED, request.environ["wsgi.input"]
    while left > 0 and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
    if left <= 0:
        answer.headers["Connection"] = "close"
    return answer


class Decorator(Protocol):
    """Takes a view, gives it back with the same type."""

    def __call__(self, view: View, /) -> View:
        """Decorate ``view``."""
        ...


class GuardedParser(FlaskParser):
    """webargs' parser with our JSON reader; unknown query parameters are refused like unknown fields."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012 - declared so by the base
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": "raise",
        "json": "raise",
    }
    JSON_TYPES: tuple[str, ...] = ("application/json",)

    def use_args(self, argmap: Any, *args: Any, **options: Any) -> Any:
        """Hand a view what ``argmap``, a schema, makes of a request.

        Asked whether a schema is a mapping, each kind of mapping there is would remember that it is none.
        """
        return super().use_args(lambda _request: argmap, *args, **options)

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Return the query; a parameter named twice is refused, for which of the two was meant?"""
        twice = sorted(name for name, values in req.args.lists() if len(values) > 1)
        if twice:
            raise BadRequest(f"The query names {twice[0][:64]} more than once.")
        return super().load_querystring(req, schema)

    def load_json(self, req: Request, schema: Any) -> Any:
        """Return the body as Python values, or raise 400, 413 or 415."""
        if req.mimetype not in self.JSON_TYPES:
            raise UnsupportedMediaType(f"Send {self.JSON_TYPES[0]}.")
        data = whole(req)
        return read_json(data) if data else missing


class Blueprint(SmorestBlueprint):
    """Every blueprint of ours reads its arguments through the guard."""

    ARGUMENTS_PARSER = GuardedParser()
    FACADE = ""

    # flask-smorest carries no types; these four say what its decorators do to a view: nothing.

    def route(self, rule: str, **options: Any) -> Decorator:
        """Serve ``rule`` with the view, whose name is that of the operation too."""
        serve = cast(Decorator, super().route(rule, **options))

        def named(view: View) -> View:
            with_doc(view, {"operationId": operation_id(view.__name__, self.FACADE)})
            return serve(_told_once(view))

        return named

    def arguments(self, schema: type[Schema], **options: Any) -> Decorator:
        """Pass the loaded body or query as the view's first argument; `EXAMPLE` goes into the contract."""
        if example := getattr(schema, "EXAMPLE", None):
            options.setdefault("example", example)
        return cast(Decorator, super().arguments(_made(schema), **options))

    def response(
        self, status_code: int, schema: type[Schema] | Mapping[str, Any] | None = None, **options: Any
    ) -> Decorator:
        """Dump what the view returns. A JSON schema only documents it: the view returns a whole Response."""
        shape = _made(schema) if isinstance(schema, type) else schema
        natively = getattr(shape, "natively", None)
        told = natively() if natively else shape
        return cast(Decorator, super().response(status_code, told, **options))

    def alt_response(self, status_code: int, **options: Any) -> Decorator:
        """Document another answer."""
        return cast(Decorator, super().alt_response(status_code, **options))


def _told_once(view: View) -> View:
    """Return ``view`` as the only one to hold what the contract says of it.

    Each decorator copies what those below it had said, and none of these copies is read.
    """
    inner = getattr(view, "__wrapped__", None)
    while inner is not None:
        vars(inner).pop("_apidoc", None)
        inner = getattr(inner, "__wrapped__", None)
    return view


@cache
def _made(schema: type[Schema]) -> Schema:
    # One for all views and requests: making one copies all its fields.
    return schema()


def whole(req: Request) -> bytes:
    """Return the body as it came, or raise 400 where not all of it did, or 413."""
    data = req.get_data()
    if _is_cut_off(req, len(data)):
        raise BadRequest(
            "The body was cut off, or is an empty one in chunks: say Content-Length: 0, or send {}."
        )
    if req.content_length is None and len(data) >= (req.max_content_length or math.inf):
        # Without a length the body is cut at the limit, silently: half of it is no request.
        raise RequestEntityTooLarge
    return data


def _is_cut_off(req: Request, came: int) -> bool:
    """Return whether a body was announced that did not come.

    The server gives then what it has, at times nothing: a reason and a version that somebody went by would be
    passed over as if they had named none. Of chunks it does not say whether an end came after none of them.
    """
    if req.content_length is None:
        return not came and "Transfer-Encoding" in req.headers
    return came < req.content_length


def read_json(data: bytes) -> Any:
    """Parse strict JSON: UTF-8, at most 16 deep, no name twice in an object, no NaN or Infinity."""
    if is_deeper(data, DEEPEST):
        raise BadRequest(f"The JSON is nested more than {DEEPEST} deep.")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except _Refused as error:
        raise BadRequest(str(error)) from None
    except ValueError:
        raise BadRequest("The body is not valid JSON.") from None


class _Refused(ValueError):
    pass


def is_deeper(data: bytes, most: int) -> bool:
    """Return whether the JSON in ``data`` is nested more than ``most`` deep.

    The parser recurses: a deep body must be refused before it, or it ends in a RecursionError.
    """
    depth = 0
    for mark in _NESTING.finditer(_STRINGS.sub(b"", data)):
        depth += 1 if mark.group() in b"[{" else -1
        if depth > most:
            return True
    return False


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Refused("The body names the same member twice.")
        found[name] = value
    return found


def _constant(_name: str) -> Any:
    raise _Refused("NaN and Infinity are not JSON.")
