"""Whatever comes late, is corrected or taken back: what is stored of a day is what all its data say.

Some weeks of Ana's are played by chance: her phone, the clinic's sessions, her journeys, and nights that are
missed or made up twice. Days are judged in bounded windows as things come in; here each is judged once more,
from everything there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import hypothesis
import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs import day_close
from jobs.around import Around
from server.clinical import relapse
from server.clinical.baseline import Treatment
from server.clinical.columns import answered
from server.clinical.policy import policy_from
from server.clinical.readings import History, fold
from server.clinical.vocabulary import SessionStatus
from server.database import Database
from server.models import Activation, Assessment, Entry, Patient, TreatmentSession
from server.services import local_day as local_days
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import NOON, Clock
from tests.visits import Visits

ZONES = ("Europe/Oslo", "America/New_York", "Pacific/Auckland", "Pacific/Honolulu", "Pacific/Kiritimati")
STEPS = 45
# Of which something is told. One in the everyday suite.
SEEDS = (0,) if hypothesis.settings().max_examples < 100 else (0, 5, 7, 10)
ORDER = (Assessment.data_version, Assessment.policy_version)


@dataclass
class Weeks:
    """Some weeks of Ana's. ``level``: how ill she is now, which lasts a while."""

    cast: Cast
    clock: Clock
    visits: Visits
    around: Around
    random: Random
    course: str
    level: int = 8
    entries: dict[str, int] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Let something happen."""
        what = self.random.choices(*zip(*CHANCES, strict=True))[0]
        what(self)

    def log(self) -> None:
        back = self.random.choice((0, 0, 0, 0, 1, 3, 12))
        row_id = str(uuid7())
        assert self.cast.ana.put(f"/entries/{row_id}", self._felt(back)).status_code == 201
        self.entries[row_id] = 1

    def correct(self) -> None:
        if self.entries:
            row_id = self.random.choice([*self.entries])
            new, path = self._felt(self.random.choice((0, 2, 9))), f"/entries/{row_id}"
            assert self.cast.ana.put(path, new, version=self.entries[row_id]).status_code == 200
            self.entries[row_id] += 1

    def take_back(self) -> None:
        if self.entries:
            row_id = self.random.choice([*self.entries])
            version = self.entries.pop(row_id)
            assert self.cast.ana.delete(f"/entries/{row_id}", version=version).status_code == 204

    def treat(self) -> None:
        self.level = self.random.choice((1, 2, 2))
        at = self.clock.now - timedelta(days=self.random.choice((0, 2, 6)))
        self.sessions.append(self.visits.session(self.course, at)["id"])

    def cancel(self) -> None:
        if self.sessions:
            session = self.sessions.pop(self.random.randrange(len(self.sessions)))
            path = f"{self.visits.ana}/treatment-sessions/{session}"
            assert self.cast.bo.patch(path, {"status": "cancelled"}, version=1).status_code == 200

    def travel(self) -> None:
        zone = {"zone": self.random.choice(ZONES)}
        assert self.cast.ana.patch("/me/zone", zone).status_code == 200

    def night(self) -> None:
        for _ in range(self.random.choice((1, 1, 2))):
            day_close.run(self.around, self.clock.now)

    def days(self) -> None:
        self.level = self.random.choice((*[self.level] * 8, 6, 9))
        for _ in range(self.random.choice((1, 3, 6))):
            self.log()
            self.clock.forward(days=1, minutes=self.random.randrange(90))

    def _felt(self, back: int) -> dict[str, Any]:
        low, high = (round(self.random.gauss(level, 0.7)) for level in (self.level, 10 - self.level))
        bad, good = max(0, min(low, 10)), max(0, min(high, 10))
        items = {"mood": good, "interest": good, "anxiety": bad, "restlessness": bad, "pain_average": bad}
        at = self.clock.now - timedelta(days=back, minutes=self.random.randrange(300))
        return entry(at, items=items, zone=self.random.choice(ZONES[:2]))


CHANCES = (
    *((Weeks.days, 8), (Weeks.log, 4), (Weeks.correct, 4), (Weeks.take_back, 2), (Weeks.night, 5)),
    *((Weeks.treat, 1), (Weeks.cancel, 0.5), (Weeks.travel, 2)),
)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_stored_of_each_day_is_what_all_its_data_say(
    cast: Cast, clock: Clock, visits: Visits, database: Database, settings: Settings, seed: int
) -> None:
    around = Around(database, settings, {})
    weeks, told = Weeks(cast, clock, visits, around, Random(seed), visits.course()), 0
    weeks.days(), weeks.days(), weeks.treat()
    for number in range(STEPS):
        weeks.play()
        if number % 5 == 0:
            told += judged_anew(cast, clock, database)
    assert told, "there is something to tell"
    no_day_is_left_out(cast, clock, around)


def judged_anew(cast: Cast, clock: Clock, database: Database) -> int:
    """Judge every day once more, from everything there is; return how many are a signal."""
    with database.read() as session:
        work = Work(session, clock.now, system(cast.ana.clinic_id))
        stored = {(row.arm, row.day): row for row in of_ana(work, cast, Assessment, *ORDER)}
        history, sessions = _diary(work, cast)
        for (arm, day), row in stored.items():
            done = answered([one for one in sessions if one <= day], min(history.days()[0], day))
            policy = policy_from(row.policy_version, {})
            anew = relapse.watch(history, arm, [*map(Treatment, done)], policy, day)
            assert (row.state, row.signal, row.text) == (anew.state, anew.signal, anew.text), (arm, day)
    return sum(row.signal for row in stored.values())


def no_day_is_left_out(cast: Cast, clock: Clock, around: Around) -> None:
    day_close.run(around, clock.now)
    with around.database.read() as session:
        work = Work(session, clock.now, system(cast.ana.clinic_id))
        judged = {row.day for row in of_ana(work, cast, Activation)}
        patient = session.get_one(Patient, (cast.ana.clinic_id, cast.ana.patient_id))
        lived = (local_days.ended(work, patient) - NOON.date()).days
    assert {NOON.date() + timedelta(days=number) for number in range(lived)} <= judged


def of_ana(work: Work, cast: Cast, table: Any, *order: Any) -> Sequence[Any]:
    """Return Ana's rows of ``table``."""
    mine = (table.clinic_id == work.clinic_id, table.patient_id == cast.ana.patient_id)
    return work.session.scalars(select(table).where(*mine).order_by(*order)).all()


def _diary(work: Work, cast: Cast) -> tuple[History, Sequence[date]]:
    """Return all that Ana's diary says, and the days of her sessions."""
    entries: Mapping[UUID, Entry] = {row.id: row for row in of_ana(work, cast, Entry)}
    said = [(row.local_day, row.items) for row in entries.values() if row.deleted_at is None]
    rows = of_ana(work, cast, TreatmentSession, TreatmentSession.at)
    return fold(said), [row.local_day for row in rows if row.status is SessionStatus.DELIVERED]
