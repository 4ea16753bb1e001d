"""The road to a visit, in the few steps that many tests begin with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily, Arm
from server.models import Patient
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.visits import suggestion_draft as suggestion_drafts
from server.services.visits import suggestion_end as suggestion_ends
from server.services.work import Work, system
from tests.cast import Cast, Person, entry
from tests.past import once

COURSE = {
    "route": "intranasal",
    "condition": "depression",
    "phase": "maintenance",
    "started_on": "2026-01-05",
    "min_interval_days": 7,
    "max_interval_days": 28,
}
# Planted wherever the care team writes or the watch explains: it must never reach the scheduling system.
CANARY = "canary-of-ana"


@dataclass(frozen=True)
class Visits:
    """Ana on a course, and what the tests do around it."""

    app: Flask
    cast: Cast

    @property
    def ana(self) -> str:
        """The path of Ana's record."""
        return f"/patients/{self.cast.ana.patient_id}"

    @property
    def now(self) -> datetime:
        """The tests' time."""
        return Surroundings.of(self.app).clock()

    def course(self, **parts: Any) -> str:
        """Plan a course; return its id."""
        answer = self.cast.bo.post(f"{self.ana}/courses", {**COURSE, **parts})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def session(self, course: str, at: datetime, status: str = "delivered") -> dict[str, Any]:
        """Record a session; return it."""
        body = {"course_id": course, "status": status, "at": at.isoformat()}
        answer = self.cast.bo.post(f"{self.ana}/treatment-sessions", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def log(self, days: int, **parts: Any) -> None:
        """Let Ana's phone bring the last ``days`` days, as one batch."""
        logged = [entry(self.now - timedelta(days=back), **parts) for back in range(days)]
        items = [{"id": str(uuid7()), "action": "put", "entry": one} for one in logged]
        answer = self.cast.ana.post("/sync", {"items": items})
        assert [one["verdict"] for one in answer.json["results"]] == ["created"] * days, answer.text

    def on_treatment(self) -> str:
        """Put Ana on a course with a session two weeks ago and a logged week: no guard holds."""
        return str(self._once("on treatment", self._on_treatment))

    def _once(self, *step: Any) -> Any:
        *named, play = step
        around = Surroundings.of(self.app)
        return once(around.database, (*named, around.clock()), play)

    def _on_treatment(self) -> str:
        course = self.course()
        self.session(course, self.now - timedelta(days=14))
        self.log(5)
        return course

    def work(self, session: Any) -> Work:
        """Return the work of a job of Ana's clinic."""
        return Work(session, self.now, system(self.cast.ana.clinic_id))

    def relapse(self, family: AlertFamily = AlertFamily.MOOD_RELAPSE) -> UUID | None:
        """Raise a relapse alert for Ana as the watch does; return the id of the drafted suggestion."""
        found: UUID | None = self._once("relapse", family, lambda: self._relapse(family))
        return found

    def _relapse(self, family: AlertFamily) -> UUID | None:
        arm = Arm.MOOD if family is AlertFamily.MOOD_RELAPSE else Arm.PAIN
        with Surroundings.of(self.app).database.write() as session:
            work = self.work(session)
            patient = session.get_one(Patient, (work.clinic_id, self.cast.ana.patient_id))
            day = local_days.of(work, work.now, patient.zone)
            finding = Finding(family, AlertClass.P2, day, ("R2:composite",), CANARY, {"why": CANARY})
            alert = episodes.raise_alert(work, patient, finding)
            assert alert is not None
            suggestion = suggestion_drafts.suggest_after_alert(work, patient, alert, arm)
            return None if suggestion is None else suggestion.id

    def maintenance(self) -> UUID | None:
        """Run the daily look for due visits over Ana; return the id of what it drafted."""
        with Surroundings.of(self.app).database.write() as session:
            work = self.work(session)
            patient = session.get_one(Patient, (work.clinic_id, self.cast.ana.patient_id))
            suggestion = suggestion_drafts.suggest_maintenance(work, patient)
            return None if suggestion is None else suggestion.id

    def expire(self) -> int:
        """Run the daily end of overdue suggestions."""
        with Surroundings.of(self.app).database.write() as session:
            return suggestion_ends.expire_overdue(self.work(session))

    def approved(self) -> str:
        """Draft and approve a suggestion; return its id. Its version is 2."""
        return str(self._once("approved", self._approved))

    def _approved(self) -> str:
        self.on_treatment()
        suggestion = self.relapse()
        answer = self.cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {}, version=1)
        assert answer.status_code == 200, answer.text
        return str(suggestion)

    def booked(self, starts_in_days: float = 3) -> str:
        """Draft, approve and book; return the id. Its version is 4."""
        return str(self._once("booked", starts_in_days, lambda: self._booked(starts_in_days)))

    def _booked(self, starts_in_days: float) -> str:
        suggestion = self.approved()
        answer = self.book(self.cast.scheduler, suggestion, version=2, days=starts_in_days)
        assert answer.status_code == 200, answer.text
        return suggestion

    def book(self, who: Person, suggestion: str, version: int, days: float = 3, **parts: Any) -> Any:
        """Report an appointment in ``days`` days."""
        starts_at = (self.now + timedelta(days=days)).isoformat()
        body = {"external_id": "apt-1", "starts_at": starts_at, **parts}
        return who.post(f"/inbox/booking-suggestions/{suggestion}/book", body, version=version)
