"""The weekly digest as the care team reads it: names and ids, nothing found, and only of their clinic."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.models import Account, AuditEvent
from server.services.alerts.digest import LONGEST
from server.services.work import Work, system
from tests.alert_rows import Raised, put
from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock

# The clock stands on Monday of week 10; the newest week that is over is week 9.
IN_THE_WEEK = datetime(2026, 2, 25, 12, 0, tzinfo=UTC)
LISTS = ("p3", "open", "acknowledged", "exhausted", "silent", "unreachable")


def raised(app: Flask, person: Person, *alerts: Raised) -> list[str]:
    """Put alerts into the clinic of ``person``; return their ids."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(person.clinic_id))
        return [str(put(work, alert)) for alert in alerts]


def read(person: Person, week: str = "current") -> dict[str, Any]:
    answer = person.get(f"/digests/{week}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def ids(found: dict[str, Any], name: str, of: str = "id") -> list[str]:
    return [line[of] for line in found[name]["items"]]


def gus(cast: Cast) -> UUID:
    """Register a patient whom no clinician looks after."""
    answer = cast.coordinator.post("/patients", {"name": "Gus", "zone": "Europe/Oslo"})
    return UUID(answer.json["id"])


def test_it_tells_what_is_open_what_was_taken_on_and_what_nobody_answered(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    ana, hour = cast.ana.patient_id, timedelta(hours=1)
    worn_out = {"exhausted_at": clock.now}
    # Somebody has taken it on after all: it is unanswered no longer.
    taken = {**worn_out, "state": AlertState.ACKNOWLEDGED, "acknowledged_by": cast.bo.account_id}
    young, old, urgent, theirs = raised(
        app,
        cast.ana,
        Raised(ana, IN_THE_WEEK + hour),
        Raised(ana, IN_THE_WEEK, AlertFamily.PAIN_RELAPSE, more=worn_out),
        Raised(ana, IN_THE_WEEK + 2 * hour, AlertFamily.SAFETY, AlertClass.P1),
        Raised(ana, IN_THE_WEEK, AlertFamily.SIDE_EFFECT, more=taken),
    )
    found = read(cast.bo)
    assert (found["week"], found["since"]) == ("2026-W09", "2026-02-22T23:00:00+00:00")
    assert ids(found, "open") == [urgent, old, young]
    assert (ids(found, "acknowledged"), ids(found, "exhausted")) == ([theirs], [old])
    assert found["waiting"] == {"P0": 0, "P1": 1, "P2": 2, "P3": 0}
    assert found["open"]["items"][0]["patient"] == "Ana"
    assert "codes" not in found["open"]["items"][0]


def test_it_tells_what_no_message_told_and_what_became_of_the_weeks_alerts(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    ana, before = cast.ana.patient_id, IN_THE_WEEK - timedelta(days=7)
    minor = {"family": AlertFamily.SILENCE, "urgency": AlertClass.P3, "outcome": Outcome.NO_ACTION_NEEDED}
    (calm, *_) = raised(
        app,
        cast.ana,
        Raised(ana, IN_THE_WEEK, **minor),
        Raised(ana, before, **minor),
        Raised(ana, IN_THE_WEEK, outcome=Outcome.CONTACTED),
        Raised(ana, IN_THE_WEEK, outcome=Outcome.CONTACTED),
        Raised(ana, IN_THE_WEEK),
    )
    found = read(cast.coordinator)
    assert ids(found, "p3") == [calm]
    told = {name: count for name, count in found["became"].items() if count}
    assert told == {"contacted": 2, "no_action_needed": 1, "open": 1}
    assert set(found["became"]) == {*Outcome, "open", "acknowledged"}


def test_your_own_patients_and_what_is_in_your_hands_come_first(app: Flask, cast: Cast, clock: Clock) -> None:
    other, mine = gus(cast), {"assigned_to": cast.coordinator.account_id}
    theirs, anas, handed = raised(
        app,
        cast.ana,
        Raised(other, IN_THE_WEEK, AlertFamily.SAFETY, AlertClass.P1),
        Raised(cast.ana.patient_id, IN_THE_WEEK),
        Raised(other, IN_THE_WEEK + timedelta(hours=1), more=mine),
    )
    assert ids(read(cast.bo), "open") == [anas, theirs, handed]
    assert [line["mine"] for line in read(cast.bo)["open"]["items"]] == [True, False, False]
    assert ids(read(cast.coordinator), "open") == [handed, theirs, anas]


def test_who_logs_again_is_not_silent_though_nobody_closed_the_alert(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    push(cast.ana, [pushed("entry", entry(IN_THE_WEEK - timedelta(days=5)))])
    other = gus(cast)
    raised(
        app,
        cast.ana,
        *(
            Raised(who, IN_THE_WEEK, AlertFamily.SILENCE, AlertClass.P3)
            for who in (cast.ana.patient_id, other)
        ),
    )
    silent = {line["patient"]: line["last_day"] for line in read(cast.bo)["silent"]["items"]}
    assert silent == {"Ana": "2026-02-20", "Gus": None}
    push(cast.ana, [pushed("entry", entry(clock.now))])
    assert ids(read(cast.bo), "silent", "patient") == ["Gus"]


def test_whom_no_message_reaches_is_in_it(app: Flask, cast: Cast, clock: Clock) -> None:
    with Surroundings.of(app).database.write() as session:
        session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id)).disabled_at = IN_THE_WEEK
    found = read(cast.bo)["unreachable"]
    assert [(line["patient"], line["since"], line["mine"]) for line in found["items"]] == [
        ("Ana", IN_THE_WEEK.isoformat(), True)
    ]


def test_the_running_week_is_shown_so_far_and_one_to_come_is_not_there(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    minor = Raised(cast.ana.patient_id, clock.now, AlertFamily.SILENCE, AlertClass.P3)
    (now,) = raised(app, cast.ana, minor)
    assert ids(read(cast.bo, "2026-W10"), "p3") == [now]
    assert ids(read(cast.bo), "p3") == []
    for week in ("2026-W11", "2025-W53", "2026-W00", "2026-w09", "2026-9", "now", "0000-W01"):
        assert cast.bo.get(f"/digests/{week}").status_code == 404, week


def test_a_long_list_is_cut_and_says_how_long_it_is(app: Flask, cast: Cast, clock: Clock) -> None:
    many = Raised(cast.ana.patient_id, IN_THE_WEEK, urgency=AlertClass.P3, outcome=Outcome.CONTACTED)
    raised(app, cast.ana, *[many] * (LONGEST + 1))
    found = read(cast.bo)["p3"]
    assert (found["count"], len(found["items"])) == (LONGEST + 1, LONGEST)


def test_another_clinic_reads_nothing_of_it_and_nobody_but_the_care_team_may(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    raised(app, cast.ana, Raised(cast.ana.patient_id, IN_THE_WEEK, urgency=AlertClass.P3))
    assert [read(cast.cyd)[name]["count"] for name in LISTS] == [0] * 6
    for person in (cast.ana, cast.admin, cast.scheduler):
        assert person.get("/digests/current").status_code == 403


@pytest.mark.parametrize("week", ["current", "2026-W09"])
def test_reading_it_leaves_a_trace(app: Flask, cast: Cast, week: str) -> None:
    read(cast.bo, week)
    with Surroundings.of(app).database.read() as session:
        (found,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "digest.read"))
        assert (found.account_id, found.object_id) == (cast.bo.account_id, "2026-W09")
