"""What a suggestion rests on: only what is stored, only as far back as a rule looks."""

from datetime import date, timedelta

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.facts import Screen
from server.clinical.maintenance import Facts, Plan, Trouble
from server.clinical.vocabulary import AlertClass, AlertFamily, Arm
from server.models import Patient
from server.services.visits import visit_facts
from tests.api.test_policy_replay import fall_ill
from tests.api.test_watch import BAD, GOOD
from tests.cast import Cast, entry
from tests.clinical.diaries import mood_day, steps
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

TODAY = date(2026, 3, 2)


@pytest.fixture
def ana_has(visits: Visits, app: Flask, cast: Cast) -> "Gather":
    return Gather(visits, app, cast)


class Gather:
    """The facts about Ana as of today."""

    def __init__(self, visits: Visits, app: Flask, cast: Cast) -> None:
        self.visits, self.app, self.cast = visits, app, cast

    def __call__(self, today: date = TODAY, programme: Arm = Arm.MOOD) -> Facts:
        with Surroundings.of(self.app).database.read() as session:
            work = self.visits.work(session)
            patient = session.get_one(Patient, (work.clinic_id, self.cast.ana.patient_id))
            return visit_facts.gather(work, patient, programme, today, None)

    def relapse_and_close(self, outcome: str) -> None:
        """Let the watch find a relapse and Bo close its alert."""
        self.visits.relapse()
        alert = self.cast.bo.get("/alerts").json["items"][0]
        body = {"outcome": outcome, "note": "Seen."}
        answer = self.cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
        assert answer.status_code == 200, answer.text


def test_without_anything_stored_nothing_is_made_up(ana_has: Gather) -> None:
    none = {"sessions": [], "planned": [], "open_alerts": [], "troubles": [], "precautions": []}
    assert ana_has() == Facts(plan=None, asrm=[], audit_c=[], **none)


def test_plan_sessions_and_diary_become_facts(
    ana_has: Gather, visits: Visits, cast: Cast, clock: Clock
) -> None:
    course = visits.on_treatment()
    visits.session(course, clock.now + timedelta(days=3), "planned")
    report = entry(clock.now, items={"craving": 4}, side_effects={"nausea": 2})
    cast.ana.put(f"/entries/{uuid7()}", report)
    facts = ana_has()
    assert (facts.plan, facts.sessions) == (Plan(7, 28), [date(2026, 2, 16)])
    assert facts.planned == [date(2026, 3, 5)]
    assert (facts.days_logged_last_week, facts.craving) == (5, 4)
    assert facts.troubles == [Trouble("nausea", 2, TODAY, (14 * 24.0,))]


def test_the_plan_is_that_of_the_programme_a_visit_is_for(ana_has: Gather, visits: Visits) -> None:
    visits.course()
    later = {"started_on": "2026-02-01", "min_interval_days": 28, "max_interval_days": 84}
    visits.course(condition="chronic_pain", **later)
    assert (ana_has().plan, ana_has(programme=Arm.PAIN).plan) == (Plan(7, 28), Plan(28, 84))


def test_a_programme_without_a_course_of_its_own_keeps_to_the_one_there_is(
    ana_has: Gather, visits: Visits
) -> None:
    visits.course()
    assert ana_has(programme=Arm.PAIN).plan == Plan(7, 28)


def test_a_side_effect_comes_with_the_hours_since_the_session_also_of_when_it_began(
    ana_has: Gather, visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.on_treatment(), clock.now - timedelta(hours=30))
    began = (clock.now - timedelta(hours=32)).isoformat()
    seen = {"side_effects": {"hallucination": 1, "nausea": 1}, "side_effect_onset": {"hallucination": began}}
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **seen)).status_code == 201
    found = {trouble.term: trouble.hours for trouble in ana_has().troubles}
    assert found == {"nausea": (30.0,), "hallucination": (30.0, 14 * 24.0 - 32)}


def test_a_deleted_entry_is_no_fact(ana_has: Gather, cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now, side_effects={"mania": 2}))
    assert ana_has().troubles
    cast.ana.delete(path, version=1)
    assert ana_has().troubles == []
    assert ana_has().days_logged_last_week == 0


@pytest.mark.parametrize(("instrument", "low", "high"), [("asrm", 1, 12), ("audit-c", 1, 9)])
def test_a_scale_that_was_left_too_open_takes_nothing_back_of_the_one_before(
    ana_has: Gather, cast: Cast, clock: Clock, instrument: str, low: int, high: int
) -> None:
    def fill(**answers: int) -> None:
        told = filled(clock.now, instrument, answers=answers)
        assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", told).status_code == 201

    name = instrument.replace("-", "_")
    items = {"asrm": 5, "audit-c": 3}[instrument]
    fill(**{f"q{n}": high // items + (n <= high % items) for n in range(1, items + 1)})
    clock.forward(hours=1)
    fill(q1=1)
    assert getattr(ana_has(), name) == [Screen(TODAY, 1, is_whole=False), Screen(TODAY, high)]
    clock.forward(hours=1)
    fill(**{f"q{n}": int(n == 1) for n in range(1, items + 1)})
    assert getattr(ana_has(), name) == [Screen(TODAY, low)], "a whole one below the cut ends it"
    fill(q1=1)
    assert getattr(ana_has(), name) == [Screen(TODAY, low)], "of the same moment is not after it"


def test_a_scale_that_was_left_open_counts_for_what_was_answered_while_it_is_recent(
    ana_has: Gather, cast: Cast, clock: Clock
) -> None:
    answers = {"q1": 4, "q2": 4, "q3": None}
    told = filled(clock.now, "audit-c", answers=answers)
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", told).status_code == 201
    assert ana_has().audit_c == [Screen(TODAY, 8, is_whole=False)]
    assert ana_has(TODAY + timedelta(days=30)).audit_c == []
    off = timedelta(days=300)
    ahead = filled(clock.now + off, "asrm", answers={"q1": 4, "q2": 3})
    items = [
        {"id": str(uuid7()), "kind": "questionnaire_response", "action": "put"}
        | {"questionnaire_response": ahead}
    ]
    body = {"items": items, "sent_at": (clock.now + off).isoformat()}
    assert cast.ana.post("/sync", body).json["results"][0]["verdict"] == "created"
    assert ana_has().asrm == [Screen(TODAY, 7, is_whole=False)], "of the day it came in: the clock is off"


def test_a_scale_with_one_answer_is_no_questionnaire_to_plan_a_visit_by(
    ana_has: Gather, cast: Cast, clock: Clock
) -> None:
    def fill(instrument: str, answers: dict[str, int]) -> None:
        told = filled(clock.now, instrument, answers=answers)
        assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", told).status_code == 201

    fill("phq-9", {"q1": 1})
    assert ana_has().questionnaire_day is None
    fill("digibp", {"fatigue": 1})
    assert ana_has().questionnaire_day == TODAY, "it has no total, each of its answers stands for itself"


def test_craving_and_troubles_of_long_ago_are_left_alone(ana_has: Gather, cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, items={"craving": 6}, side_effects={"memory": 2}))
    assert ana_has(TODAY + timedelta(days=27)).craving == 6
    assert ana_has(TODAY + timedelta(days=28)).craving is None
    assert ana_has(TODAY + timedelta(days=84)).troubles
    assert ana_has(TODAY + timedelta(days=85)).troubles == []


def test_open_alerts_count_until_they_are_closed(ana_has: Gather, cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    assert ana_has().open_alerts == [(AlertClass.P1, AlertFamily.SAFETY)]
    alert = cast.bo.get("/alerts").json["items"][0]
    body = {"outcome": "contacted", "note": "Called."}
    cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
    assert ana_has().open_alerts == []


def test_relapses_on_the_schedule_count_and_false_alarms_do_not(
    ana_has: Gather, visits: Visits, clock: Clock
) -> None:
    course = visits.course()
    visits.session(course, clock.now - timedelta(days=20))
    ana_has.relapse_and_close("visit_arranged")
    clock.forward(days=20)
    visits.session(course, clock.now)
    clock.forward(days=12)
    ana_has.relapse_and_close("false_alarm")
    assert ana_has().early_returns == 1
    clock.forward(days=20)
    ana_has.relapse_and_close("visit_arranged")
    assert ana_has().early_returns == 2


def test_a_relapse_that_came_back_in_an_alert_nobody_closed_counts_as_well(
    ana_has: Gather, visits: Visits, cast: Cast, clock: Clock
) -> None:
    fall_ill(visits, clock)
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert ana_has(clock.now.date()).early_returns == 1
    assert cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, alert["version"]).status_code == 200
    visits.session(visits.course(), clock.now)
    for days, items in ((30, GOOD), (9, BAD)):
        clock.forward(days=days)
        visits.log(days, items=items)
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert ana_has(clock.now.date()).early_returns == 2
    wrong = {"outcome": "false_alarm", "note": "Her sister was ill."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", wrong, alert["version"]).status_code == 200
    assert ana_has(clock.now.date()).early_returns == 1, "what was said is about the last one"


def test_a_relapse_that_was_told_twice_counts_once(
    ana_has: Gather, visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=30))
    visits.log(27, items=mood_day(2))
    for level, days in ((4, 6), (8, 8)):
        for _ in range(days):
            clock.forward(days=1)
            visits.log(1, items=mood_day(level))
        (alert,) = cast.bo.get("/alerts").json["items"]
        body = {"outcome": "contacted", "note": "We talked."}
        assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200
    assert ana_has(clock.now.date()).early_returns == 1


def test_the_usual_loss_is_a_fact_once_an_earlier_session_could_tell(
    ana_has: Gather, visits: Visits, cast: Cast, clock: Clock
) -> None:
    course = visits.course()
    diary = steps((-14, 8), (1, 2), (20, 8), (41, 2))
    session = clock.now - timedelta(days=60)
    visits.session(course, session)
    items = [
        {
            "id": str(uuid7()),
            "action": "put",
            "entry": entry(at, items=mood_day(diary(n)), recorded_at=at.isoformat()),
        }
        for n in range(-14, 61)
        for at in [session + timedelta(days=n)]
    ]
    visits.cast.ana.post("/sync", {"items": items})
    assert ana_has().usual_loss is None
    visits.session(course, session + timedelta(days=40))
    loss = ana_has().usual_loss
    assert loss is not None
    assert (loss.session, loss.time.lost) == (date(2026, 2, 10), 1)
    assert ana_has(TODAY - timedelta(days=21)).usual_loss is None, "not yet given then"
    cast.bo.patch(f"{visits.ana}/courses/{course}", {"min_interval_days": 28}, version=1)
    assert ana_has().usual_loss is None, "no visit could be due for it yet"
    assert ana_has(TODAY + timedelta(days=1)).usual_loss is not None


def test_relapses_of_an_earlier_course_say_nothing_of_this_schedule(
    ana_has: Gather, visits: Visits, clock: Clock
) -> None:
    ana_has.relapse_and_close("plan_changed")
    clock.forward(days=3)
    visits.course(started_on="2026-03-04")
    assert ana_has().early_returns == 0


def test_an_age_is_the_youngest_that_the_birth_year_allows(ana_has: Gather, cast: Cast) -> None:
    assert ana_has().age is None
    ana = f"/patients/{cast.ana.patient_id}"
    cast.bo.patch(ana, {"birth_year": 1990}, version=1)
    assert ana_has().age == 35


def test_the_newest_questionnaire_counts_up_to_today(ana_has: Gather, cast: Cast, clock: Clock) -> None:
    assert ana_has().questionnaire_day is None
    newest = f"/questionnaire-responses/{uuid7()}"
    cast.ana.put(newest, filled(clock.now))
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now - timedelta(days=9)))
    assert ana_has().questionnaire_day == TODAY
    assert ana_has(TODAY - timedelta(days=1)).questionnaire_day == TODAY - timedelta(days=9)
    cast.ana.delete(newest, version=1)
    assert ana_has().questionnaire_day == TODAY - timedelta(days=9)
