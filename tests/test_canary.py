"""No word that anybody types is ever in a message, a log, an error, an address or a column it is not kept in.

`tests/canary.py` types a mark into every text of the contract, `tests/canary_story.py` lets weeks of a
clinic's life pass, and here everything that left is searched for a mark.
"""

import base64
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION, Surroundings
from server.clinical.visit_event import EVENT_TYPES
from server.clinical.vocabulary import Channel, SuggestionState
from server.database import Database
from server.gateways.events import PLACES
from server.gateways.templates import LANGUAGES, PATHS, texts
from server.models import Base, SignIn
from server.models.sealed import sealed_columns
from server.settings import Settings
from server.sms_report import report_address
from tests.canary import MADE_BY_BROWSERS, WORD, Member, every_member, example, leaks, operations, put
from tests.canary_story import Told, every_log, play
from tests.conftest import Clock, empty, fill
from tests.source import ROOT

# Kept as they are, and said so in docs/security.md: names, words of scales, holidays,
# and the number under which the clinic's own scheduling system knows an appointment.
KEPT_PLAIN = {
    "accounts.name",
    "booking_suggestions.external_id",
    "calendar_feeds.name",
    "clinics.name",
    "consent_texts.texts",
    "scheduling_connections.name",
    "scheduling_connections.proof",
    "invitations.name",
    "patients.name",
    "rotas.holidays",
    "scale_texts.texts",
}
# Refused too, but not under their own names: what the server has made and gets back, an alert that is not
# there, and a scale that the occurrence beside it does not belong to.
REFUSED_OTHERWISE = {
    "post /v1/alerts/{alert_id}/feedback /code",
    "post /v1/cared-for /code",
    "post /v1/enrolments /code",
    "post /v1/me/factors/passkeys /ticket",
    "post /v1/recoveries/redeem /code",
    "post /v1/patients/{patient_id}/erasure/confirm /patient_name",
    "post /v1/sign-ins /clinic",
    "post /v1/sign-ins /recovery_code",
    "post /v1/sign-ins/second-factor /recovery_code",
    "post /v1/sign-ins/second-factor /ticket",
    "post /v1/sign-ins/step-up /ticket",
    "post /v1/sign-ins /device_token",
    "post /v1/sign-ins/refresh /refresh_token",
    "post /v1/sync /cursor",
    "post /v1/sync /items/*/questionnaire_response/instrument",
    "post /v1/sync /items/*/questionnaire_response/occurrence",
    "put /v1/patients/{patient_id}/questionnaire-responses/{response_id} /instrument",
    "put /v1/questionnaire-responses/{response_id} /instrument",
}
# Answered alike whatever is asked: who asks must not learn who has an account where.
ALIKE = {"post /v1/recoveries /clinic"}
MARK = f"{WORD}9999 wörn out & “sad” {WORD}9999"
_PLAYED: dict[str, Told] = {}


@pytest.fixture
def told(app: Flask, database: Database, clock: Clock) -> Told:
    """What left the story, which is played once a kind of database."""
    kind = database.engine.dialect.name
    if kind not in _PLAYED:
        _PLAYED[kind] = play(app, clock)
    return _PLAYED[kind]


def test_a_mark_was_typed_into_every_text_of_the_contract(told: Told) -> None:
    texts_of_the_contract = {member.place for member in every_member() if member.is_text}
    assert texts_of_the_contract - told.marks.planted_places == set(), "let the story say it"
    assert len(texts_of_the_contract) > 30


def test_something_happened_worth_searching(told: Told) -> None:
    channels = {row["channel"] for row in told.rows["deliveries"]}
    assert channels == {*Channel}
    kinds = {row["kind"] for row in told.rows["alert_events"]}
    assert kinds >= {"opened", "escalated", "snoozed", "assigned", "handed_over", "resolved", "reopened"}
    assert {message.kind for message in told.messages} >= {
        *("notice.emergency_needs_review", "notice.patient_needs_review", "notice.alert_unanswered"),
        *("notice.reminder", "notice.alert_assigned", "notice.handed_over", "notice.weekly_digest"),
    }
    states = {row["state"] for row in told.rows["booking_suggestions"]}
    assert states >= {"booked", "declined"}


def test_no_message_holds_a_word_that_anybody_typed(told: Told) -> None:
    for message in told.messages:
        said = (message.subject, message.text, message.short, message.link, message.kind)
        said += (repr(message.happened),)
        assert leaks("\n".join(said)) == []
        # Only `to` says whom it is for.
        assert message.to not in repr(said)


def test_every_message_is_a_text_of_the_closed_list_with_a_link_and_nothing_else(told: Told) -> None:
    known = [words for language in LANGUAGES for words in texts(language).values()]
    subjects, bodies = {w.subject for w in known}, {w.text for w in known}
    for message in told.messages:
        if message.happened is not None:
            continue
        counted = re.sub(r"\b[0-9]+ ", "{count} ", message.subject)
        assert {message.subject, counted} & subjects, message.subject
        bare = message.text.replace(message.link, "{link}")
        assert {bare, re.sub(r"\b[0-9]+ ", "{count} ", bare)} & bodies, message.text


def test_every_event_is_of_the_closed_list_with_ids_a_state_and_a_version_and_nothing_else(
    told: Told,
) -> None:
    of_visits = [message for message in told.messages if message.happened is not None]
    assert {message.kind.partition(".")[2] for message in of_visits} >= {
        "created",
        "sent",
        "booked",
        "declined",
    }
    states, known = {*SuggestionState}, ["id", "clinic_id", "state", "version", "link"]
    for message in of_visits:
        assert message.happened is not None
        data = message.happened.data
        assert (message.kind in EVENT_TYPES, list(data)) == (True, known)
        assert data["state"] in states
        assert str(data["link"]).endswith(f"/v1/inbox/booking-suggestions/{data['id']}")
        assert {UUID(str(data[name])) for name in ("id", "clinic_id")}
        assert (message.subject, message.text, message.short) == ("", "", "")


def test_no_log_of_any_logger_holds_a_word_that_anybody_typed_at_its_most_talkative(told: Told) -> None:
    assert sum("FROM entries" in line for line in told.logs), "SQL is logged here"
    assert any("alert" in line and line.startswith("jobs.") for line in told.logs)
    assert [found for line in told.logs for found in leaks(line)] == []


def test_no_log_holds_what_a_patient_chose_from_a_list(told: Told) -> None:
    # Column names stand in SQL; codes of answers and effects stand nowhere.
    codes = ("safety_plan", "safety_often", "chest_pain", "mood_relapse", "R2:", "'plan'", "'often'")
    assert [line for line in told.logs if any(code in line for code in codes)] == []


def test_no_log_holds_what_opens_a_door(told: Told) -> None:
    secrets = {secret for answer in told.answers for secret in _secrets(answer)}
    assert len(secrets) > 10
    whole = "\n".join(told.logs)
    assert [secret for secret in secrets if secret in whole] == []


def _secrets(answer: TestResponse) -> Iterator[str]:
    names, text = "access_token|refresh_token|code|secret|ticket|challenge", answer.get_data(as_text=True)
    yield from re.findall(rf'"(?:{names})": ?"([^"]{{30,}})"', text)
    yield from re.findall(r"/calendar-feeds/([^/]{30,})/", text)
    yield from re.findall(r"proof=([^\"&]{30,})", text)


def test_no_address_that_the_service_makes_holds_a_word_that_anybody_typed(told: Told) -> None:
    links = [message.link for message in told.messages]
    headers = [str(value) for answer in told.answers for _, value in answer.headers]
    assert leaks("\n".join([*links, *headers])) == []
    for answer in told.answers:
        assert leaks(str(answer.request.url)) == []
        assert leaks("\n".join(_cursors(answer))) == []
    for link in links:
        path = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{id}", link.partition("#")[0])
        assert path.removeprefix("http://127.0.0.1:8000") in {*PATHS.values(), *PLACES.values()}
    ids = [row["id"] for row in told.rows["deliveries"]]
    assert leaks("\n".join(report_address("https://a.example", b"k", id) for id in ids)) == []


def _cursors(answer: TestResponse) -> Iterator[str]:
    yield from re.findall(r'"next_cursor": ?"([^"]+)"', answer.get_data(as_text=True))


def test_no_run_of_a_job_and_no_delivery_keeps_a_word_of_what_went_wrong(told: Told) -> None:
    failures = {row["failure"] for row in told.rows["job_runs"]}
    assert failures >= {"ValueError", "Incomplete"}
    assert {row["failure"] for row in told.rows["deliveries"]} >= {"defect_RuntimeError"}
    for table in ("job_runs", "deliveries", "audit_events"):
        assert _places_of_marks(told, table) == set()


def test_what_is_said_to_be_sealed_lies_in_no_table_and_the_rest_only_where_it_is_said(told: Told) -> None:
    found = set().union(*(_places_of_marks(told, table) for table in told.rows))
    assert found == KEPT_PLAIN


def _places_of_marks(told: Told, table: str) -> set[str]:
    return {
        f"{table}.{column}"
        for row in told.rows[table]
        for column, value in row.items()
        if leaks(value.decode("latin-1") if isinstance(value, bytes) else str(value))
    }


def test_the_page_about_security_names_every_sealed_column() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*`) \|", page.partition("## What is encrypted")[2], re.MULTILINE)
    named = set()
    for row in rows:
        table = ""
        for part in re.findall(r"`([^`]+)`", row):
            table, _, column = part.rpartition(".") if not part.startswith(".") else (table, "", part[1:])
            named.add(f"{table}.{column}")
    sealed = {
        f"{mapper.local_table.name}.{column.column}"
        for mapper in Base.registry.mappers
        for column in sealed_columns(mapper.class_)
    }
    assert named == sealed


def test_the_scheduling_system_reads_no_word_of_patient_or_team(told: Told) -> None:
    inbox = [a for a in told.answers if "/inbox/" in str(a.request.url) and a.request.method == "GET"]
    assert inbox
    for answer in inbox:
        assert leaks(answer.get_data(as_text=True)) == []


def test_no_calendar_holds_a_word_that_anybody_typed(told: Told) -> None:
    calendars = [answer for answer in told.answers if answer.mimetype == "text/calendar"]
    assert len(calendars) == 2
    for answer in calendars:
        assert b"BEGIN:VEVENT" in answer.data
        assert leaks(answer.get_data(as_text=True).replace("\r\n ", "")) == []


def test_no_text_of_the_diary_leaves_over_fhir(told: Told) -> None:
    fhir = [a for a in told.answers if str(a.request.url).partition("/fhir/")[1] and a.status_code == 200]
    kinds: set[str] = set()
    for answer in fhir:
        for resource in _resources(answer):
            kinds.add(resource["resourceType"])
            # Only whose it is, is said.
            assert leaks(json.dumps({**resource, "name": None}, ensure_ascii=False)) == []
    assert kinds >= {"Patient", "QuestionnaireResponse", "Observation", "Provenance"}


def _resources(answer: TestResponse) -> Iterator[dict[str, Any]]:
    for line in answer.text.splitlines() if "ndjson" in answer.mimetype else [answer.text]:
        found = json.loads(line)
        yield from (entry["resource"] for entry in found.get("entry", [])) if "entry" in found else [found]


# What is refused is not repeated.


@dataclass
class Door:
    """Sends what must be refused."""

    client: FlaskClient
    told: Told

    def send(self, operation: str, body: Any = None, query: str = "", **ids: str) -> TestResponse:
        """Send ``operation`` as somebody who may; an error must not repeat a mark."""
        method, path = operation.split(" ")
        role = next(iter(dict(operations())[operation]["x-roles"]), None)
        known = {**self.told.ids, **ids}
        url = re.sub(r"{(\w+)}", lambda found: known.get(found[1], str(uuid7())), path) + query
        headers = {
            "If-Match": '"v1"',
            **({"Authorization": f"Bearer {self.told.tokens[role]}"} if role else {}),
        }
        answer = self.client.open(url, method=method.upper(), json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            is_fhir = url.startswith("/fhir/")
            assert answer.content_type == ("application/fhir+json" if is_fhir else "application/problem+json")
            # What is stored is shown to whoever may read it and was about to write over it.
            assert leaks(json.dumps({**answer.json, "current": None}, ensure_ascii=False)) == []
        return answer


@pytest.fixture
def door(told: Told, app: Flask, database: Database, clock: Clock) -> Door:
    """The service as the story left it, where everybody has just proved who they are."""
    empty(database)
    fill(database, told.rows)
    with database.write() as session:
        session.execute(update(SignIn).values(authenticated_at=told.now))
    clock.now = told.now
    return Door(app.test_client(), told)


@pytest.mark.long
def test_a_text_in_place_of_a_code_a_day_or_an_id_is_refused_by_name_and_not_repeated(door: Door) -> None:
    with every_log() as logs:
        named = {member.place: _names(door, member) for member in every_member() if not member.is_text}
    otherwise = {place for place, is_named in named.items() if not is_named} - ALIKE
    made = [one for one in every_member() if MADE_BY_BROWSERS & {*one.steps} and "enum" not in one.schema]
    of_browsers = {one.place for one in made}
    assert otherwise == REFUSED_OTHERWISE | of_browsers, "is it a text? then let it be planted"
    assert [found for line in logs for found in leaks(line)] == []


def _names(door: Door, member: Member) -> bool:
    """Say whether a text at ``member`` is refused under the member's own name; it must be refused."""
    answer = door.send(member.operation, put(example(member.operation), member.steps, MARK, make=True))
    said = answer.json or {}
    verdicts = {one["verdict"] for one in said.get("results", ())}
    refused = answer.status_code >= 400 or verdicts == {"invalid"}
    assert refused != (member.place in ALIKE), f"{member.place} takes a text"
    errors = [*said.get("errors", ()), *(e for one in said.get("results", ()) for e in one["errors"])]
    pointers = [error.get("pointer", "").split("/") for error in errors]
    pointers += [issue.get("expression", []) for issue in said.get("issue", ())]
    return any(member.name in steps for steps in pointers)


@pytest.mark.long
def test_a_text_in_an_address_or_a_header_is_not_repeated(door: Door) -> None:
    with every_log() as logs:
        for operation, said in operations():
            names = [one["name"] for one in said.get("parameters", ()) if one.get("in") == "query"]
            door.send(operation, query=f"?unknown={quote(MARK)}")
            for name in names:
                door.send(operation, query=f"?{name}={quote(MARK)}")
            for name in re.findall(r"{(\w+)}", operation):
                door.send(operation, **{name: quote(MARK)})
        for name in ("Authorization", "If-Match", "Content-Type", "Accept", "Cookie", "X-Forwarded-Host"):
            headers = {"Authorization": f"Bearer {door.told.tokens['clinician']}", name: f"{WORD}9999"}
            answer = door.client.post(f"/v1/alerts/{uuid7()}/resolve", data=b"{}", headers=headers)
            assert leaks(answer.text + str(answer.headers)) == []
    assert [found for line in logs for found in leaks(line)] == []


def test_the_page_of_figures_holds_numbers_and_no_word_that_anybody_typed(
    door: Door, app: Flask, settings: Settings
) -> None:
    around = Surroundings.of(app)
    app.extensions[EXTENSION] = replace(around, settings=replace(settings, metrics_token="t" * 32))
    answer = door.client.get("/metrics", headers={"Authorization": f"Bearer {'t' * 32}"})
    assert answer.status_code == 200
    assert "afterglow_database_up 1.0" in answer.text, "and it has looked"
    assert leaks(answer.text) == []


def test_a_body_that_can_not_be_read_is_not_repeated(door: Door) -> None:
    text = json.dumps({"note": MARK}, ensure_ascii=False)
    broken = [
        text[:-1],
        text + text,
        f"[{text}",
        f'{{"note": "{MARK}", "note": "{MARK}"}}',
        MARK,
        f'"{MARK}"',
    ]
    broken += [
        text.replace('"note"', '"mood"'),
        f'{{"items": "{MARK}"}}',
        f'{{"items": {{"mood": "{MARK}"}}}}',
    ]
    headers = {"Authorization": f"Bearer {door.told.tokens['patient']}"}
    with every_log() as logs:
        for data in [
            *(one.encode() for one in broken),
            text.encode("utf-16"),
            text.encode("latin-1", "replace"),
        ]:
            path = f"/v1/entries/{uuid7()}"
            answer = door.client.put(path, data=data, content_type="application/json", headers=headers)
            assert answer.status_code in (400, 422)
            assert leaks(answer.text) == []
    assert [found for line in logs for found in leaks(line)] == []


# A search that finds nothing proves nothing.


@pytest.mark.parametrize(
    "hidden",
    [
        MARK,
        MARK.upper(),
        quote(MARK),
        json.dumps(MARK),
        *(base64.b64encode(f"{'x' * before}{MARK}".encode()).decode() for before in range(3)),
        MARK.encode().hex(),
        MARK[:4] + "\n" + MARK[4:],
        f"could not be sent: '{MARK[:3]}' '{MARK[3:]}'",
        MARK[: len(MARK) // 2],
        MARK[len(MARK) // 2 :],
        "+99073118400017",
    ],
)
def test_a_mark_is_found_however_it_is_written(hidden: str) -> None:
    assert leaks(f"delivery 7: {hidden}. Try again") != []


def test_a_quiet_text_holds_no_mark() -> None:
    assert (
        leaks("A patient of your clinic needs review. Please sign in and acknowledge: https://a.example")
        == []
    )


def test_a_note_in_a_log_line_is_found() -> None:
    with every_log() as logs:
        logging.getLogger("server.services.journal.entry").debug("stored %s", {"note": MARK})
        logging.getLogger("werkzeug").info("PUT /v1/entries?note=%s", quote(MARK))
    assert len([line for line in logs if leaks(line)]) == 2
