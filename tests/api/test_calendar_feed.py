"""The clinic's calendar feed: the address is the key, and it holds times and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar, Event
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.clinical.vocabulary import Role, SuggestionState
from server.database import Database
from server.models import AuditEvent, BookingSuggestion, CalendarFeed
from tests.canary_story import every_log
from tests.cast import Cast, new_staff
from tests.conftest import Clock
from tests.visits import CANARY, Visits

FEEDS = "/clinic/calendar-feeds"


def address(cast: Cast) -> str:
    """Make a feed; return its path."""
    made = cast.coordinator.post(FEEDS, {"name": "Front desk"})
    assert made.status_code == 201, made.text
    return str(made.json["url"]).removeprefix("http://127.0.0.1:8000")


def events(answer: TestResponse) -> list[Event]:
    assert answer.status_code == 200, answer.text
    return Calendar.from_ical(answer.data).events


def test_whoever_has_the_address_reads_what_is_approved_without_signing_in(
    visits: Visits, cast: Cast, client: FlaskClient
) -> None:
    path = address(cast)
    assert events(client.get(path)) == []
    suggestion = visits.approved()
    answer = client.get(path)
    (event,) = events(answer)
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert (event["UID"], event["STATUS"]) == (f"{suggestion}@visits.afterglow.invalid", "TENTATIVE")
    visits.book(cast.scheduler, suggestion, version=2)
    (event,) = events(client.get(path))
    assert (event["STATUS"], event.start) == ("CONFIRMED", visits.now + timedelta(days=3))
    assert event.end - event.start == timedelta(minutes=90)


def test_a_draft_and_what_is_over_are_in_no_calendar(visits: Visits, cast: Cast, client: FlaskClient) -> None:
    path = address(cast)
    visits.on_treatment()
    suggestion = visits.relapse()
    assert events(client.get(path)) == []
    cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {}, version=1)
    cast.bo.post(f"/booking-suggestions/{suggestion}/dismiss", {"reason": CANARY}, version=2)
    assert events(client.get(path)) == []


@pytest.mark.parametrize(
    ("state", "days", "is_shown"),
    [
        *((SuggestionState.BOOKED, days, True) for days in (-30, 0, 180)),
        *((SuggestionState.BOOKED, days, False) for days in (-31, 181)),
        *((state, 1, True) for state in (SuggestionState.ARRIVED, SuggestionState.FULFILLED)),
        (SuggestionState.NOSHOW, -1, True),
        (SuggestionState.CANCELLED, 1, False),
        *((SuggestionState.SENT, days, True) for days in (-30, 180)),
        *((SuggestionState.NEEDS_ATTENTION, days, False) for days in (-31, 181)),
    ],
)
def test_it_looks_back_thirty_days_and_ahead_a_hundred_and_eighty(
    visits: Visits, cast: Cast, client: FlaskClient, state: SuggestionState, days: int, is_shown: bool
) -> None:
    path = address(cast)
    at = visits.now + timedelta(days=days)
    with Surroundings.of(visits.app).database.write() as session:
        session.add(
            _suggestion(cast, visits, state=state, starts_at=at, earliest=at.date(), latest=at.date())
        )
    assert len(events(client.get(path))) == is_shown


def _suggestion(cast: Cast, visits: Visits, **parts: Any) -> BookingSuggestion:
    known: dict[str, Any] = {
        "clinic_id": cast.ana.clinic_id,
        "id": uuid7(),
        "patient_id": cast.ana.patient_id,
        "programme": "pain",
        "reason": "maintenance_due",
        "urgency": "P3",
        "blocks": [],
        "created_at": visits.now,
        "changed_at": visits.now,
        "version": 3,
    }
    return BookingSuggestion(**known, **parts)


def test_another_clinics_visits_are_not_in_it(
    visits: Visits, cast: Cast, client: FlaskClient, app: Flask
) -> None:
    their_admin = new_staff(app, cast.cyd.clinic_id, Role.CLINIC_ADMIN, "Gil")
    visits.booked()
    theirs = their_admin.post(FEEDS, {"name": "x"}).json["url"].removeprefix("http://127.0.0.1:8000")
    assert events(client.get(theirs)) == []


def test_what_has_not_changed_is_not_sent_again(visits: Visits, cast: Cast, client: FlaskClient) -> None:
    path, suggestion = address(cast), visits.approved()
    first = client.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=known)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    visits.book(cast.scheduler, suggestion, version=2)
    assert client.get(path, headers=known).status_code == 200


def test_an_address_that_was_taken_away_is_one_that_never_was(
    cast: Cast, client: FlaskClient, visits: Visits
) -> None:
    path = address(cast)
    (feed,) = cast.admin.get(FEEDS).json["items"]
    assert cast.admin.delete(f"{FEEDS}/{feed['id']}").status_code == 204
    assert cast.admin.delete(f"{FEEDS}/{feed['id']}").status_code == 404
    answers = [client.get(path), client.get("/v1/calendar-feeds/x/visits.ics"), client.get(path + "?x=1")]
    answers.append(client.get(f"/v1/calendar-feeds/{'%00' * 9}/visits.ics"))
    assert {(a.status_code, a.text) for a in answers} == {(404, answers[0].text)}
    assert cast.admin.get(FEEDS).json["items"] == []


def test_the_address_is_shown_once_and_only_its_digest_is_kept(cast: Cast, database: Database) -> None:
    path = address(cast)
    token = path.split("/")[3]
    assert len(token) == 43  # 256 bits
    listed = cast.admin.get(FEEDS)
    (feed,) = listed.json["items"]
    assert (feed["name"], feed["created_by"]) == ("Front desk", str(cast.coordinator.account_id))
    assert token not in listed.text
    with database.read() as session:
        kept = session.query(CalendarFeed).one()
        assert token not in repr(vars(kept))


def test_no_log_no_figure_and_no_error_holds_the_address(
    cast: Cast, client: FlaskClient, visits: Visits
) -> None:
    path = address(cast)
    token = path.split("/")[3]
    visits.approved()
    with every_log() as logs:
        answers = [client.get(path), client.get(path.replace("/visits.ics", "/other"))]
        answers += [client.post(path), client.get(path[:-14] + "x/visits.ics")]
        figures = client.get("/metrics").text
    assert [a.status_code for a in answers] == [200, 404, 405, 404]
    assert "/v1/calendar-feeds/<feed_token>/visits.ics" in figures
    assert token[:20] not in figures
    assert [line for line in logs if token[:20] in line] == []
    assert [a.text for a in answers if token[:20] in a.text + str(a.headers)] == []


def test_who_reads_is_on_record_by_the_hour(
    cast: Cast, client: FlaskClient, clock: Clock, database: Database
) -> None:
    path = address(cast)
    for _ in range(3):
        assert client.get(path).status_code == 200
    first = clock.now
    clock.forward(minutes=59)
    client.get(path)
    assert _read_at(cast) == first.isoformat()
    clock.forward(minutes=1)
    client.get(path)
    assert _read_at(cast) == clock.now.isoformat()
    with database.read() as session:
        assert session.query(AuditEvent).filter_by(action="calendar-feed.read").count() == 2


def _read_at(cast: Cast) -> str:
    (feed,) = cast.admin.get(FEEDS).json["items"]
    return str(feed["read_at"])


def test_only_those_who_run_the_front_desk_make_addresses(cast: Cast) -> None:
    for person in (cast.ana, cast.bo, cast.scheduler, cast.cyd):
        assert person.get(FEEDS).status_code == 403
        assert person.post(FEEDS, {"name": "x"}).status_code == 403
        assert person.delete(f"{FEEDS}/{uuid7()}").status_code == 403


def test_another_clinics_address_can_not_be_taken_away(cast: Cast, app: Flask, client: FlaskClient) -> None:
    path = address(cast)
    (feed,) = cast.admin.get(FEEDS).json["items"]
    their_admin = new_staff(app, cast.cyd.clinic_id, Role.CLINIC_ADMIN, "Gil")
    assert their_admin.delete(f"{FEEDS}/{feed['id']}").status_code == 404
    assert their_admin.get(FEEDS).json["items"] == []
    assert client.get(path).status_code == 200


def test_fifty_addresses_are_enough(cast: Cast) -> None:
    for _ in range(50):
        address(cast)
    refused = cast.admin.post(FEEDS, {"name": "one more"})
    assert (refused.status_code, refused.json["code"]) == (409, "too-many-feeds")
    assert [cast.admin.post(FEEDS, {"name": name}).status_code for name in ("", "x" * 101)] == [422, 422]


def test_it_never_says_for_whom_or_why(visits: Visits, cast: Cast, client: FlaskClient) -> None:
    path = address(cast)
    visits.booked()
    text = client.get(path).text.replace("\r\n ", "")
    assert [w for w in (CANARY, "Ana", "relapse", "mood", str(cast.ana.patient_id)) if w in text] == []
