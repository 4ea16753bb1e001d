"""A few weeks of a clinic in which everybody types marks: what was sent, logged, answered and stored.

The contract's own story is played with a mark in every text (a new route has to enter that story anyway);
then alerts climb, shifts change hands, visits are approved and refused, and every job runs.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from jobs import runner
from jobs.around import Around
from jobs.timetable import TIMETABLE
from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel, Role
from server.gateways.message import Message, Receipt, RecordingGateway, SendError
from tests import canary_sign_in, contract_consents, contract_examples
from tests.canary import Marks
from tests.cast import entry, new_clinic, new_staff
from tests.conftest import Clock, Rows, rows_of
from tests.contract_examples import Clinic, Story
from tests.gateways.browsers import Browser, b64

OTHERS_WORDS = "canary9998 said the far end of ana@home.example"
BO = "bo@clinic.example"
# From the evening of the story on, a Saturday: unanswered alerts climb, reminders are due, on Monday
# morning the week is told, people fall silent.
LATER = ({}, {"minutes": 16}, {"hours": 2}, {"days": 1}, {"hours": 11}, {"days": 3, "hours": 13})
COURSE = {
    "phase": "maintenance",
    "condition": "depression",
    "route": "intravenous",
    "started_on": "2026-03-01",
}


class Watched(FlaskClient):
    """A client that keeps every answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answers: list[TestResponse] = []

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send and keep."""
        answer = super().open(*args, **kwargs)
        self.answers.append(answer)
        return answer


class Broken(RecordingGateway):
    """A far end that fails in a way nobody foresaw, and says too much."""

    def send(self, message: Message) -> Receipt:
        """Fail."""
        raise RuntimeError(f"{OTHERS_WORDS} {message}")


@dataclass
class Typing(Story):
    """The contract's story, with a mark in place of every text."""

    marks: Marks = field(default_factory=Marks)

    def ask(self, token: str | None, operation: str, body: Any = None, **parts: Any) -> Any:
        """Send ``operation``; what is refused, also one item of a sync, is a defect of the story."""
        found = super().ask(token, operation, self.marks.planted(operation, body), **parts)
        if operation == "post /v1/sync":
            assert {one["verdict"] for one in found["results"]} == {"created"}
        return found


@dataclass
class Team(Clinic):
    """The clinic's people, with its scheduling system."""

    scheduling: str
    account_ids: dict[Role, Any]

    @property
    def tokens(self) -> dict[str, str]:
        """Their tokens, by role."""
        return {
            Role.CLINICIAN: self.clinician,
            Role.COORDINATOR: self.coordinator,
            Role.CLINIC_ADMIN: self.admin,
            Role.INTEGRATION: self.scheduling,
        }


@dataclass
class Told:
    """Everything that left the story, for the search."""

    marks: Marks
    answers: list[TestResponse]
    messages: list[Message]
    logs: list[str]
    rows: Rows
    tokens: dict[str, str]
    ids: dict[str, str]
    now: datetime


@dataclass
class Played:
    """The story under way."""

    app: Flask
    clock: Clock
    story: Typing
    team: Team
    around: Around

    def patient(self, name: str) -> tuple[str, str]:
        """Enrol somebody; return their id and token."""
        ask, dee = self.story.ask, self.team.coordinator
        patient = ask(dee, "post /v1/patients", {"name": name, "zone": "Europe/Oslo"})["id"]
        known = {"patient_id": patient}
        bo = str(self.team.account_ids[Role.CLINICIAN])
        ask(dee, "patch /v1/patients/{patient_id}", {"clinician_id": bo}, version=1, **known)
        email, word = {"email": f"{name}@home.example"}, f"the word of {name}"
        invited = ask(dee, "post /v1/patients/{patient_id}/invitations", {**email, "word": word}, **known)
        said = {**email, "password": "a password of her own"}
        ask(None, "post /v1/enrolments", {**said, "code": invited["code"], "proof": word})
        return patient, str(ask(None, "post /v1/sign-ins", {**said, "clinic": "demo"})["access_token"])

    def treated(self, patient: str, days_ago: int) -> None:
        """Record a session so long ago."""
        path, at = "post /v1/patients/{patient_id}/", self.clock.now - timedelta(days=days_ago)
        plan = {**COURSE, "min_interval_days": 7, "max_interval_days": 28}
        course = self.story.ask(self.team.clinician, f"{path}courses", plan, patient_id=patient)["id"]
        body = {"course_id": course, "status": "delivered", "at": at.isoformat()}
        self.story.ask(self.team.clinician, f"{path}treatment-sessions", body, patient_id=patient)

    def alerts(self, patient: str, family: str) -> list[dict[str, Any]]:
        """Return a patient's open alerts of a family, as they are listed."""
        found = self.story.ask(self.team.clinician, "get /v1/alerts", query=f"?patient_id={patient}")
        return [one for one in found["items"] if one["family"] == family]

    def alert(self, patient: str, family: str) -> dict[str, Any]:
        """Return a patient's alert of a family, as it is now."""
        (found,) = self.alerts(patient, family)
        one: dict[str, Any] = self.story.ask(
            self.team.clinician, "get /v1/alerts/{alert_id}", alert_id=found["id"]
        )
        return one

    def jobs(self, **later: float) -> None:
        """Let time pass, and every job run."""
        self.clock.forward(**later)
        for job in TIMETABLE:
            runner.run_once(job, self.around, self.clock.now)


@contextmanager
def every_log() -> Iterator[list[str]]:
    """Collect what every logger says, at its most talkative, exceptions included."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(f"{record.name} {self.format(record)}")

    known = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    before = {one: (one.level, one.disabled, one.propagate) for one in (logging.root, *known)}
    keep = Keep(level=1)
    for one in before:
        one.disabled, one.propagate = False, True
        one.setLevel(1)
    logging.root.addHandler(keep)
    try:
        yield said
    finally:
        logging.root.removeHandler(keep)
        for one, (level, one.disabled, one.propagate) in before.items():
            one.setLevel(level)


def founded(app: Flask) -> Team:
    """Found the clinic and sign its people in."""
    clinic_id = uuid7()
    new_clinic(app, clinic_id, "demo")
    names = {Role.CLINICIAN: "Bo", Role.COORDINATOR: "Dee", Role.CLINIC_ADMIN: "Eli", Role.INTEGRATION: "Sys"}
    people = {role: new_staff(app, clinic_id, role, name) for role, name in names.items()}
    tokens = [person.token for person in people.values()]
    return Team(*tokens, account_ids={role: person.account_id for role, person in people.items()})


def play(app: Flask, clock: Clock) -> Told:
    """Play all of it and return what was told."""
    clock.now = contract_examples.NOW
    surroundings = Surroundings.of(app)
    gateways = {channel: RecordingGateway(channel) for channel in Channel}
    gateways[Channel.PUSH] = Broken(Channel.PUSH)
    team, client = founded(app), Watched(app, app.response_class)
    around = Around(surroundings.database, surroundings.settings, gateways)
    played = Played(app, clock, Typing(client), team, around)
    with every_log() as logs:
        contract_examples.play(played.story, team)
        _are_reached(played)
        ids = _worsens(played)
        gateways[Channel.EMAIL].refusals[BO] = SendError(False, "refused_450")
        played.jobs()
        gateways[Channel.EMAIL].refusals.clear()
        _decide(played)
        canary_sign_in.play(played)
        for later in LATER:
            played.jobs(**later)
        _job_fails(played)
    sent = [message for gateway in gateways.values() for message in gateway.sent]
    rows = rows_of(surroundings.database)
    tokens = team.tokens | {role: ids.pop(role) for role in (Role.PATIENT, Role.CAREGIVER)}
    return Told(played.story.marks, client.answers, sent, logs, rows, tokens, ids, clock.now)


def _are_reached(played: Played) -> None:
    """Bo has a telephone, a browser and a tool beside her e-mail; a system listens; monitoring is armed."""
    ask, team, points = played.story.ask, played.team, "post /v1/me/contact-points"
    keys = {"p256dh": b64(Browser().point), "auth": ""}
    subscription = {"endpoint": "https://push.example.net/send/abc", "keys": keys}
    ask(team.clinician, points, {"channel": "sms", "number": "+4740000000"})
    ask(team.clinician, points, {"channel": "push", "subscription": subscription})
    hook = {"account_id": str(team.account_ids[Role.CLINICIAN]), "url": "https://hooks.example.org/a"}
    ask(team.admin, "post /v1/clinic/webhooks", hook)
    system = {"account_id": str(team.account_ids[Role.INTEGRATION]), "url": "https://hooks.example.org/v"}
    ask(team.admin, "post /v1/clinic/webhooks", system)
    ask(team.admin, "post /v1/rota/arm")


def _worsens(played: Played) -> dict[str, str]:
    """One patient relapses and answers "plan"; the visits of two others are overdue."""
    ask, now = played.story.ask, played.clock.now
    patient, token = played.patient("first")
    played.treated(patient, 30)
    bodies = [_day(now - timedelta(days=back), back < 4) for back in range(29, 0, -1)]
    ask(token, "post /v1/sync", {"items": [_item(body) for body in bodies]})
    yes = {"given": True, "version": 1}
    ask(token, "post /v1/me/consents/{purpose}", yes, purpose="caregiver")
    caregiver, _ = contract_consents.come_in(ask, played.story.client, token, "hal@home.example")
    entry_id, response_id = str(uuid7()), str(uuid7())
    said = entry(now, safety="plan", side_effects={"chest_pain": 3}, tags=["x"])
    ask(token, "put /v1/entries/{entry_id}", said, entry_id=entry_id)
    for name in ("second", "third"):
        other, theirs = played.patient(name)
        played.treated(other, 40)
        ask(theirs, "put /v1/entries/{entry_id}", _day(now, False), entry_id=str(uuid7()))
    contract_consents.look_after_too(ask, played.story.client, theirs, caregiver, "hal@home.example")
    known = {"patient_id": patient, "entry_id": entry_id, "response_id": response_id}
    return known | {Role.PATIENT: token, Role.CAREGIVER: caregiver}


def _day(at: Any, is_bad: bool) -> dict[str, Any]:
    good, bad = (1, 9) if is_bad else (7, 2)
    items = {"mood": good, "interest": good, "anxiety": bad, "restlessness": bad, "sleep_quality": good}
    return entry(at, items=items, tags=["x"])


def _item(body: Any) -> dict[str, Any]:
    return {"id": str(uuid7()), "kind": "entry", "action": "put", "entry": body}


def _decide(played: Played) -> None:
    """Everything people can do with alerts and visits is done, in words."""
    ask, team, now = played.story.ask, played.team, played.clock.now
    patients = {row["patient_id"] for row in ask(team.clinician, "get /v1/alerts")["items"]}
    (patient,) = [one for one in patients if _has(played, one, "mood_relapse")]

    def do(family: str, verb: str, body: Any, by: str = team.clinician) -> None:
        alert = played.alert(patient, family)
        known = {"alert_id": alert["id"], "version": alert["version"]}
        ask(by, f"post /v1/alerts/{{alert_id}}/{verb}", body, **known)

    dee, bo = (str(team.account_ids[role]) for role in (Role.COORDINATOR, Role.CLINICIAN))
    do("mood_relapse", "verdict", {"verdict": "confirmed"})
    until = (now + timedelta(minutes=30)).isoformat()
    do("safety", "snooze", {"until": until})
    do("safety", "assign", {"account_id": dee})
    played.jobs(seconds=20)  # handed on, it would not be told any more
    ask(team.coordinator, "post /v1/alerts/hand-over", {"account_id": bo})
    closed = played.alert(patient, "mood_relapse")
    do("mood_relapse", "resolve", {"outcome": "contacted"})
    known = {"alert_id": closed["id"], "version": closed["version"] + 1}
    ask(team.clinician, "post /v1/alerts/{alert_id}/reopen", {}, **known)
    _visits(played)


def _has(played: Played, patient: str, family: str) -> bool:
    return bool(played.alerts(patient, family))


def _visits(played: Played) -> None:
    """Of three suggested visits one is booked, one declined by the scheduling system, one dismissed.

    The first patient's safety alert is open, so theirs can't be approved.
    """
    ask, bo, system = played.story.ask, played.team.clinician, played.team.scheduling
    dismissed, booked, declined = ask(bo, "get /v1/booking-suggestions", query="?state=draft")["items"][:3]
    own, theirs = (
        "post /v1/booking-suggestions/{suggestion_id}/",
        "post /v1/inbox/booking-suggestions/{suggestion_id}/",
    )
    for one in (booked, declined):
        named = {"suggestion_id": one["id"]}
        changed = ask(bo, f"{own}change", {"minutes": 60}, **named, version=one["version"])
        ask(bo, f"{own}approve", {}, **named, version=changed["version"])
    ask(bo, f"{own}dismiss", {}, suggestion_id=dismissed["id"], version=dismissed["version"])
    inbox = {one["id"]: one for one in ask(system, "get /v1/inbox/booking-suggestions")["items"]}
    first, second = inbox[booked["id"]], inbox[declined["id"]]
    starts = {"starts_at": (played.clock.now + timedelta(days=3)).isoformat()}
    ask(system, f"{theirs}book", starts, suggestion_id=first["id"], version=first["version"])
    code = {"code": "no_capacity"}
    ask(system, f"{theirs}decline", code, suggestion_id=second["id"], version=second["version"])


def _job_fails(played: Played) -> None:
    """A job fails over what a patient wrote."""
    played.clock.forward(days=2)

    def fails(_around: Around, _now: Any) -> int:
        raise ValueError(OTHERS_WORDS)

    (tidy,) = [job for job in TIMETABLE if job.name == "tidy"]
    assert runner.run_once(tidy, played.around, played.clock.now, {"tidy": fails}) is None
