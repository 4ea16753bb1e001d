"""The loop, end to end: log, watch, alert, e-mail, visit, booking. On a virtual and on a real diary."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from jobs import day_close, deliver
from jobs.around import Around
from jobs.import_diary import prepare, write
from server.clinical.vocabulary import ITEMS, Channel
from server.database import Database
from server.gateways.message import Message, RecordingGateway
from server.settings import Settings
from server.simulator.reference import reference_patient
from server.simulator.shapes import SimulatedDay
from tests.cast import Cast
from tests.conftest import Clock

CANARY = "canary-of-a-grey-heron"
COURSE = {
    "route": "intravenous",
    "condition": "depression",
    "phase": "induction",
    "min_interval_days": 7,
    "max_interval_days": 28,
}
# A relapse that begins after five weeks and takes eighteen days to be full.
TWIN = 116
STABLE_FORTNIGHT = (17, 31)

REAL = Path(__file__).parents[2] / "shared" / "data" / "kossakowski2017_daily.csv"
REAL_MAP = """
date: {column: date}
zone: UTC
sessions: [2012-08-13]
course: {route: intravenous, condition: depression}
items:
  irritability: {column: mood_irritat, low: 1, high: 7, direction: high_bad}
  restlessness: {column: pat_restl, low: 1, high: 7, direction: high_bad}
  agitation: {column: pat_agitate, low: 1, high: 7, direction: high_bad}
  anxiety: {column: mood_anxious, low: 1, high: 7, direction: high_bad}
  worry: {column: pat_worry, low: 1, high: 7, direction: high_bad}
  mood: {column: mood_cheerf, low: 1, high: 7, direction: high_good}
  interest: {column: mood_enthus, low: 1, high: 7, direction: high_good}
  sleep_quality: {column: mor_qualsleep, low: 1, high: 7, direction: high_good}
"""
# The real diary, counted from its first day: from day 29 on somebody looks every morning. It is quiet
# up to day 42, the alert is due by day 60, and the relapse is about day 127.
BEFORE, STABLE_UNTIL, DUE_BY, FULL_RELAPSE = 28, 42, 60, 127
UNREST = {"unrest", "irritability", "restlessness", "agitation"}


@pytest.fixture
def email() -> RecordingGateway:
    """Where outgoing e-mail lands."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """What jobs work with."""
    return Around(database, settings, {Channel.EMAIL: email})


@pytest.mark.long
def test_a_virtual_patient_is_watched_alerted_on_and_booked_before_the_full_relapse(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    twin = reference_patient(TWIN, stable=False, start=clock.now.date())
    treat(cast, clock.now - timedelta(hours=3))
    alerted: date | None = None
    for said in twin.diary:
        clock.now = datetime.combine(said.day, time(20), UTC)
        log(cast, clock, said)
        night(around, clock)
        alerts = cast.bo.get("/alerts").json["items"]
        if alerts and alerted is None:
            alerted = said.day
            alert = the_alert_with_its_mail(cast, email)
            deal_with(cast, clock, alert)
        if alerted is not None and (said.day - alerted).days > 8:
            break
    assert alerted is not None
    assert twin.truth.relapse_onset is not None
    assert twin.truth.full_relapse is not None
    assert twin.first_day + timedelta(days=STABLE_FORTNIGHT[1]) < twin.truth.relapse_onset
    assert twin.truth.relapse_onset < alerted < twin.truth.full_relapse
    stays_calm(cast, alert, email)


@pytest.mark.long
@pytest.mark.skipif(not REAL.exists(), reason="the folder of real diaries is not beside the repository")
def test_a_real_relapse_is_announced_on_unrest_weeks_ahead_and_stable_days_are_quiet(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    first = date(2012, 8, 13)
    day = BEFORE
    came_in(cast, clock, around, first, range(1, day + 1))
    while not (alerts := morning(cast, clock, around, email)):
        day += 1
        assert day <= DUE_BY, "nobody was told in time"
        came_in(cast, clock, around, first, range(day, day + 1))
    assert day > STABLE_UNTIL
    (alert,) = alerts
    assert datetime.fromisoformat(alert["opened_at"]).date() <= first + timedelta(days=day)
    record = cast.bo.get(f"/alerts/{alert['id']}").json
    assert {code.partition(":")[2] for code in alert["codes"]} & UNREST
    assert record["evidence"]["baseline"]["session"] == first.isoformat()
    alert = the_alert_with_its_mail(cast, email)
    deal_with(cast, clock, alert)
    came_in(cast, clock, around, first, range(day + 1, FULL_RELAPSE + 1))
    deliver.run(around, clock.now)
    stays_calm(cast, alert, email)


def treat(cast: Cast, at: datetime) -> None:
    """Let Bo plan a course for Ana and record its session."""
    record = f"/patients/{cast.ana.patient_id}"
    course = cast.bo.post(f"{record}/courses", {**COURSE, "started_on": at.date().isoformat()})
    assert course.status_code == 201, course.text
    body = {"course_id": course.json["id"], "status": "delivered", "at": at.isoformat()}
    session = cast.bo.post(f"{record}/treatment-sessions", body)
    assert session.status_code == 201, session.text


def log(cast: Cast, clock: Clock, said: SimulatedDay) -> None:
    """Let Ana's phone send what the virtual patient says."""
    body = {
        "occurred_at": clock.now.isoformat(),
        "zone": "Europe/Oslo",
        "items": said.items,
        "safety": "no",
        "note": CANARY,
    }
    answer = cast.ana.put(f"/entries/{uuid7()}", body)
    assert answer.status_code == 201, answer.text
    assert answer.json["notice"] is None


def night(around: Around, clock: Clock) -> None:
    """Let the night's jobs run."""
    clock.forward(hours=9)
    day_close.run(around, clock.now)
    deliver.run(around, clock.now)


def came_in(cast: Cast, clock: Clock, around: Around, first: date, days: range) -> None:
    """Import these days of the real diary, as of the morning after the last one."""
    clock.now = datetime.combine(first + timedelta(days=days[-1]), time(5), UTC)
    header, *rows = REAL.read_bytes().splitlines(keepends=True)
    diary = b"".join([header, *(rows[day - 1] for day in days)])
    assert cast.ana.patient_id is not None
    plan = prepare(around.database, ("demo", cast.ana.patient_id), (REAL_MAP, diary), clock.now)
    assert {refusal.reasons for refusal in plan.mapped.refusals} <= {
        ("says nothing in any column of the map",)
    }
    write(around.database, plan)


def morning(cast: Cast, clock: Clock, around: Around, email: RecordingGateway) -> list[dict[str, Any]]:
    """Close the day before, as every night does, and return the open alerts; Bo was told of each."""
    day_close.run(around, clock.now)
    deliver.run(around, clock.now)
    alerts: list[dict[str, Any]] = cast.bo.get("/alerts").json["items"]
    assert [len(mails_about(alert, email)) for alert in alerts] == [1] * len(alerts)
    return alerts


def the_alert_with_its_mail(cast: Cast, email: RecordingGateway) -> dict[str, Any]:
    """Return the one open alert; Bo alone was told of it, without a word of health data."""
    (alert,) = cast.bo.get("/alerts").json["items"]
    (mail,) = mails_about(alert, email)
    assert mail.to == "bo@clinic.example"
    assert [word for word in canaries(alert) if word in whole(mail)] == []
    return dict(alert)


def mails_about(alert: dict[str, Any], email: RecordingGateway) -> list[Message]:
    """Return what was sent about one alert (another clinic hears of its own silent patient)."""
    return [mail for mail in email.sent if alert["id"] in mail.text]


def canaries(alert: dict[str, Any]) -> Iterator[str]:
    """Yield every word that would be health data in a message."""
    yield from (key.replace("_", " ") for key in ITEMS)
    yield from ("ana ", CANARY, "relapse", "symptom", "depress", "ketamine", "unrest", "composite")
    yield from (alert["summary"].lower(), alert["family"], alert["patient_id"])


def whole(mail: Message) -> str:
    """Return all of a message in small letters."""
    return f"{mail.subject}\n{mail.text}\n{mail.short}\n{mail.link}".lower()


def deal_with(cast: Cast, clock: Clock, alert: dict[str, Any]) -> None:
    """Let Bo acknowledge and approve, and the scheduling system pull the suggestion and book it."""
    taken = cast.bo.post(f"/alerts/{alert['id']}/acknowledge", version=alert["version"])
    assert (taken.status_code, taken.json["state"]) == (200, "acknowledged")
    assert cast.scheduler.get("/inbox/booking-suggestions").json["items"] == []
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert draft["alert_id"] == alert["id"]
    approved = cast.bo.post(f"/booking-suggestions/{draft['id']}/approve", {}, version=draft["version"])
    assert approved.status_code == 200, approved.text
    (item,) = cast.scheduler.get("/inbox/booking-suggestions").json["items"]
    assert CANARY not in str(item)
    starts = datetime.combine(date.fromisoformat(item["earliest"]), time(9, 30), UTC)
    visit = {
        "external_id": "apt-1",
        "starts_at": max(starts, clock.now + timedelta(days=1)).isoformat(),
    }
    booked = cast.scheduler.post(
        f"/inbox/booking-suggestions/{item['id']}/book", visit, version=item["version"]
    )
    assert booked.status_code == 200, booked.text
    assert cast.bo.get(f"/booking-suggestions/{item['id']}").json["state"] == "booked"


def stays_calm(cast: Cast, alert: dict[str, Any], email: RecordingGateway) -> None:
    """Nobody was told again of an alert that was acknowledged, while the days went on."""
    assert len(mails_about(alert, email)) == 1
    # Of the visit that nobody reported on she may hear.
    others = [mail for mail in email.sent if "/booking-suggestions/" not in mail.link]
    assert sum(mail.to == "bo@clinic.example" for mail in others) == 1
    (still,) = cast.bo.get("/alerts").json["items"]
    assert (still["id"], still["state"]) == (alert["id"], "acknowledged")
    assert still["day"] > alert["day"]
