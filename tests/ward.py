"""Ana's clinic on duty, for tests that tell a story: Ana reports, people act, time passes, who hears?"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from uuid_utils.compat import uuid7

from jobs import coverage, day_close, deliver, escalate, remind
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import Message, RecordingGateway
from server.settings import Settings
from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock
from tests.visits import COURSE

ANA, BO, DEE, ELI = "ana@home.example", "bo@clinic.example", "dee@clinic.example", "eli@clinic.example"
GOOD = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
BAD = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}
# Every job by which somebody may hear of something, in the order of the timetable.
JOBS = (day_close, escalate, remind, coverage, deliver)


@dataclass
class Ward:
    """The cast at work. Nobody hears of anything but through the jobs.

    Without ``nights`` the days are not judged when they end: no silence is noticed while a test is about
    something else.
    """

    cast: Cast
    clock: Clock
    around: Around
    email: RecordingGateway
    nights: bool = True
    heard: int = field(default=0)

    def reports(self, who: Person | None = None, **parts: Any) -> dict[str, Any]:
        """Let somebody (Ana) put an entry of now; return the answer."""
        answer = (who or self.cast.ana).put(f"/entries/{uuid7()}", entry(self.clock.now, **parts))
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def logs(self, days: int, items: dict[str, int]) -> None:
        """Let Ana's phone bring the last ``days`` days in one batch."""
        moments = [self.clock.now - timedelta(days=back) for back in range(days)]
        push(self.cast.ana, [pushed("entry", entry(at, items=items)) for at in moments])

    def treats(self, days_ago: int) -> None:
        """Record a session of Ana's."""
        path, at = f"/patients/{self.cast.ana.patient_id}", self.clock.now - timedelta(days=days_ago)
        course = self.cast.bo.post(f"{path}/courses", {**COURSE, "started_on": at.date().isoformat()})
        body = {"course_id": course.json["id"], "status": "delivered", "at": at.isoformat()}
        assert self.cast.bo.post(f"{path}/treatment-sessions", body).status_code == 201

    def relapses(self) -> None:
        """Three weeks of good days after a session, then a week of bad ones; the watch raises an alert."""
        self.treats(29)
        self.clock.now -= timedelta(days=7)
        self.logs(20, GOOD)
        self.clock.forward(days=7)
        self.logs(7, BAD)

    def alerts(self, query: str = "") -> list[dict[str, Any]]:
        """Return the open alerts as Bo reads them, each with its log and evidence."""
        rows = self.cast.bo.get(f"/alerts?{query}").json["items"]
        return [self.cast.bo.get(f"/alerts/{row['id']}").json for row in rows]

    def alert(self, query: str = "") -> dict[str, Any]:
        """Return the only one."""
        (found,) = self.alerts(query)
        return found

    def does(self, who: Person, verb: str, alert: dict[str, Any], **body: Any) -> Any:
        """Let somebody do ``verb`` with an alert as it is now; return the answer."""
        version = self.cast.bo.get(f"/alerts/{alert['id']}").json["version"]
        return who.post(f"/alerts/{alert['id']}/{verb}", body, version)

    def hears(self, **later: float) -> list[str]:
        """Let time pass and the jobs run once; return who got a message, one line a message."""
        return [message.to for message in self.messages(**later)]

    def messages(self, **later: float) -> list[Message]:
        """Let time pass and the jobs run once; return what was sent."""
        self.clock.forward(**later)
        for job in JOBS if self.nights else JOBS[1:]:
            job.run(self.around, self.clock.now)
        new, self.heard = self.email.sent[self.heard :], len(self.email.sent)
        return new


def on_duty(cast: Cast, clock: Clock, database: Database, settings: Settings) -> Ward:
    """Return the ward, with a recording mail server."""
    email = RecordingGateway()
    return Ward(cast, clock, Around(database, settings, {Channel.EMAIL: email}), email)
