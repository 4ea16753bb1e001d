"""Every route that reads or writes what is about a patient leaves a line in the audit log."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Response, request, request_finished, request_started
from sqlalchemy import func, select, text
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.models import AuditEvent
from tests import canary_story
from tests.cast import Cast, entry, found_clinic
from tests.conftest import Clock, empty
from tests.scales import filled
from tests.test_contract import PUBLIC_PAGES
from tests.visits import Visits

OWN = (
    "a patient's own settings, visits and day: nothing of the journal beyond today; the sign-in is on record"
)
CLINIC = "the clinic's own settings, its staff and systems: no patient in it"
FIGURES = "figures over all patients: nobody in them"
EVERYBODY = "the same for everybody"
BEGUN = "begins what leaves its line when it is done"
# Routes that need no line, and why. Whatever is not here must leave one.
NEEDS_NONE: Mapping[str, str] = {
    "GET /v1/me": OWN,
    "GET /v1/me/check-in-plan": OWN,
    "GET /v1/cared-for": "whom a caregiver looks after; what they read there leaves its lines",
    "GET /v1/me/caregivers": OWN,
    "GET /v1/me/caregivers/<caregiver_id>/deeds": OWN,
    "GET /v1/me/consents": OWN,
    "GET /v1/clinic/consent-texts": CLINIC,
    "GET /v1/me/contact-points": OWN,
    "GET /v1/me/exports": OWN,
    "GET /v1/me/quiet-hours": OWN,
    "GET /v1/me/today": OWN,
    "GET /v1/me/sign-ins": OWN,
    "GET /v1/visits": OWN,
    "GET /v1/visits/<visit_id>": OWN,
    "GET /v1/visits/<visit_id>/calendar": OWN,
    "POST /v1/me/factors/totp": BEGUN,
    "POST /v1/me/factors/passkeys/options": BEGUN,
    "POST /v1/sign-ins/step-up/challenge": BEGUN,
    "POST /v1/recoveries": "the same for any address; what is sent leaves its line",
    "GET /v1/clinic": CLINIC,
    "GET /v1/clinic/accounts": CLINIC,
    "GET /v1/clinic/calendar-feeds": CLINIC,
    "GET /v1/clinic/colleagues": CLINIC,
    "GET /v1/clinic/invitations": CLINIC,
    "GET /v1/clinic/policies": CLINIC,
    "GET /v1/clinic/policies/<policy_version>": CLINIC,
    "GET /v1/clinic/policy": CLINIC,
    "GET /v1/clinic/scheduling-connections": CLINIC,
    "GET /v1/clinic/scheduling-connections/<connection_id>/events": CLINIC,
    "GET /v1/clinic/webhooks": CLINIC,
    "GET /v1/clinic/webhooks/<webhook_id>/deliveries": CLINIC,
    "POST /v1/clinic/webhooks/<webhook_id>/enable": CLINIC,
    "GET /v1/rota": CLINIC,
    "GET /v1/rota/coverage": CLINIC,
    "GET /v1/rota/on-call": CLINIC,
    "GET /v1/rota/shifts": CLINIC,
    "GET /v1/alert-budget": FIGURES,
    "GET /v1/visit-yield": FIGURES,
    "GET /v1/alerts/counts": FIGURES,
    "GET /v1/clinic/policy-replays": FIGURES,
    "GET /v1/channels": EVERYBODY,
    "GET /fhir/R4/metadata": EVERYBODY,
    "GET /v1/scales": EVERYBODY,
    "GET /v1/scales/<key>": EVERYBODY,
    "GET /v1/side-effects": EVERYBODY,
    "GET /v1/status": EVERYBODY,
    "POST /v1/sign-ins/refresh": "goes on with a sign-in that is on record; a token used twice leaves a line",
    "GET /v1/clinic/policy-replays/<replay_id>/patients": "a line for each patient shown, none for nobody",
    "GET /v1/sms-messages": "STOP leaves its lines; nothing else of what people write is read",
    "GET /v1/sms-reports/<delivery_id>": "a gateway's receipt for a message without health data",
    "POST /v1/scheduling-events/<connection_id>": "kept sealed as it came; what comes of it leaves its lines",
}
# Not played here: settings of the scheduling side, FHIR's visits and alerts, calendars, and what is done with
# sign-ins of others. Their own tests play them; that each leaves a line is seen in the code alone.
ELSEWHERE = (
    "/fhir/R4/Appointment",
    "/fhir/R4/DetectedIssue",
    "/fhir/R4/ServiceRequest",
    "/v1/inbox/booking-suggestions/<suggestion_id>/arrive",
    "/v1/inbox/booking-suggestions/<suggestion_id>/history",
    "/v1/inbox/booking-suggestions/<suggestion_id>/propose-time",
    "/v1/inbox/calendar-replies",
    "/v1/clinic/accounts/",
    "/v1/clinic/break-glass",
    "/v1/clinic/invitations/",
    "/v1/me/factors",
    "/v1/me/recovery-codes",
    "/v1/me/sign-ins",
    "/v1/patients/<patient_id>/sign-ins",
    "/v1/clinic/scheduling-connections",
    "/v1/review-tasks",
    "/v1/booking-suggestions/<suggestion_id>/copy",
)


def place_of(rule: Any) -> str:
    """Return a route's path, its parameters without their converters."""
    return re.sub(r"<[^:>]*:", "<", rule.rule)


@contextmanager
def counted(app: Flask) -> Iterator[dict[str, list[int]]]:
    """Count the lines that each request that was taken leaves, by method and route."""
    found: dict[str, list[int]] = defaultdict(list)
    before = [0]

    def lines() -> int:
        with Surroundings.of(app).database.read() as session:
            return session.scalar(select(func.count()).select_from(AuditEvent)) or 0

    def started(_app: Flask, **_: Any) -> None:
        before[0] = lines()

    def finished(_app: Flask, response: Response, **_: Any) -> None:
        if request.url_rule is not None and response.status_code < 400:
            found[f"{request.method} {place_of(request.url_rule)}"].append(lines() - before[0])

    with request_started.connected_to(started, app), request_finished.connected_to(finished, app):
        yield found


# What a route leaves does not depend on the database.
@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_route_leaves_a_line_or_says_why_it_needs_none(app: Flask, cast: Cast, clock: Clock) -> None:
    with counted(app) as found:
        _what_the_story_leaves_out(app, cast)
        empty(Surroundings.of(app).database)
        canary_story.play(app, clock)
    silent = {route for route, lines in found.items() if 0 in lines}
    assert silent - NEEDS_NONE.keys() == set(), "audit it, or say why it needs no line"
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC_PAGES]
    routes = {
        f"{method} {place_of(rule)}"
        for rule in rules
        if rule.endpoint not in PUBLIC_PAGES and not place_of(rule).startswith(ELSEWHERE)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes - found.keys() - NEEDS_NONE.keys() == set(), "play it here, or in the story"
    assert NEEDS_NONE.keys() - routes - {r for r in NEEDS_NONE if r.split()[1].startswith(ELSEWHERE)} == set()


def _what_the_story_leaves_out(app: Flask, cast: Cast) -> None:
    """Play the rest; every way a visit ends has a clinic of its own."""
    visits = Visits(app, cast)
    inbox = "/inbox/booking-suggestions"
    for verb in ("complete", "noshow", "cancel"):
        one = visits.approved()
        cast.bo.get(f"/booking-suggestions/{one}")
        cast.scheduler.get(f"{inbox}/{one}")
        cast.scheduler.post(f"{inbox}/{one}/acknowledge", version=2)
        visits.book(cast.scheduler, one, version=4)
        assert cast.scheduler.post(f"{inbox}/{one}/{verb}", version=5).status_code == 200
        empty(Surroundings.of(app).database)
        cast = found_clinic(app)
        visits = Visits(app, cast)
    session = visits.session(visits.course(), visits.now, "planned")
    path = f"{visits.ana}/treatment-sessions/{session['id']}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200
    path = f"{visits.ana}/questionnaire-responses/{uuid7()}"
    assert cast.bo.put(path, filled(visits.now)).status_code == 201
    assert cast.bo.delete(path, version=1).status_code == 204
    for person, path in ((cast.bo, f"{visits.ana}/trend.svg"), *((cast.admin, path) for path in LOG)):
        assert person.get(path).status_code == 200


LOG = ("/audit-events", "/audit-events/export")


def test_a_session_of_reading_leaves_as_many_lines_as_there_were_reads(app: Flask, cast: Cast) -> None:
    ana = f"/patients/{cast.ana.patient_id}"
    reads = [f"{ana}/{what}" for what in ("entries", "trend", "watch", "courses", "response-curve")] * 3
    for path in [ana, *reads]:
        assert cast.bo.get(path).status_code == 200
    with Surroundings.of(app).database.read() as session:
        ours = select(func.count()).where(
            AuditEvent.account_id == cast.bo.account_id, AuditEvent.patient_id == cast.ana.patient_id
        )
        assert session.scalar(ours) == len(reads) + 1


def test_a_patients_own_reads_leave_as_many_lines_with_their_own_account(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    one = f"/entries/{uuid7()}"
    assert cast.ana.put(one, entry(clock.now)).status_code == 201
    reads = [one, f"{one}/revisions", "/entries", "/questionnaire-responses"]
    reads += [f"/me/{what}" for what in ("timeline", "trend", "trend.svg", "response")]
    for path in reads * 2:
        assert cast.ana.get(path).status_code == 200
    cursor = cast.ana.post("/sync", {"items": []}).json["next_cursor"]
    assert cast.ana.post("/sync", {"items": [], "cursor": cursor}).json["changes"] == []
    with Surroundings.of(app).database.read() as session:
        ours = select(AuditEvent.action, AuditEvent.account_id, AuditEvent.patient_id).where(
            AuditEvent.action.regexp_match(r"\.(read|list|revisions|pull)$")
        )
        rows = session.execute(ours.order_by(AuditEvent.id)).all()
    assert len(rows) == len(reads) * 2 + 1, "a pull that brings nothing is no reading"
    assert {(row.account_id, row.patient_id) for row in rows} == {(cast.ana.account_id, cast.ana.patient_id)}
    assert rows[-1].action == "sync.pull"


@pytest.mark.parametrize("who", ["cyd", "other_patient", "scheduler"])
def test_whoever_asks_for_what_is_not_theirs_is_on_record_in_their_own_clinic(
    app: Flask, cast: Cast, who: str
) -> None:
    asking, nowhere = getattr(cast, who), uuid7()
    for patient_id in (cast.ana.patient_id, nowhere):
        assert asking.get(f"/patients/{patient_id}/watch").status_code in (403, 404)
    with Surroundings.of(app).database.read() as session:
        refused = select(AuditEvent).where(AuditEvent.action == "refused.get_watch")
        rows = session.scalars(refused.order_by(AuditEvent.id)).all()
    assert [row.object_id for row in rows] == [str(cast.ana.patient_id), str(nowhere)]
    assert {(row.account_id, row.clinic_id, row.patient_id) for row in rows} == {
        (asking.account_id, asking.clinic_id, None)
    }


def test_what_is_refused_after_it_was_begun_leaves_the_refusal_alone(app: Flask, cast: Cast) -> None:
    assert cast.ana.get(f"/entries/{uuid7()}").status_code == 404
    assert cast.ana.put(f"/entries/{uuid7()}", entry(Clock().now + timedelta(days=900))).status_code == 422
    with Surroundings.of(app).database.read() as session:
        ours = select(AuditEvent.action).where(AuditEvent.account_id == cast.ana.account_id)
        actions = session.scalars(ours)
        assert [action for action in actions if action != "sign-in.start"] == ["refused.get_entry"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what refuses is written in its words
def test_what_can_not_be_put_on_record_does_not_happen(app: Flask, cast: Cast, clock: Clock) -> None:
    database = Surroundings.of(app).database
    with database.write() as session:
        refusing = "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'full'); END"
        session.execute(text(refusing))
    try:
        assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now)).status_code == 500
        read = cast.bo.get(f"/patients/{cast.ana.patient_id}")
        assert (read.status_code, "name" in read.json) == (500, False)
    finally:
        with database.write() as session:
            session.execute(text("DROP TRIGGER full"))
    assert cast.ana.get("/entries").json["items"] == []
