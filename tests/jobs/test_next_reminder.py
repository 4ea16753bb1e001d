"""What today says of the next reminder is what the job then does: the phone may plan exactly this one."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event
from uuid_utils.compat import uuid7

from jobs import remind
from jobs.around import Around
from server.models import CheckInPlan, Patient
from tests.api.test_today import set_rhythm
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.test_remind import AFTER, EIGHT, reminders

PLANNED_DAY = date(2026, 3, 2)


def said(cast: Cast) -> datetime | None:
    found = cast.ana.get("/me/today").json["next_reminder_at"]
    return None if found is None else datetime.fromisoformat(found)


def day_said(cast: Cast) -> int:
    """Return how many evenings after the first one the next reminder comes."""
    found = said(cast)
    assert found is not None
    return round((found - EIGHT) / timedelta(days=1))


def next_look(around: Around, cast: Cast) -> datetime | None:
    with around.database.read() as session:
        plan = session.get(CheckInPlan, (cast.ana.clinic_id, cast.ana.patient_id))
        return plan.next_at if plan else None


def version(cast: Cast) -> int:
    return int(cast.ana.get("/me/check-in-plan").json["version"])


def log(cast: Cast, clock: Clock, ahead: int = 0) -> None:
    body = entry(clock.now + timedelta(days=ahead))
    assert cast.ana.put(f"/entries/{uuid7()}", body).status_code == 201


def ask(cast: Cast, *scales: dict[str, Any]) -> None:
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    answer = cast.bo.put(path, {"scales": list(scales)}, version(cast))
    assert answer.status_code == 200, answer.text


def pause(around: Around, cast: Cast, until: datetime) -> None:
    with around.database.write() as session:
        session.get_one(Patient, (cast.ana.clinic_id, cast.ana.patient_id)).paused_until = until


def test_after_logging_the_next_reminder_is_tomorrows(cast: Cast, clock: Clock) -> None:
    assert day_said(cast) == 0
    log(cast, clock)
    assert day_said(cast) == 1
    log(cast, clock, ahead=1)
    assert day_said(cast) == 2


def test_taking_the_entry_back_brings_tonights_reminder_back(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    cast.ana.delete(path, version=1)
    assert day_said(cast) == 0


@pytest.mark.parametrize("every", [2, 3])
def test_no_reminder_is_promised_for_an_off_day(cast: Cast, clock: Clock, every: int) -> None:
    set_rhythm(cast.ana, every_days=every)
    first = PLANNED_DAY.toordinal()
    wanted = next(ahead for ahead in range(every) if (first + ahead) % every == 0)
    assert day_said(cast) == wanted
    log(cast, clock, ahead=wanted)
    assert day_said(cast) == wanted + every


def test_a_scale_that_falls_due_on_an_off_day_is_what_comes_next(cast: Cast, clock: Clock) -> None:
    set_rhythm(cast.ana, every_days=3)
    ahead = next(k for k in range(1, 3) if (PLANNED_DAY.toordinal() + k) % 3)
    if PLANNED_DAY.toordinal() % 3 == 0:
        log(cast, clock)
    assert day_said(cast) != ahead
    due = (PLANNED_DAY + timedelta(days=ahead)).isoformat()
    ask(cast, {"instrument": "phq-9", "anchor": "once", "first_day": due})
    assert day_said(cast) == ahead


def test_who_cannot_be_reminded_is_promised_nothing(cast: Cast, clock: Clock, around: Around) -> None:
    set_rhythm(cast.ana, reminders=False)
    assert said(cast) is None
    set_rhythm(cast.ana, version=2)
    pause(around, cast, clock.now + timedelta(days=60))
    assert said(cast) is None, "too far away to be planned"
    pause(around, cast, clock.now + timedelta(days=5))
    assert day_said(cast) == 5, "the first evening after the clinic's pause"
    set_rhythm(cast.ana, version=3, pause={"first": "2026-03-02", "last": "2026-03-20"})
    assert day_said(cast) == 19, "the first evening after her own"


@pytest.mark.long
def test_a_reminder_that_came_and_a_full_day_are_not_promised_again(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ask(cast)
    clock.now = AFTER
    assert said(cast) == AFTER, "the job is late: it comes at once"
    remind.run(around, clock.now)
    assert day_said(cast) == 1
    for scale in ("phq-9", "gad-7"):
        ask(cast, {"instrument": scale, "anchor": "once", "first_day": "2026-03-02"})
        expected = 0 if scale == "phq-9" else 1
        assert day_said(cast) == expected, "two messages are all that a day has"
        remind.run(around, clock.now)


@pytest.mark.long
def test_the_job_reminds_exactly_when_today_says(cast: Cast, clock: Clock, around: Around) -> None:
    chance = Random(11)
    every_fourth = {
        "instrument": "phq-9",
        "anchor": "calendar",
        "every_days": 4,
        "first_day": "2026-03-03",
        "open_days": 2,
    }
    deeds: list[Callable[[], Any]] = [
        lambda: log(cast, clock),
        lambda: log(cast, clock, ahead=chance.choice([0, 1, 2])),
        lambda: set_rhythm(cast.ana, version(cast), every_days=3),
        lambda: set_rhythm(cast.ana, version(cast), every_days=2, remind_at="21:30", quiet_from="21:40"),
        lambda: ask(cast, every_fourth),
        lambda: ask(cast),
        lambda: pause(around, cast, clock.now + timedelta(days=chance.choice([0, 2]), hours=1)),
        lambda: cast.ana.patch("/me/zone", {"zone": chance.choice(["Asia/Tokyo", "America/Adak"])}),
    ]
    chance.shuffle(deeds)
    for deed in deeds:
        deed()
        promised = said(cast)
        assert promised is not None
        before = len(reminders(around, cast))
        for _ in range(40):
            look = next_look(around, cast)
            clock.now = max(clock.now, look or clock.now)
            if clock.now >= promised:
                break
            remind.run(around, clock.now)
            assert len(reminders(around, cast)) == before, f"{clock.now} comes before {promised}"
        assert clock.now == promised
        remind.run(around, clock.now)
        assert len(reminders(around, cast)) > before, f"nothing came at {promised}"


def test_today_asks_as_often_whatever_the_plan(cast: Cast, clock: Clock, around: Around) -> None:
    asked: list[str] = []

    def note(*about: Any) -> None:
        asked.append(about[2])

    def count() -> int:
        asked.clear()
        assert cast.ana.get("/me/today").status_code == 200
        return sum("SELECT" in statement for statement in asked)

    daily = {"anchor": "calendar", "every_days": 1, "first_day": "2026-03-02", "open_days": 7}
    ask(cast, {"instrument": "phq-9", **daily})
    event.listen(around.database.engine, "before_cursor_execute", note)
    one = count()
    log(cast, clock)
    ask(cast, *({"instrument": scale, **daily} for scale in ("phq-9", "gad-7", "phq-2", "peg")))
    pause(around, cast, clock.now + timedelta(days=20))
    assert count() == one
    event.remove(around.database.engine, "before_cursor_execute", note)
