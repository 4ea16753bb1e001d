"""The edge's own things: its transaction, its clock, who may pass, and versions in headers."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, current_app, g, request

from server.api import following, tokens
from server.api.current import copy_of
from server.clinical.crisis_lines import SHIPPED, Directory
from server.clinical.vocabulary import ConnectionKind, Role, Scope
from server.database import Database
from server.replica import Replica
from server.services.errors import NotFound, ServiceError, StepUpRequired, VersionError
from server.services.health import Limits
from server.services.people import break_glass
from server.services.people import sign_in as sign_ins
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work
from server.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
EXTENSION = "afterglow"
CheckConnection = Callable[[ConnectionKind, Mapping[str, Any]], None]
_VERSION = re.compile(r'"v([1-9][0-9]{0,8})"')


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What `create_app` joins and every request uses. ``limits``: when each job counts as stopped.

    ``check_connection`` raises ValueError for settings that no scheduling system can be reached with.
    """

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    passwords: Passwords
    crisis_lines: Directory = SHIPPED
    limits: Limits = ()
    check_connection: CheckConnection = lambda _kind, _config: None
    replica: Replica | None = None

    @staticmethod
    def of(app: Flask) -> "Surroundings":
        """Return the surroundings of ``app``."""
        found = app.extensions[EXTENSION]
        assert isinstance(found, Surroundings)
        return found


class Forbidden(ServiceError):
    """Signed in, but this role may not do this."""

    def __init__(self) -> None:
        super().__init__("forbidden", "Your role may not do this.")


class FactorMissing(ServiceError):
    """Signed in with a password alone, where a second factor is required."""

    def __init__(self) -> None:
        super().__init__("second-factor-missing", "Add a second factor first: POST /v1/me/factors/totp.")


class HeaderProblem(ServiceError):
    """A header is missing or can't be read."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"header": name, "detail": detail}])


class QueryProblem(ServiceError):
    """A parameter of the query is missing or can't be used."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"parameter": name, "detail": detail}])


def here() -> Surroundings:
    """Return the surroundings of the current request."""
    return Surroundings.of(current_app)


@contextmanager
def writing() -> Iterator[Work]:
    """Open the request's one writing transaction; leaving it without an error commits.

    An error takes everything back, but for what was heeded in something refused: those alerts stay.
    """
    refusal: ServiceError | None = None
    with here().database.write() as session:
        try:
            yield Work(session, here().clock(), actor())
        except ServiceError as error:
            _show_current(error)
            refusal = error
        if refusal is not None and refusal.heeded is None:
            raise refusal
    following.note_write(here().replica)
    if refusal is not None:
        raise refusal


def _show_current(error: ServiceError) -> None:
    # What is stored can only be shown while its transaction is open.
    if isinstance(error, VersionError):
        error.extra = {"current": copy_of(error.current)}


@contextmanager
def reading() -> Iterator[Work]:
    """Open a reading transaction, for what needs no audit (a patient's own data, a clinic's settings)."""
    around, is_patient = here(), actor().role is Role.PATIENT
    with following.read(around.database, around.replica, is_patient) as session:
        yield Work(session, around.clock(), actor())


def actor() -> Actor:
    """Return who is signed in."""
    found = g.actor
    assert isinstance(found, Actor)
    return found


def allow(
    *roles: Role, scope: Scope | None = None, before_factor: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only signed-in accounts with one of ``roles`` pass. Goes first, above the arguments.

    ``scope``: what a system must have been allowed. ``before_factor``: also who still has to add a second
    factor passes.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.actor = _signed_in()
            allowed = g.actor.role in roles and _has(g.actor, scope)
            try:
                if not allowed and not _broke_the_glass(g.actor, roles):
                    raise Forbidden
                if g.actor.awaits_factor and not before_factor:
                    raise FactorMissing
                return view(*args, **kwargs)
            except (Forbidden, NotFound):
                _record_refusal()
                raise

        documented = _documented(guarded, roles)
        return with_doc(documented, {"x-before-second-factor": True}) if before_factor else documented

    return decorate


def stepped_up(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view through only where the actor proved who they are within five minutes. Goes below `allow`."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not sign_ins.is_fresh(actor(), here().clock()):
            raise StepUpRequired
        return view(*args, **kwargs)

    return with_doc(guarded, {"x-step-up": True})


def _broke_the_glass(who: Actor, roles: tuple[Role, ...]) -> bool:
    """Return whether an administrator may read this one patient for now, as the care team may."""
    patient_id = (request.view_args or {}).get("patient_id")
    reads = request.method == "GET" and Role.CLINICIAN in roles and patient_id is not None
    if not reads or who.role is not Role.CLINIC_ADMIN:
        return False
    with here().database.glance() as connection:
        return break_glass.is_open(connection, who, UUID(str(patient_id)), here().clock())


def _has(who: Actor, scope: Scope | None) -> bool:
    return scope is None or who.scopes is None or scope.value in who.scopes


def _record_refusal() -> None:
    """Put on record that somebody asked for what is not theirs, or not there: both leave the same trace.

    The id that was asked for says nothing about whose it is, or whether there is such a thing.
    """
    asked = next((value for value in (request.view_args or {}).values() if isinstance(value, UUID)), None)
    view = str(request.endpoint).rpartition(".")[2]
    with here().database.write() as session:
        Work(session, here().clock(), actor()).audit(f"refused.{view}"[:64], object_id=asked)


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable without a token, on purpose."""
    return _documented(view, ())


def takes_version(required: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say in the contract that a view reads If-Match."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"x-if-match": "required" if required else "optional"})

    return decorate


def also(*kinds: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say in the contract which media types a view answers with beside JSON."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"x-also": list(kinds)})

    return decorate


def body_up_to(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view's body be as large as ``size`` bytes. Goes above the arguments, which read it."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
            request.max_content_length = size
            return view(*args, **kwargs)

        return roomy

    return decorate


def if_match() -> int | None:
    """Return the version named by If-Match (`"v3"` -> 3), or None where there is no such header."""
    raw = request.headers.get("If-Match")
    if raw is None:
        return None
    found = _VERSION.fullmatch(raw.strip())
    if found is None:
        raise HeaderProblem("If-Match", 'Must be a version like "v3".')
    return int(found[1])


def required_version() -> int:
    """Return the version named by If-Match; without the header raises a problem (428)."""
    version = if_match()
    if version is None:
        raise ServiceError("version-required", "Send If-Match with the version you want to change.")
    return version


def etag(version: int) -> dict[str, str]:
    """Return the ETag header of ``version``."""
    return {"ETag": f'"v{version}"'}


def still_signed_in() -> Callable[[], None]:
    """Return a check for the time after the request: it raises NotSignedIn once this sign-in was ended."""
    found, database = actor(), here().database
    assert found.sign_in_id is not None, "an account acts"
    assert found.account_id is not None, "an account acts"
    ids = (found.clinic_id, found.sign_in_id, found.account_id)

    def check() -> None:
        with database.glance() as connection:
            sign_ins.actor(connection, *ids)

    return check


def _signed_in() -> Actor:
    claims = tokens.claims(request.headers.get("Authorization", ""))
    with here().database.glance() as connection:
        return sign_ins.actor(connection, UUID(claims["clinic"]), UUID(claims["sid"]), UUID(claims["sub"]))


def _documented(view: Callable[P, R], roles: tuple[Role, ...]) -> Callable[P, R]:
    view.allowed_roles = roles  # type: ignore[attr-defined]
    security: list[dict[str, list[str]]] = [{"bearer": []}] if roles else []
    return with_doc(view, {"security": security, "x-roles": [role.value for role in roles]})


def with_doc(view: Callable[P, R], parts: dict[str, Any]) -> Callable[P, R]:
    """Add ``parts`` to what the contract says of a view."""
    doc = deepcopy(getattr(view, "_apidoc", {}))
    doc.setdefault("manual_doc", {}).update(parts)
    view._apidoc = doc  # type: ignore[attr-defined]
    return view


def documented_headers(*names: str) -> dict[str, Any]:
    """Return the response headers ``names`` for the contract."""
    return {name: {"schema": {"type": "string"}} for name in names}
