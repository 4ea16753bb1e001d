"""The edge's own things: its transaction, its clock, and who may pass."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, current_app, g, request
from werkzeug.exceptions import NotFound as PageNotFound

from server.api import following, throttling, tokens
from server.api.contract_notes import with_doc
from server.api.converters import OtherId, other_id
from server.api.current import about, copy_of
from server.api.refusals import FactorMissing, Forbidden
from server.clinical.crisis_lines import SHIPPED, Directory
from server.clinical.vocabulary import ConnectionKind, Role, Scope
from server.database import Database
from server.group_commit import GroupCommit
from server.replica import Replica
from server.services.errors import NOT_THEIRS, NotSignedIn, ServiceError, StepUpRequired, VersionError
from server.services.health import Limits
from server.services.people import break_glass
from server.services.people import sign_in as sign_ins
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work
from server.settings import Settings
from server.throttle import Throttle

P = ParamSpec("P")
R = TypeVar("R")
EXTENSION = "afterglow"
# Who writes in a diary at home: others at the clinic, however busy, keep nobody of them out.
_AT_HOME = (Role.PATIENT, Role.CAREGIVER)
_ON_RECORD: tuple[type[ServiceError], ...] = (Forbidden, StepUpRequired, VersionError, *NOT_THEIRS)
CheckConnection = Callable[[ConnectionKind, Mapping[str, Any]], None]


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
    throttle: Throttle = field(default_factory=lambda: Throttle(600))
    replica: Replica | None = None
    # Of each clinic, what puts it on record together that several of its patients read.
    own_reads: dict[UUID, GroupCommit[dict[str, Any]]] = field(default_factory=dict)

    @staticmethod
    def of(app: Flask) -> "Surroundings":
        """Return the surroundings of ``app``."""
        found = app.extensions[EXTENSION]
        assert isinstance(found, Surroundings)
        return found


def here() -> Surroundings:
    """Return the surroundings of the current request."""
    return Surroundings.of(current_app)


@contextmanager
def writing() -> Iterator[Work]:
    """Open the request's one writing transaction; leaving it without an error commits.

    An error takes everything back, but for what was heeded in something refused: those alerts stay.
    Where somebody around the view opened it (`kept_answer`), it is theirs to end.
    """
    joined: Work | None = g.get("joined")
    if joined is not None:
        yield joined
        joined.session.flush()
        return
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
    if isinstance(error, VersionError):  # what is stored can only be shown while its transaction is open
        error.extra = {"current": copy_of(error.current)}
        error.about = about(error.current) or actor().patient_id


@contextmanager
def reading() -> Iterator[Work]:
    """Open a reading transaction, for what needs no audit (a clinic's settings, a patient's plan)."""
    with following.read(here().database, here().replica, actor()) as session:
        yield Work(session, here().clock(), actor())


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
            _check_ids(view, kwargs)
            claims = _claims()
            wait = here().throttle.signed_in(claims["sid"], claims["sub"])
            if wait and not throttling.is_heeded(view):
                raise throttling.too_fast(wait)  # before it costs a question to the database
            g.actor = _signed_in(claims)
            try:
                _check_role(g.actor, roles, scope)
                if g.actor.awaits_factor and not before_factor:
                    raise FactorMissing
                _check_pace(view, wait, kwargs)
                return view(*args, **kwargs)
            except _ON_RECORD as error:
                _record_refusal(error.about if isinstance(error, VersionError) else None)
                raise

        guarded.__dict__["system_scope"] = scope  # the guard of the routes reads it
        marks = {"x-before-second-factor": True} if before_factor else {}
        return with_doc(_documented(guarded, roles), marks)

    return decorate


def stepped_up(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view through only where the actor proved who they are within five minutes. Goes below `allow`."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not sign_ins.is_fresh(actor(), here().clock()):
            raise StepUpRequired
        return view(*args, **kwargs)

    return with_doc(guarded, {"x-step-up": True})


def _check_role(who: Actor, roles: tuple[Role, ...], scope: Scope | None) -> None:
    is_let = scope is None or who.scopes is None or scope.value in who.scopes
    if who.role in roles and not is_let:
        raise Forbidden(scope)
    if who.role not in roles and not _broke_the_glass(who, roles):
        raise Forbidden


def _check_ids(view: Callable[..., Any], ids: Mapping[str, Any]) -> None:
    """Raise 404 for an id that no phone makes, but where what comes under it is heeded: there it goes on."""
    if other_id(ids) and not throttling.is_heeded(view):
        raise PageNotFound(OtherId.REFUSAL)


def _check_pace(view: Callable[..., Any], wait: float, ids: Mapping[str, Any]) -> None:
    """Raise TooMany for a request that comes too fast, after what it says about danger was acted on."""
    if actor().role not in _AT_HOME:
        wait = wait or here().throttle.clinic(str(actor().clinic_id))
    if wait:
        raise throttling.refused(view, wait, here().throttle, ids)


def _broke_the_glass(who: Actor, roles: tuple[Role, ...]) -> bool:
    """Return whether an administrator may read this one patient for now, as the care team may."""
    patient_id = _named_patient()
    reads = request.method == "GET" and Role.CLINICIAN in roles
    if patient_id is None or not reads or who.role is not Role.CLINIC_ADMIN:
        return False
    with here().database.glance(who.clinic_id) as connection:
        return break_glass.is_open(connection, who, patient_id, here().clock())


def _named_patient() -> UUID | None:
    """Return whom the path names; under FHIR that may be any text, and what is no id is nobody's."""
    try:
        return UUID(str((request.view_args or {}).get("patient_id")))
    except ValueError:
        return None


def _record_refusal(patient_id: UUID | None = None) -> None:
    """Put on record that somebody asked for what is not theirs, or not there: both leave the same trace.

    The id says nothing about whose it is. ``patient_id``: whom it is about, where what is stored is shown.
    """
    asked = next((value for value in (request.view_args or {}).values() if isinstance(value, UUID)), None)
    view = str(request.endpoint).rpartition(".")[2]
    with here().database.write() as session:
        Work(session, here().clock(), actor()).audit(f"refused.{view}"[:64], patient_id, asked)


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable without a token, on purpose."""

    @wraps(view)
    def open_view(*args: P.args, **kwargs: P.kwargs) -> R:
        throttling.check_stranger(here().throttle)
        return view(*args, **kwargs)

    return _documented(open_view, ())


def open_always(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable without a token, however much its address has asked: it says who is alive."""
    return _documented(view, ())


def open_with_proof(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as reachable without a token, whose requests carry another proof.

    That is always looked at, so that nobody who has one waits for others at the same address: the view
    refuses what has none before it costs anything.
    """

    @wraps(view)
    def proven(*args: P.args, **kwargs: P.kwargs) -> R:
        g.with_proof = True
        return view(*args, **kwargs)

    return _documented(proven, ())


def body_up_to(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view's body be as large as ``size`` bytes. Goes above the arguments, which read it."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
            request.max_content_length = size
            return view(*args, **kwargs)

        return throttling.as_large_as(roomy, size)

    return decorate


def still_signed_in() -> Callable[[], None]:
    """Return a check for the time after the request: it raises NotSignedIn once this sign-in was ended."""
    found, database = actor(), here().database
    assert found.sign_in_id is not None, "an account acts"
    assert found.account_id is not None, "an account acts"
    ids = (found.clinic_id, found.sign_in_id, found.account_id)

    def check() -> None:
        with database.glance(found.clinic_id) as connection:
            sign_ins.actor(connection, *ids)

    return check


def _claims() -> Mapping[str, Any]:
    try:
        return tokens.claims(request.headers.get("Authorization", ""))
    except NotSignedIn:
        throttling.check_stranger(here().throttle)
        raise


def _signed_in(claims: Mapping[str, Any]) -> Actor:
    clinic_id = UUID(claims["clinic"])
    with here().database.glance(clinic_id) as connection:
        return sign_ins.actor(connection, clinic_id, UUID(claims["sid"]), UUID(claims["sub"]))


def _documented(view: Callable[P, R], roles: tuple[Role, ...]) -> Callable[P, R]:
    view.allowed_roles = roles  # type: ignore[attr-defined]
    security: list[dict[str, list[str]]] = [{"bearer": []}] if roles else []
    return with_doc(view, {"security": security, "x-roles": [role.value for role in roles]})
