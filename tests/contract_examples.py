"""Writes server/api/examples.json, the answers shown in the contract: `python -m tests.contract_examples`.

They are what the server really says in one small story: Ana enrols, logs, fills a scale, syncs and reads
back; Bo and Dee look on. What differs from run to run (ids, tokens) is replaced, and long lists are cut.
"""

import base64
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from schemas.check_in_plan import RhythmBody, ScalesBody
from schemas.clinic import ClinicChanges
from schemas.course import CourseBody, CourseChanges
from schemas.entry import ENTRY, EntryBody
from schemas.invitation import EnrolmentBody, PatientInvitationBody, StaffInvitationBody
from schemas.password_change import PasswordChangeBody
from schemas.patient import PatientBody
from schemas.patient_policy import PatientPolicyBody
from schemas.policy import ActivationBody, PolicyBody
from schemas.policy_replay import ReplayBody
from schemas.questionnaire_response import ANSWERS, RESPONSE
from schemas.scale import ScaleTextBody
from schemas.sign_in import SignInBody, StepUpBody
from schemas.sync import SyncBody
from schemas.today import ZoneBody
from schemas.treatment_session import TreatmentSessionBody
from server.api.edge import EXTENSION, Surroundings
from server.app import create_app
from server.clinical.vocabulary import Role
from server.database import Database
from server.migrations import upgrade
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from server.throttle import Throttle
from tests import (
    contract_alerts,
    contract_calendars,
    contract_consents,
    contract_erasure,
    contract_fhir,
    contract_inbox,
    contract_rota,
    contract_scheduling,
    contract_staff,
    contract_visits,
)
from tests.cast import new_clinic, new_staff
from tests.source import ROOT
from tests.telephones import code_of

FILE = ROOT / "server" / "api" / "examples.json"
NOW = datetime(2026, 5, 2, 18, 16, tzinfo=UTC)
KEYS = {"jwt_key": "0" * 32, "master_key": base64.b64encode(b"0" * 32).decode()}
# Ids the phone makes: the same in the examples of the requests.
PHONES_ID = "01a1e8a0-5c00-7000-8000-00000000000{}"
SERVERS_ID = "019caae3-5000-7000-8000-{:012d}"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# An id of FHIR's holds those of a patient and of what they reported.
FHIR_ID = re.compile(r"\b[eq][0-9A-Za-z]{43}\b")
# Made by chance, or (the minutes of a reminder's shift) from the patient's id, which is.
REPLACED = {
    "access_token": "the access token",
    "refresh_token": "the refresh token",
    "device_token": "the device token",
    "push_key": "the public key, base64url of 65 bytes",
    "secret": "the secret of the webhook",
    "url": "https://afterglow.example/v1/calendar-feeds/the-token-of-the-feed/visits.ics",
    "href": "https://afterglow.example/v1/exports/the-export?the-proof-of-the-link",
    "next_reminder_at": "2026-05-03T18:05:00+00:00",
    "challenge": "the challenge, base64url of 32 bytes",
    "ticket": "the ticket, which the answer comes back with",
}
# By members that stand beside what is replaced.
BESIDE: Sequence[tuple[frozenset[str], Mapping[str, Any]]] = (
    (frozenset({"results"}), {"next_cursor": "the cursor of the next sync"}),
    (frozenset({"expires_at"}), {"code": "the code of the invitation"}),
    (
        frozenset({"secret", "address"}),
        {"secret": "THESECRET", "address": "otpauth://totp/Demo:bo%40clinic.example?secret=THESECRET"},
    ),
    (frozenset({"displayName"}), {"id": "the id of the account, base64url"}),
    (
        frozenset({"rpId"}),
        {"allowCredentials": [{"id": "the id of the passkey, base64url", "type": "public-key"}]},
    ),
)
CODES = ["z6rvj5-rw92b3-zz5z2d-zdbevv", "yb4dk5-ks6wd5-tst4q3-axys6f"]
# Lists of which the first few show enough.
SHORTENED = {"side_effects": 3, "history": 2, "thresholds": 2, "entry": 2, "resource": 3}


@dataclass
class Story:
    """Plays the story and keeps every first answer under its operation and status."""

    client: FlaskClient
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, token: str | None, operation: str, body: Any = None, **parts: Any) -> Any:
        """Send ``operation`` (`get /v1/me`); ``parts`` fill its path, `query` and `version` apart.

        ``signed``: raw bytes and headers, of a system that has no token.
        """
        method, path = operation.split(" ")
        query, version = parts.pop("query", ""), parts.pop("version", None)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"If-Match": f'"v{version}"'} if version else {}
        headers |= {"Accept": parts.pop("accept")} if "accept" in parts else {}
        data, more = parts.pop("signed", (None, {}))
        url = path.format(**parts) + query
        answer = self.client.open(
            url, method=method.upper(), json=body, data=data, headers={**headers, **more}
        )
        assert answer.status_code < 300, f"{operation}: {answer.text}"
        if answer.status_code != 204:
            kinds = self.said.setdefault(operation, {}).setdefault(str(answer.status_code), {})
            told = self.told(answer.json if answer.is_json else answer.text)
            kinds.setdefault(answer.mimetype, one_of_each(told) if "fhir+nd" in answer.mimetype else told)
        return answer.json if answer.is_json else None

    def told(self, value: Any, name: str = "") -> Any:
        """Return ``value`` as it is shown: ids and tokens replaced, long lists cut."""
        if isinstance(value, dict):
            chance: dict[str, Any] = {**REPLACED}
            for found in (found for names, found in BESIDE if names <= value.keys()):
                chance |= found
            if value.get("recovery_codes"):
                chance["recovery_codes"] = CODES
            if "valueCode" in value:  # an extension of FHIR's, whose address is a name
                return value
            return {key: chance.get(key) or self.told(member, key) for key, member in value.items()}
        if isinstance(value, list):
            return [self.told(member) for member in value[: SHORTENED.get(name)]]
        if not isinstance(value, str):
            return value
        return FHIR_ID.sub(self.known_to_fhir, UUID.sub(self.known, value))

    def known_to_fhir(self, found: re.Match[str]) -> str:
        """Return the id that stands for one of FHIR's."""
        number = sum(len(known) == len(found[0]) for known in self.ids) + 1
        return self.ids.setdefault(found[0], f"{found[0][0]}{number:043}")

    def known(self, found: re.Match[str]) -> str:
        """Return the id that stands for one that the server made."""
        if found[0].startswith(PHONES_ID[:30]):
            return found[0]
        return self.ids.setdefault(found[0], SERVERS_ID.format(len(self.ids) + 1))


@dataclass
class Clinic:
    """Who plays beside Ana."""

    clinician: str
    coordinator: str
    admin: str


def one_of_each(lines: str) -> str:
    """Return the first resource of each kind, of `Basic` of each thing it is."""
    found: dict[tuple[str, str], str] = {}
    for line in lines.splitlines(keepends=True):
        one = json.loads(line)
        what = one["code"]["text"] if one["resourceType"] == "Basic" else ""
        found.setdefault((one["resourceType"], what), line)
    return "".join(found.values())


def play(story: Story, clinic: Clinic) -> None:
    """Play the whole story."""
    ask = story.ask
    ask(None, "get /v1/status")
    patient = ask(clinic.coordinator, "post /v1/patients", PatientBody.EXAMPLE)["id"]
    ana = _enrols(story, clinic, patient)
    session = _is_treated(story, clinic, patient)
    _plans(story, clinic, patient, ana)
    _logs(story, ana)
    _fills(story, ana)
    ask(ana, "get /v1/me/export")
    ask(ana, "get /v1/me/export", query="?format=csv")
    ask(ana, "post /v1/sync", SyncBody.EXAMPLE)
    _looks_back(story, ana)
    _is_cared_for(story, clinic, patient, session)
    contract_calendars.play(ask, clinic, story.client.application, patient, ana)
    _is_called(story, clinic, ana)
    _reads_the_week(story, clinic, ana)
    _is_weighed_otherwise(story, clinic, patient)
    contract_visits.play(ask, clinic, NOW)
    contract_scheduling.play(ask, clinic, story.client.application)
    contract_rota.play(ask, clinic, ana, partial(code_of, Surroundings.of(story.client.application)))
    contract_fhir.play(ask, ana, patient)
    ask(clinic.admin, "get /v1/audit-events", query="?limit=1")
    ask(clinic.admin, "get /v1/audit-events/export")
    contract_consents.play(ask, story.client, clinic, ana, patient)
    contract_erasure.play(ask, clinic, ana, patient)
    ask(ana, "patch /v1/me/zone", ZoneBody.EXAMPLE)
    ask(ana, "get /v1/me/export", query="?format=fhir")
    ask(ana, "delete /v1/sign-ins/current")


def _enrols(story: Story, clinic: Clinic, patient: str) -> str:
    known = {"patient_id": patient}
    path = "/v1/patients/{patient_id}/invitations"
    story.ask(clinic.coordinator, f"post {path}", PatientInvitationBody.EXAMPLE, **known)
    (waiting,) = story.ask(clinic.coordinator, f"get {path}", **known)["items"]
    one = f"delete {path}/{{invitation_id}}"
    story.ask(clinic.coordinator, one, **known, invitation_id=waiting["id"])
    invited = story.ask(clinic.coordinator, f"post {path}", PatientInvitationBody.EXAMPLE, **known)
    story.ask(None, "post /v1/enrolments", {**EnrolmentBody.EXAMPLE, "code": invited["code"]})
    tokens = story.ask(None, "post /v1/sign-ins", SignInBody.EXAMPLE)
    tokens = story.ask(None, "post /v1/sign-ins/refresh", {"refresh_token": tokens["refresh_token"]})
    token = str(tokens["access_token"])
    story.ask(token, "get /v1/me")
    story.ask(token, "get /v1/me/sign-ins")
    story.ask(token, "post /v1/sign-ins/step-up", StepUpBody.EXAMPLE)
    story.ask(token, "put /v1/me/password", PasswordChangeBody.EXAMPLE)
    story.ask(token, "get /v1/patients/{patient_id}", **known)
    return token


def _is_treated(story: Story, clinic: Clinic, patient: str) -> str:
    bo, path = clinic.clinician, "/v1/patients/{patient_id}/"
    course = story.ask(bo, f"post {path}courses", CourseBody.EXAMPLE, patient_id=patient)
    named = {"patient_id": patient, "course_id": course["id"]}
    story.ask(bo, f"patch {path}courses/{{course_id}}", CourseChanges.EXAMPLE, **named, version=1)
    story.ask(bo, f"get {path}courses", patient_id=patient)
    body = {**TreatmentSessionBody.EXAMPLE, "course_id": course["id"]}
    session = story.ask(bo, f"post {path}treatment-sessions", body, patient_id=patient)
    story.ask(bo, f"get {path}treatment-sessions", patient_id=patient)
    return str(session["id"])


def _plans(story: Story, clinic: Clinic, patient: str, ana: str) -> None:
    path = "/v1/patients/{patient_id}/check-in-plan"
    story.ask(clinic.coordinator, f"put {path}", ScalesBody.EXAMPLE, patient_id=patient, version=1)
    story.ask(clinic.coordinator, f"get {path}", patient_id=patient)
    story.ask(ana, "put /v1/me/check-in-plan", RhythmBody.EXAMPLE, version=2)
    for path in ("/v1/me/check-in-plan", "/v1/me/today", "/v1/side-effects"):
        story.ask(ana, f"get {path}")
    story.ask(ana, "get /v1/scales/{key}", key="phq-2")
    listed = story.ask(ana, "get /v1/scales")["items"]
    shown = [story.told(scale) for scale in listed if scale["key"] == "phq-2"]
    story.said["get /v1/scales"]["200"]["application/json"] = {"items": shown}


def _logs(story: Story, ana: str) -> None:
    """Ana logs, sends it again, corrects it and takes another one back."""
    path, first, second = "/v1/entries/{entry_id}", PHONES_ID.format(1), PHONES_ID.format(5)
    story.ask(ana, f"put {path}", ENTRY, entry_id=first)
    corrected = {**ENTRY, "items": {**EntryBody.EXAMPLE["items"], "mood": 7}}
    story.ask(ana, f"put {path}", corrected, entry_id=first, version=1)
    for name in (path, "/v1/entries", f"{path}/revisions"):
        story.ask(ana, f"get {name}", entry_id=first)
    story.ask(ana, f"put {path}", ENTRY, entry_id=second)
    story.ask(ana, f"delete {path}", entry_id=second, version=1)


def _fills(story: Story, ana: str) -> None:
    path, first, second = (
        "/v1/questionnaire-responses/{response_id}",
        PHONES_ID.format(2),
        PHONES_ID.format(6),
    )
    story.ask(ana, f"put {path}", RESPONSE, response_id=first)
    answers = {**ANSWERS, "q4": 2}
    story.ask(ana, f"put {path}", {**RESPONSE, "answers": answers}, response_id=first, version=1)
    for name in (path, "/v1/questionnaire-responses", f"{path}/revisions"):
        story.ask(ana, f"get {name}", response_id=first)
    story.ask(ana, f"put {path}", RESPONSE, response_id=second)
    story.ask(ana, f"delete {path}", response_id=second, version=1)


def _looks_back(story: Story, ana: str) -> None:
    """Four weeks that were logged on paper come in; then there is something to look back on."""
    items = []
    for back in range(1, 29):
        felt, mood = NOW - timedelta(days=back), 2 if back > 15 else 8
        made = f"{PHONES_ID[:30]}{felt:%Y%m}"
        body = {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": {**_calm(mood)}}
        items.append({"id": f"{made[:-6]}{felt:%m%d%H}", "action": "put", "entry": body})
    story.ask(ana, "post /v1/sync", {"items": items})
    story.ask(ana, "get /v1/me/response")
    story.ask(ana, "get /v1/me/timeline", query="?limit=2")
    story.ask(ana, "get /v1/me/trend", query="?first=2026-05-01&last=2026-05-02")
    story.ask(ana, "get /v1/me/trend.svg", query="?first=2026-05-01&last=2026-05-02")


def _calm(mood: int) -> dict[str, int]:
    return {"mood": mood, "interest": mood, "anxiety": 10 - mood, "restlessness": 2, "sleep_quality": mood}


def _is_cared_for(story: Story, clinic: Clinic, patient: str, session: str) -> None:
    bo, named = clinic.clinician, {"patient_id": patient}
    path = "/v1/patients/{patient_id}/"
    for name, query in (
        ("entries", "?limit=1"),
        ("questionnaire-responses", ""),
        ("watch", ""),
        ("response-curve", ""),
    ):
        story.ask(bo, f"get {path}{name}", **named, query=query)
    story.ask(bo, f"get {path}trend", **named, query="?first=2026-05-01&last=2026-05-02")
    events = f"{path}treatment-sessions/{{session_id}}/adverse-events"
    story.ask(bo, f"get {events}", **named, session_id=session)
    story.ask(bo, f"get {events}", **named, session_id=session, accept="text/csv")
    story.ask(bo, "get /v1/patients", query="?limit=1")
    story.ask(bo, "get /v1/clinic")
    story.ask(clinic.admin, "patch /v1/clinic", ClinicChanges.EXAMPLE)
    story.ask(clinic.admin, "post /v1/clinic/invitations", StaffInvitationBody.EXAMPLE)
    for shown in ("/v1/clinic/invitations", "/v1/clinic/accounts", "/v1/clinic/colleagues"):
        story.ask(clinic.admin, f"get {shown}")
    story.ask(clinic.admin, "put /v1/clinic/scales/{key}", ScaleTextBody.EXAMPLE, key="who-5")


def _is_called(story: Story, clinic: Clinic, ana: str) -> None:
    """An answer of Ana's cannot wait: an alert opens, and Bo calls her."""
    said = {**ENTRY, "safety": "often"}
    story.ask(ana, "put /v1/entries/{entry_id}", said, entry_id=PHONES_ID.format(7))
    contract_alerts.play(story.ask, clinic)


def _reads_the_week(story: Story, clinic: Clinic, ana: str) -> None:
    """Another alert is open. Bo reads the week, and how many alerts there were."""
    said = {**ENTRY, "safety": "passing"}
    story.ask(ana, "put /v1/entries/{entry_id}", said, entry_id=PHONES_ID.format(8))
    story.ask(clinic.clinician, "get /v1/digests/{week}", week="2026-W18")
    story.ask(clinic.clinician, "get /v1/alert-budget")


def _is_weighed_otherwise(story: Story, clinic: Clinic, patient: str) -> None:
    """Bo drafts another policy, has it tried, switches it on, and lets something be otherwise for Ana."""
    bo, path = clinic.clinician, "/v1/clinic/policies"
    version = story.ask(bo, f"post {path}", PolicyBody.EXAMPLE)["version"]
    replays = "/v1/clinic/policy-replays"
    replay = story.ask(bo, f"post {replays}", ReplayBody.EXAMPLE)["id"]
    for shown in (f"{replays}/{{replay_id}}", f"{replays}/{{replay_id}}/patients", replays):
        story.ask(bo, f"get {shown}", replay_id=replay)
    one = f"{path}/{{policy_version}}"
    story.ask(bo, f"post {one}/activate", ActivationBody.EXAMPLE, policy_version=version)
    story.ask(bo, f"delete {replays}/{{replay_id}}", replay_id=replay)
    for shown in (one, path, "/v1/clinic/policy"):
        story.ask(bo, f"get {shown}", policy_version=version)
    own = "/v1/patients/{patient_id}/policy"
    story.ask(bo, f"put {own}", PatientPolicyBody.EXAMPLE, patient_id=patient)
    for method in ("get", "delete"):
        story.ask(bo, f"{method} {own}", patient_id=patient)


@contextmanager
def served() -> Iterator[Flask]:
    """A server of its own, at the story's time."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), password_cost="cheap", **KEYS)
        app = create_app(settings)
        database = Database(settings.sqlalchemy_url, master_keys(settings))
        upgrade(database)
        app.extensions[EXTENSION] = Surroundings(
            settings, database, lambda: NOW, Passwords("cheap"), throttle=Throttle(0)
        )
        yield app
        database.close()


def told() -> Mapping[str, Any]:
    """Play the story and return operation -> status -> content type -> answer."""
    with served() as app:
        clinic_id = uuid7()
        new_clinic(app, clinic_id, "demo")
        people = {
            role: new_staff(app, clinic_id, role, name).token
            for role, name in ((Role.CLINICIAN, "Bo"), (Role.COORDINATOR, "Dee"), (Role.CLINIC_ADMIN, "Eli"))
        }
        story, clinic = Story(app.test_client()), Clinic(*people.values())
        play(story, clinic)
        # After it: whoever plays it with other words goes on from there in their own way.
        known = story.ask(clinic.coordinator, "get /v1/patients")["items"]
        ids = {one["name"]: one["id"] for one in known}
        contract_inbox.play(story.ask, clinic, app, ids["Gail"])
        contract_staff.play(story.ask, story.client, clinic, ids["Ana"])
    return story.said


def written() -> str:
    """Return the text of the file."""
    return json.dumps(told(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
