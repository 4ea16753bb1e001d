"""One error shape (RFC 9457, under /fhir FHIR's), and the one table from what went wrong to its status."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, Response, request
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from schemas.notice import NoticeAnswer
from server.api.answer_json import whole_text
from server.api.edge import here
from server.api.refusals import FactorMissing, Forbidden, HeaderProblem, PathProblem, QueryProblem, Unstored
from server.api.spoken import language_or
from server.clinical.lifecycle import IllegalMove
from server.fhir.operation_outcome import operation_outcome
from server.logs import kind_of
from server.services.errors import (
    AddressTaken,
    AllInvalid,
    Blocked,
    Busy,
    Conflict,
    DoesNotFit,
    FactorRequired,
    Gone,
    Heeded,
    Invalid,
    KeyReused,
    NotFound,
    NotSignedIn,
    OtherJournal,
    OutOfScope,
    SafetyFirst,
    ServiceError,
    Stale,
    StepUpRequired,
    TooMany,
    VersionRequired,
    Withheld,
    pointer_step,
)
from server.services.people import notice as notices

log = logging.getLogger(__name__)

STATUS: Mapping[type[ServiceError], int] = {
    HeaderProblem: 400,
    QueryProblem: 400,
    NotSignedIn: 401,
    DoesNotFit: 401,
    FactorRequired: 401,
    Forbidden: 403,
    FactorMissing: 403,
    OutOfScope: 403,
    StepUpRequired: 403,
    Withheld: 403,
    NotFound: 404,
    Blocked: 409,
    SafetyFirst: 409,
    AddressTaken: 409,
    Conflict: 409,
    Gone: 410,
    OtherJournal: 410,
    Stale: 412,
    Invalid: 422,
    KeyReused: 422,
    PathProblem: 422,
    AllInvalid: 422,
    VersionRequired: 428,
    TooMany: 429,
    Busy: 503,
    ServiceError: 428,
}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    422: "Unprocessable Entity",
    428: "Precondition Required",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_NOTICE = NoticeAnswer()
# What talks FHIR reads FHIR's own words of what went wrong (docs/adr/0009).
FHIR_ROOT = "/fhir/"
_PARTS = {"json": "pointer", "query": "parameter", "path": "parameter", "headers": "header"}


def problem(status: int, code: str, detail: str, **extra: Any) -> Response:
    """Return a problem answer. ``extra`` members are left out where they are None."""
    if request.path.startswith(FHIR_ROOT):
        said = operation_outcome(status, code, detail, extra.get("errors") or ())
        return _answer(said, status, "application/fhir+json")
    body = {
        "type": f"urn:afterglow:problem:{code}",
        "title": TITLES.get(status, code.replace("-", " ").capitalize()),
        "status": status,
        "code": code,
        "detail": detail,
    }
    body.update({key: value for key, value in extra.items() if value is not None})
    return _answer(body, status, "application/problem+json")


def _answer(body: Mapping[str, Any], status: int, kind: str) -> Response:
    answer = Response(json.dumps(body, default=str), status, content_type=kind)
    answer.headers["Cache-Control"] = "no-store"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def register(app: Flask) -> None:
    """Give every kind of failure its answer, the framework's own included."""
    app.register_error_handler(ServiceError, _service)
    app.register_error_handler(IllegalMove, _illegal_move)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _away)
    # What somebody tried to go on with after the connection broke.
    app.register_error_handler(PendingRollbackError, _away)
    app.register_error_handler(Unstored, _unstored)
    app.register_error_handler(Exception, _unexpected)


def _service(error: ServiceError) -> Response:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    answer = problem(status, error.code, error.detail, notice=_notice(error.heeded), **error.extra)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _notice(heeded: Heeded | None) -> Any:
    """Return what the patient must see although what they sent was refused."""
    if heeded is None:
        return None
    lines = here().crisis_lines.near(heeded.country, heeded.zone)
    language = language_or(heeded.language)
    return _NOTICE.dump(notices.for_patient(heeded.flags, lines, language, heeded.contact_today))


def _illegal_move(error: IllegalMove) -> Response:
    return problem(409, "illegal-move", f"This can't be done while it is {error.state.value}.")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages")
    notice = _notice(getattr(error, "heeded", None))
    if messages is not None:
        found = list(located(messages))
        detail = f"{len(found)} thing(s) in the request can't be taken."
        # A search that can't be understood is a bad request to FHIR; a body is one that can't be taken.
        status = 400 if request.path.startswith(FHIR_ROOT) and "query" in messages else 422
        return problem(status, "invalid", detail, errors=found, notice=notice)
    code = error.name.lower().replace(" ", "-")
    answer = problem(status, code, error.description or error.name, notice=notice)
    for name in ("Allow", "Retry-After"):
        if value := dict(error.get_headers()).get(name):
            answer.headers[name] = value
    return answer


def _database(error: DBAPIError) -> Response:
    return _away(error) if is_away(error) else _unexpected(error)


def _only_reads(error: DBAPIError) -> bool:
    """Return whether it is a standby by now: another server took over."""
    return getattr(error.orig, "sqlstate", None) == "25006"


def _away(error: Exception) -> Response:
    log.error("the database is away: %s", kind_of(error))
    return problem(503, "unavailable", "The service is not available. Try again.")


def _unexpected(error: Exception, notice: Any = None) -> Response:
    # The exception's text may quote values a patient sent: only its kind and place are logged.
    log.error("unexpected %s at %s", type(error).__name__, where(error))
    return problem(500, "internal", "Something went wrong on our side. Nothing was stored.", notice=notice)


def _unstored(error: Unstored) -> Response:
    return _unexpected(error.cause, _notice(error.heeded))


def is_away(error: Exception) -> bool:
    """Return whether the database could not be asked, so that asking it once more makes no sense."""
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or error.connection_invalidated or _only_reads(error)
    return isinstance(error, PoolTimeout | PendingRollbackError)


def where(error: Exception) -> str:
    """Return the file and line that raised ``error``."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "nowhere"


def located(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Turn webargs' nested messages into a flat list of places and details."""
    for location, found in messages.items():
        part = _PARTS.get(location, "pointer")
        for path, detail in _flat(found, ()):
            where = "".join(map(_step, path)) if part == "pointer" else ".".join(path)
            yield {part: where, "detail": detail}


def _step(key: str) -> str:
    return pointer_step(whole_text(key))


def _flat(found: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(found, dict):
        for key, below in found.items():
            yield from _flat(below, path if key == "_schema" else (*path, str(key)))
    elif isinstance(found, list):
        for below in found:
            yield from _flat(below, path)
    else:
        yield path, str(found)
