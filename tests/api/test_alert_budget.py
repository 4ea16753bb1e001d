"""The alert budget over HTTP: figures of the whole clinic and of nobody, by the team's own words."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily, Outcome
from server.models import Patient
from server.services.work import Work, system
from tests.alert_rows import Raised, put
from tests.cast import Cast, Person
from tests.conftest import Clock

DAY = timedelta(days=1)
SAFETY = ("safety_often",)


@pytest.fixture
def enrolled_long_ago(app: Flask, cast: Cast, clock: Clock) -> None:
    """Ana has been a patient for longer than anybody looks back."""
    with Surroundings.of(app).database.write() as session:
        ana = session.get_one(Patient, (cast.ana.clinic_id, cast.ana.patient_id))
        ana.enrolled_at = clock.now - 400 * DAY


def raised(app: Flask, person: Person, *alerts: Raised) -> list[UUID]:
    """Put alerts into the clinic of ``person``."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(person.clinic_id))
        return [put(work, alert) for alert in alerts]


def closed(cast: Cast, at: datetime, outcome: Outcome, **parts: Any) -> Raised:
    return Raised(cast.ana.patient_id, at, outcome=outcome, **parts)


def read(person: Person, query: str = "") -> dict[str, Any]:
    answer = person.get(f"/alert-budget{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def rules(person: Person) -> dict[str, Any]:
    return {rule["code"]: rule for rule in read(person)["budget"]["rules"]}


@pytest.mark.usefixtures("enrolled_long_ago")
def test_expected_stands_beside_actual_for_the_weeks_that_were_asked_for(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    at = clock.now
    raised(app, cast.ana, *(closed(cast, at - n * 7 * DAY, Outcome.CONTACTED) for n in range(8)))
    raised(app, cast.ana, Raised(cast.ana.patient_id, at - 56 * DAY - DAY / 24, codes=("old",)))
    raised(app, cast.cyd, Raised(cast.other_patient.patient_id, at, codes=("theirs",)))
    found = read(cast.bo)
    assert (found["weeks"], found["patients"], found["clinicians"], found["policy_version"]) == (8, 1, 1, 1)
    assert (found["since"], found["until"]) == ((at - 56 * DAY).isoformat(), at.isoformat())
    assert (found["budget"]["alerts"], found["budget"]["per_week"]) == (8, 1)
    assert found["budget"]["minutes_per_clinician_week"] == 20
    assert [c["expected_per_week"] for c in found["budget"]["classes"]] == [0.01, 0.03, 0.06, 0.12]
    assert [rule["code"] for rule in found["budget"]["rules"]] == ["R2:composite"]
    assert [rule["over_budget"] for rule in found["budget"]["rules"]] == [True]
    assert read(cast.bo, "?weeks=2")["budget"]["alerts"] == 3
    assert {rule["code"] for rule in read(cast.bo, "?weeks=26")["budget"]["rules"]} == {"R2:composite", "old"}


def test_who_enrolled_yesterday_allows_for_a_day_of_alerts(app: Flask, cast: Cast, clock: Clock) -> None:
    with Surroundings.of(app).database.write() as session:
        session.get_one(Patient, (cast.ana.clinic_id, cast.ana.patient_id)).enrolled_at = clock.now - 7 * DAY
    classes = read(cast.bo, "?weeks=1")["budget"]["classes"], read(cast.bo)["budget"]["classes"]
    assert [found[3]["expected_per_week"] for found in classes] == [0.12, 0.01]  # of 12 a hundred; an eighth


def test_what_the_team_says_of_a_rule_outranks_the_outcome_and_the_last_word_counts(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    (alert,) = raised(
        app, cast.ana, closed(cast, clock.now, Outcome.FALSE_ALARM, codes=("R2:composite", "R3:anxiety"))
    )
    path = f"/alerts/{alert}/feedback"
    assert rules(cast.bo)["R2:composite"]["precision"]["share"] == 0
    cast.bo.post(path, {"code": "R2:composite", "usefulness": "useful"})
    assert [rule["precision"]["share"] for rule in rules(cast.bo).values()] == [1, 0]
    clock.forward(minutes=1)
    cast.coordinator.post(path, {"code": "R2:composite", "usefulness": "noise"})
    rule = rules(cast.bo)["R2:composite"]
    assert (rule["said_useful"], rule["said_noise"], rule["closed_false"]) == (0, 1, 1)
    clock.forward(minutes=1)
    cast.bo.post(path, {"code": "R2:composite", "usefulness": "useful"})
    assert rules(cast.bo)["R2:composite"]["precision"] == {
        "useful": 1,
        "judged": 1,
        "share": 1.0,
        "low": 0.27,
        "high": 1.0,
    }


def test_ten_false_alarms_make_a_rule_imprecise(app: Flask, cast: Cast, clock: Clock) -> None:
    wrong = [closed(cast, clock.now, Outcome.NO_ACTION_NEEDED)] * 9
    raised(app, cast.ana, *wrong)
    assert rules(cast.bo)["R2:composite"]["imprecise"] is False
    raised(app, cast.ana, *wrong[:1])
    assert rules(cast.bo)["R2:composite"]["imprecise"] is True


def test_no_patient_is_named_and_an_administrator_may_read_it(app: Flask, cast: Cast, clock: Clock) -> None:
    raised(app, cast.ana, Raised(cast.ana.patient_id, clock.now, AlertFamily.SAFETY, AlertClass.P1, SAFETY))
    said = cast.admin.get("/alert-budget")
    assert (said.status_code, str(cast.ana.patient_id) in said.text, "Ana" in said.text) == (
        200,
        False,
        False,
    )
    assert read(cast.cyd)["budget"]["rules"] == []
    for person in (cast.ana, cast.coordinator, cast.scheduler):
        assert person.get("/alert-budget").status_code == 403


@pytest.mark.parametrize(
    "query", ["weeks=0", "weeks=27", "weeks=2.5", "weeks=", "weeks=all", "since=2026-01-01"]
)
def test_other_stretches_are_refused(cast: Cast, query: str) -> None:
    assert cast.bo.get(f"/alert-budget?{query}").status_code == 422


def test_many_alerts_take_no_more_queries_than_one(app: Flask, cast: Cast, clock: Clock) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def queries() -> int:
        asked.clear()
        read(cast.bo)
        return len(asked)

    engine = Surroundings.of(app).database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        one = raised(app, cast.ana, closed(cast, clock.now, Outcome.CONTACTED))
        cast.bo.post(f"/alerts/{one[0]}/feedback", {"code": "R2:composite", "usefulness": "noise"})
        few = queries()
        raised(app, cast.ana, *[closed(cast, clock.now, Outcome.CONTACTED)] * 40)
        assert queries() == few
    finally:
        event.remove(engine, "before_cursor_execute", note)
