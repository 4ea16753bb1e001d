"""The report of a clinic: judged as the watch judges, and nobody's name in it."""

from datetime import timedelta

from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs.watch_report import Reported, of_clinic
from server.database import Database
from server.models import AuditEvent
from tests.cast import Cast, entry, push, pushed
from tests.conftest import Clock
from tests.contract_visits import BETTER, WORSE
from tests.visits import Visits


def report(database: Database, cast: Cast, clock: Clock) -> Reported:
    """Return what is said of Ana."""
    found = {one.diary.name: one for one in of_clinic(database, "demo", clock.now)}
    return found[str(cast.ana.patient_id)]


def test_a_patient_is_named_by_id_and_reading_them_is_on_record(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    visits.log(3)
    said = report(database, cast, clock)
    assert (said.diary.first, said.diary.last) == (clock.now.date() - timedelta(days=2), clock.now.date())
    with database.read() as session:
        read = select(AuditEvent.patient_id).where(AuditEvent.action == "watch.report")
        assert cast.ana.patient_id in session.scalars(read).all()


def test_a_day_of_a_clock_that_was_off_is_no_day_of_the_diary(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    visits.log(3)
    ahead = clock.now + timedelta(days=800)
    item = {"id": str(uuid7()), "action": "put", "entry": entry(ahead, recorded_at=ahead.isoformat())}
    answer = cast.ana.post("/sync", {"sent_at": ahead.isoformat(), "items": [item]})
    assert answer.json["results"][0]["verdict"] == "created"
    assert report(database, cast, clock).diary.last == clock.now.date()


def test_what_is_otherwise_for_a_patient_is_otherwise_in_the_report(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=30))
    days = ((back, WORSE if back < 8 else BETTER) for back in range(29))
    push(cast.ana, [pushed("entry", entry(clock.now - timedelta(days=n), items=said)) for n, said in days])
    (before,) = report(database, cast, clock).replays
    assert before.alarms
    own = {"values": {"baseline.min_days": 21, "baseline.window_days": 28}, "reason": "Logs for long."}
    assert cast.bo.put(f"{visits.ana}/policy", own).status_code == 200
    (after,) = report(database, cast, clock).replays
    assert after.alarms == ()
