"""What patients of other apps complain about when it comes to reminders: each must not happen here.

The numbers are those of the list the project was started with; docs/mobile.md tells the rules.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs import deliver, remind
from jobs.around import Around
from server.clinical.reminders import jitter_of
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway, SendError
from server.models import CheckInPlan, Entry, Reminder
from server.settings import Settings
from tests.api.test_today import set_rhythm
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.scales import filled

NINE = {"remind_at": "21:00", "quiet_from": "23:00"}


@pytest.fixture
def email() -> RecordingGateway:
    """Where outgoing e-mail lands."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """The surroundings of the jobs."""
    return Around(database, settings, {Channel.EMAIL: email})


def reminders(around: Around, cast: Cast) -> Sequence[Reminder]:
    """Return Ana's reminders, oldest first."""
    with around.database.read() as session:
        query = select(Reminder).where(Reminder.patient_id == cast.ana.patient_id)
        return list(session.scalars(query.order_by(Reminder.created_at)))


def run_until(around: Around, clock: Clock, end: datetime, every: timedelta = timedelta(minutes=15)) -> None:
    """Let time pass up to ``end``, with the jobs looking again and again."""
    while clock.now < end:
        clock.now = min(clock.now + every, end)
        if remind.run(around, clock.now):  # nothing else puts a message into the outbox here
            deliver.run(around, clock.now)


def log(cast: Cast, moment: datetime, zone: str = "Europe/Oslo") -> Any:
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(moment, zone=zone))
    assert answer.status_code == 201, answer.text
    return answer.json["entry"]


def shown_in(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def minutes_from(moment: datetime, wanted: time, cast: Cast) -> float:
    """Return how far ``moment`` (in its own zone) is from ``wanted`` and Ana's own few minutes."""
    assert cast.ana.patient_id is not None
    planned = datetime.combine(moment.date(), wanted) + jitter_of(cast.ana.patient_id)
    return (moment.replace(tzinfo=None) - planned) / timedelta(minutes=1)


def test_complaint_01_a_nine_pm_reminder_stays_at_nine_after_the_clock_change(
    cast: Cast, clock: Clock, around: Around
) -> None:
    clock.now = datetime(2026, 3, 27, 12, tzinfo=UTC)  # the clock goes forward on 29 March
    set_rhythm(cast.ana, **NINE)
    run_until(around, clock, datetime(2026, 3, 31, 12, tzinfo=UTC))
    came = [shown_in(r.created_at, "Europe/Oslo") for r in reminders(around, cast)]
    assert [at.day for at in came] == [27, 28, 29, 30]
    assert all(0 <= minutes_from(at, time(21), cast) < 15 for at in came)
    assert cast.ana.get("/me/check-in-plan").json["remind_at"] == "21:00"


def test_complaint_02_no_time_of_a_plan_is_stored_as_utc_so_nothing_ever_has_to_be_saved_anew(
    cast: Cast, clock: Clock, around: Around
) -> None:
    set_rhythm(cast.ana, **NINE)
    cast.ana.patch("/me/zone", {"zone": "Australia/Lord_Howe"})
    with around.database.read() as session:
        plan = session.get_one(CheckInPlan, (cast.ana.clinic_id, cast.ana.patient_id))
    assert (plan.remind_at, plan.quiet_from) == (time(21), time(23))


def test_complaint_03_after_travel_the_reminder_follows_the_new_zone_and_never_comes_twice(
    cast: Cast, clock: Clock, around: Around
) -> None:
    set_rhythm(cast.ana, **NINE)
    run_until(around, clock, datetime(2026, 3, 2, 21, 0, tzinfo=UTC))  # 22:00 in Oslo: reminded
    for _ in range(3):
        cast.ana.patch("/me/zone", {"zone": "America/New_York"})  # it is 16:00 there, the same day
    run_until(around, clock, datetime(2026, 3, 4, 12, tzinfo=UTC))
    came = reminders(around, cast)
    assert [r.local_day for r in came] == [date(2026, 3, 2), date(2026, 3, 3)]
    assert 0 <= minutes_from(shown_in(came[1].created_at, "America/New_York"), time(21), cast) < 15


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns"])
def test_complaint_04_everybody_is_reminded_on_their_own_clock_not_on_that_of_clinic_or_server(
    cast: Cast, clock: Clock, around: Around, zone: str
) -> None:
    cast.ana.patch("/me/zone", {"zone": zone})
    set_rhythm(cast.ana, **NINE)
    run_until(around, clock, clock.now + timedelta(days=1))
    (came,) = reminders(around, cast)
    assert 0 <= minutes_from(shown_in(came.created_at, zone), time(21), cast) < 15


def test_complaint_05_an_entry_after_midnight_counts_for_the_evening_it_ends_and_stays_there(
    cast: Cast, clock: Clock, around: Around
) -> None:
    clock.now = datetime(2026, 3, 3, 0, 37, tzinfo=UTC)  # 01:37 in Oslo
    made = log(cast, clock.now)
    assert made["local_day"] == "2026-03-02"
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [True]
    cast.ana.patch("/me/zone", {"zone": "Asia/Tokyo"})  # there the next day has begun
    with around.database.read() as session:
        assert [e.local_day for e in session.scalars(select(Entry))] == [date(2026, 3, 2)]
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [False]


def test_complaint_06_the_deadline_shown_is_the_deadline_that_holds(cast: Cast, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the night has 23 hours
    today = cast.ana.get("/me/today").json
    until = datetime.fromisoformat(today["occurrences"][0]["until"])
    assert until == datetime.fromisoformat(today["day_ends_at"])
    clock.now = until
    assert log(cast, until - timedelta(seconds=1))["local_day"] == today["local_day"]
    assert log(cast, until)["local_day"] != today["local_day"]


def test_complaint_06_the_reminder_comes_when_today_says_it_will(
    cast: Cast, clock: Clock, around: Around
) -> None:
    said = datetime.fromisoformat(cast.ana.get("/me/today").json["next_reminder_at"])
    run_until(around, clock, said - timedelta(minutes=1))
    assert not reminders(around, cast)
    run_until(around, clock, said + timedelta(minutes=1), timedelta(minutes=1))
    (came,) = reminders(around, cast)
    assert timedelta() <= came.created_at - said < timedelta(minutes=1)


def test_complaint_07_a_reminder_that_never_arrived_costs_nothing_because_today_says_what_is_due(
    cast: Cast, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)  # 23:00 in Oslo, and no job has ever run
    due = cast.ana.get("/me/today").json["occurrences"]
    assert [(o["key"], o["done"]) for o in due] == [("diary:2026-03-02", False)]
    assert log(cast, clock.now)["local_day"] == "2026-03-02"
    assert [o["done"] for o in cast.ana.get("/me/today").json["occurrences"]] == [True]


def test_complaint_08_after_a_month_of_pause_the_server_reminds_again_without_the_phone(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    set_rhythm(cast.ana, pause={"first": "2026-03-02", "last": "2026-04-01"})
    while clock.now < datetime(2026, 4, 3, 12, tzinfo=UTC):
        clock.now = clock.now.replace(hour=17)  # reminders of Oslo come after that, and are over by ten
        run_until(around, clock, clock.now + timedelta(hours=5), timedelta(hours=1))
        clock.forward(hours=14)
    assert [r.local_day for r in reminders(around, cast)] == [date(2026, 4, 2)]
    assert [m.to for m in email.sent].count("ana@home.example") == 1


def test_complaint_08_whom_the_reminders_do_not_reach_is_on_the_care_teams_list_until_one_arrives(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    def unreachable() -> datetime | None:
        listed = cast.bo.get("/patients").json["items"]
        (since,) = [one["unreachable_since"] for one in listed if one["id"] == str(cast.ana.patient_id)]
        return since and datetime.fromisoformat(since)

    email.refusals["ana@home.example"] = SendError(True, "refused_550")
    assert unreachable() is None
    run_until(around, clock, datetime(2026, 3, 2, 20, 0, tzinfo=UTC))
    (reminder,) = reminders(around, cast)
    since = unreachable()
    assert since is not None
    assert timedelta() <= since - reminder.created_at < timedelta(minutes=15)
    email.refusals.clear()
    run_until(around, clock, datetime(2026, 3, 3, 20, 0, tzinfo=UTC))
    assert unreachable() is None


def test_complaint_09_a_plan_of_a_hundred_days_leaves_one_thing_to_plan_at_a_time(
    cast: Cast, clock: Clock, around: Around
) -> None:
    scale = {"instrument": "phq-2", "anchor": "calendar", "every_days": 1, "first_day": "2026-03-02"}
    plan = f"/patients/{cast.ana.patient_id}/check-in-plan"
    assert cast.bo.put(plan, {"scales": [scale]}, version=1).status_code == 200
    run_until(around, clock, clock.now + timedelta(days=3))
    found = reminders(around, cast)
    assert len(found) == 6  # those of three evenings, and nothing ahead of them
    assert all(r.created_at <= clock.now for r in found)


def test_complaint_10_the_reminder_never_comes_back_once_it_is_done(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    run_until(around, clock, datetime(2026, 3, 2, 19, 30, tzinfo=UTC))
    body, entry_id = entry(clock.now), uuid7()
    assert cast.ana.put(f"/entries/{entry_id}", body).json["outcome"] == "created"
    assert cast.ana.put(f"/entries/{entry_id}", body).json["outcome"] == "duplicate"
    run_until(around, clock, datetime(2026, 3, 3, 3, 0, tzinfo=UTC))
    assert len(reminders(around, cast)) == 1
    assert [m.to for m in email.sent].count("ana@home.example") == 1


def test_complaint_10_who_answers_twice_is_counted_once_and_loses_nothing(cast: Cast, clock: Clock) -> None:
    asked, ids = "phq-9:2026-03-02", [str(uuid7()), str(uuid7())]
    later, earlier = (f"/questionnaire-responses/{one}" for one in ids)

    def fill(path: str, hours_ago: int, version: int | None = None) -> int:
        body = filled(clock.now - timedelta(hours=hours_ago), occurrence=asked)
        return int(cast.ana.put(path, body, version=version).status_code)

    def counting() -> list[str]:
        found = cast.ana.get("/questionnaire-responses").json["items"]
        return [one["id"] for one in found if not one["superseded"]]

    assert [fill(later, 1), fill(earlier, 2)] == [201, 201]
    assert counting() == ids[:1]  # filled later, though it came in first
    cursor = cast.ana.post("/sync", {}).json["next_cursor"]
    assert fill(earlier, 0, version=1) == 200
    assert counting() == ids[1:]
    changed = cast.ana.post("/sync", {"cursor": cursor}).json["changes"]
    assert {one["id"]: one["superseded"] for one in changed} == {ids[0]: True, ids[1]: False}
    assert cast.ana.delete(earlier, version=2).status_code == 204
    assert counting() == ids[:1]


def test_complaint_10_the_reminder_a_phone_plans_by_today_is_never_for_what_is_done(
    cast: Cast, clock: Clock
) -> None:
    planned = datetime.fromisoformat(cast.ana.get("/me/today").json["next_reminder_at"])
    log(cast, clock.now)
    after = datetime.fromisoformat(cast.ana.get("/me/today").json["next_reminder_at"])
    assert after - planned == timedelta(days=1)


def test_complaint_11_editing_the_plan_never_asks_again_what_was_asked_already(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    plan = f"/patients/{cast.ana.patient_id}/check-in-plan"
    once = {"instrument": "phq-9", "anchor": "once", "first_day": "2026-03-02"}
    weekly = {"instrument": "phq-9", "anchor": "calendar", "every_days": 7, "first_day": "2026-03-02"}
    assert cast.bo.put(plan, {"scales": [once]}, version=1).status_code == 200
    run_until(around, clock, datetime(2026, 3, 2, 19, 30, tzinfo=UTC))
    assert cast.bo.put(plan, {"scales": [weekly]}, version=2).status_code == 200
    assert set_rhythm(cast.ana, version=3, remind_at="20:45").status_code == 200
    run_until(around, clock, datetime(2026, 3, 3, 3, 0, tzinfo=UTC))
    assert sorted(r.key for r in reminders(around, cast)) == ["diary:2026-03-02", "phq-9:2026-03-02"]
    assert [m.to for m in email.sent].count("ana@home.example") == 1
