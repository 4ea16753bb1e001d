"""From the first hint to a clinician's word: watch, the scale, probable, confirmed or dismissed."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertFamily
from server.models import Patient, WatchMove
from server.services.watch import assessment as assessments
from tests.cast import Cast, entry, push, pushed
from tests.conftest import Clock, Scene
from tests.scales import filled
from tests.test_concurrency import at_once
from tests.visits import Visits

GOOD = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
BAD = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}
HELD = {"verdict": "confirmed", "reason": "Low since Monday by her own account."}
WRONG = {"verdict": "dismissed", "reason": "A cold; her mood is what it was."}


@pytest.fixture
def well(visits: Visits, clock: Clock, scene: Scene) -> Visits:
    """Ana four weeks after her session, well and logging every day since; PHQ-9 of 5 a week ago."""

    def play() -> None:
        visits.session(visits.course(), clock.now - timedelta(days=29))
        visits.log(25, items=GOOD)
        fill(visits, 5, back=7)

    scene(play)
    return visits


def fill(visits: Visits, total: int, back: float = 0, **parts: Any) -> str:
    """Let Ana fill a PHQ-9 of ``total`` points without item 9; return its path."""
    left, answers = total, {}
    for n in range(1, 10):
        answers[f"q{n}"] = 0 if n == 9 else min(3, left)
        left -= answers[f"q{n}"]
    path = f"/questionnaire-responses/{uuid7()}"
    at = visits.now - timedelta(days=back)
    answer = visits.cast.ana.put(path, filled(at, answers=answers, **parts))
    assert (answer.status_code, answer.json["questionnaire_response"]["total"]) == (201, total)
    return path


def mood(visits: Visits) -> dict[str, Any]:
    (arm,) = visits.cast.bo.get(f"{visits.ana}/watch").json["arms"]
    return dict(arm)


def stages(visits: Visits) -> list[tuple[str, str, str]]:
    """Return the moves, oldest first: day, stage, by whom."""
    return [(move["day"], move["after"], move["by"]) for move in reversed(mood(visits)["moves"])]


def next_days(visits: Visits, clock: Clock, *days: dict[str, float]) -> None:
    for items in days:
        clock.forward(days=1)
        answer = visits.cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, items=items))
        assert answer.status_code == 201, answer.text


def the_alert(visits: Visits) -> dict[str, Any]:
    (alert,) = visits.cast.bo.get("/alerts").json["items"]
    return dict(alert)


def judge(visits: Visits, body: dict[str, str], **parts: Any) -> Any:
    alert = the_alert(visits)
    return visits.cast.bo.post(
        f"/alerts/{alert['id']}/verdict", body, **{"version": alert["version"], **parts}
    )


def until_watched(visits: Visits, clock: Clock) -> None:
    """Log bad days until a rule has held once."""
    next_days(visits, clock, BAD, BAD)
    assert mood(visits)["stage"] == "watch"


def until_two_scales_speak(visits: Visits, clock: Clock) -> str:
    """Let Ana fill two high PHQ-9 a week apart while her diary stays calm; return the path of the second."""
    fill(visits, 5, back=2)
    fill(visits, 14)
    next_days(visits, clock, *[GOOD] * 7)
    path = fill(visits, 14)
    assert mood(visits)["stage"] == "probable"
    return path


def until_signal(visits: Visits, clock: Clock) -> None:
    next_days(visits, clock, BAD, BAD, BAD)
    assert mood(visits)["latest"]["signal"]


def test_a_hint_is_watched_and_the_scale_it_asks_for_makes_it_probable_that_day(
    well: Visits, clock: Clock
) -> None:
    until_watched(well, clock)
    asked = [due["key"] for due in well.cast.ana.get("/me/today").json["occurrences"] if due["instrument"]]
    assert asked == ["phq-9:2026-03-04"]
    fill(well, 14, occurrence=asked[0])
    arm, alert = mood(well), the_alert(well)
    assert (arm["stage"], arm["since"]) == ("probable", "2026-03-04")
    newest, oldest = arm["moves"]
    assert (oldest["before"], oldest["after"], oldest["alert_id"]) == ("calm", "watch", None)
    assert (newest["before"], newest["alert_id"]) == ("watch", alert["id"])
    assert "PHQ-9 14 on 2026-03-04, best since the session 5: +9, rule R4 v1" in newest["text"]
    assert newest["text"].startswith("probable: mood composite ")
    for move in arm["moves"]:
        assert move["evidence"]["diary"]["baseline"]["session"] == "2026-02-01"
        assert (move["policy_version"], move["reason"], move["corrects"]) == (1, None, False)
        assert move["data_version"] > 0
    assert newest["evidence"]["scales"][0]["total"] == 14
    assert (alert["family"], alert["urgency"], "R4:phq-9" in alert["codes"]) == ("mood_relapse", "P2", True)
    (draft,) = well.cast.bo.get("/booking-suggestions").json["items"]
    assert draft["alert_id"] == alert["id"]


def test_a_signal_of_the_diary_needs_no_scale(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    assert [stage for _, stage, _ in stages(well)] == ["watch", "probable"]
    assert mood(well)["moves"][0]["alert_id"] == the_alert(well)["id"]


def test_two_scales_in_a_row_speak_for_somebody_who_keeps_no_diary(visits: Visits, clock: Clock) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    for back, total in ((21, 5), (14, 5), (7, 14)):
        fill(visits, total, back)
    assert stages(visits) == [("2026-02-23", "watch", "watch")]
    assert visits.cast.bo.get("/alerts").json["items"] == []
    fill(visits, 14)
    assert stages(visits)[1:] == [("2026-03-02", "probable", "watch")]
    alert = the_alert(visits)
    assert (alert["codes"], alert["day"]) == (["R4:phq-9", "R5:phq-9", "R6:phq-9"], "2026-03-02")
    assert mood(visits)["latest"]["state"] in ("no_baseline", "baseline")


def test_one_high_score_is_asked_for_again_a_week_later(visits: Visits, clock: Clock, app: Flask) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    for back, total in ((21, 5), (14, 5), (0, 14)):
        fill(visits, total, back)
    due: list[list[str]] = []
    for _ in range(7):
        clock.forward(days=1)
        nightly(visits, app)
        today = visits.cast.ana.get("/me/today").json["occurrences"]
        due.append([one["key"] for one in today if one["instrument"]])
    assert due == [[], [], [], []] + [["phq-9:2026-03-07"]] * 3
    assert [one["instrument"] for one in mood(visits)["asked"]] == ["phq-9"]


def test_what_was_left_too_open_for_a_total_does_not_stand_for_the_answer_that_is_asked_for(
    visits: Visits, clock: Clock, app: Flask
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    for back, total in ((21, 5), (14, 5), (0, 14)):
        fill(visits, total, back)
    clock.forward(days=4)
    half = filled(clock.now, answers={"q1": 2, "q2": 1})
    answer = visits.cast.ana.put(f"/questionnaire-responses/{uuid7()}", half)
    assert (answer.status_code, answer.json["questionnaire_response"]["total"]) == (201, None)
    clock.forward(days=1)
    nightly(visits, app)
    assert [one["instrument"] for one in mood(visits)["asked"]] == ["phq-9"]


def test_a_hint_asks_for_a_scale_that_was_left_half_open_the_day_before(well: Visits, clock: Clock) -> None:
    next_days(well, clock, BAD)
    half = filled(clock.now, answers={"q1": 2, "q2": 1})
    assert well.cast.ana.put(f"/questionnaire-responses/{uuid7()}", half).status_code == 201
    next_days(well, clock, BAD)
    asked = [due["key"] for due in well.cast.ana.get("/me/today").json["occurrences"] if due["instrument"]]
    assert asked == ["phq-9:2026-03-04"]


def nightly(visits: Visits, app: Flask) -> None:
    """Judge the day before, as every night does."""
    with Surroundings.of(app).database.write() as session:
        work = visits.work(session)
        patient = session.get_one(Patient, (work.clinic_id, visits.cast.ana.patient_id))
        assessments.judge(work, patient, visits.now.date() - timedelta(days=1))


def test_moves_are_stored_once_however_often_their_days_are_judged(
    well: Visits, clock: Clock, app: Flask
) -> None:
    until_signal(well, clock)
    before = mood(well)["moves"]
    clock.forward(days=1)
    for _ in range(3):
        nightly(well, app)
    assert mood(well)["moves"] == before


def test_a_clinician_confirms_and_it_stays_until_the_next_session(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    said = judge(well, HELD)
    assert (said.status_code, said.json["state"], said.json["outcome"]) == (200, "acknowledged", None)
    assert said.headers["ETag"] == f'"v{said.json["version"]}"'
    move = mood(well)["moves"][0]
    assert (move["by"], move["after"], move["reason"]) == ("clinician", "confirmed", HELD["reason"])
    assert (move["account_id"], move["alert_id"]) == (str(well.cast.bo.account_id), said.json["id"])
    assert move["text"].startswith("confirmed by a clinician: mood composite")
    events = well.cast.bo.get(f"/alerts/{said.json['id']}").json["events"]
    assert [(e["kind"], e["detail"].get("reason")) for e in events][-2:] == [
        ("acknowledged", None),
        ("confirmed", HELD["reason"]),
    ]
    next_days(well, clock, *[GOOD] * 20)
    assert mood(well)["stage"] == "confirmed"
    course = well.cast.bo.get(f"{well.ana}/courses").json["items"][0]["id"]
    well.session(course, clock.now)
    assert (mood(well)["stage"], mood(well)["moves"][0]["text"]) == ("calm", "calm: a session was given")


def test_a_dismissed_alert_is_quiet_for_two_weeks_and_then_a_new_one_opens(
    well: Visits, clock: Clock
) -> None:
    until_signal(well, clock)
    said = judge(well, WRONG)
    assert (said.json["state"], said.json["outcome"]) == ("resolved", "false_alarm")
    assert said.json["resolution_note"] == WRONG["reason"]
    kinds = [e["kind"] for e in well.cast.bo.get(f"/alerts/{said.json['id']}").json["events"]]
    assert kinds[-2:] == ["dismissed", "resolved"]
    next_days(well, clock, *[BAD] * 13)
    assert (mood(well)["stage"], well.cast.bo.get("/alerts").json["items"]) == ("dismissed", [])
    next_days(well, clock, *[BAD] * 3)
    assert mood(well)["stage"] == "probable"
    assert the_alert(well)["id"] != said.json["id"]


def test_the_same_verdict_again_changes_nothing_and_another_one_is_refused(
    well: Visits, clock: Clock
) -> None:
    until_signal(well, clock)
    first = judge(well, HELD)
    again = judge(well, {**HELD, "reason": "Said so."}, version=1)
    assert (again.status_code, again.json["version"]) == (200, first.json["version"])
    other = judge(well, WRONG)
    assert (other.status_code, other.json["code"]) == (409, "verdict-given")
    assert [m["after"] for m in mood(well)["moves"]].count("confirmed") == 1


def test_a_verdict_is_about_what_was_read(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    assert judge(well, HELD, version=99).status_code == 412
    assert judge(well, HELD, version=None).status_code == 428
    assert judge(well, {"verdict": "confirmed", "reason": " "}).status_code == 422
    assert judge(well, {"verdict": "confirmed", "reason": "x" * 501}).status_code == 422
    assert mood(well)["stage"] == "probable"


def test_only_a_relapse_is_confirmed_or_dismissed(visits: Visits, cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    refused = judge(visits, HELD)
    assert (refused.status_code, refused.json["code"]) == (409, "no-verdict")


def test_only_the_clinics_own_clinicians_give_one(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    path, cast = f"/alerts/{the_alert(well)['id']}/verdict", well.cast
    assert cast.cyd.post(path, HELD, version=1).status_code == 404
    for person in (cast.ana, cast.coordinator, cast.admin, cast.scheduler):
        assert person.post(path, HELD, version=1).status_code == 403


@pytest.mark.parametrize(
    ("outcome", "stage"),
    [("false_alarm", "dismissed"), ("no_action_needed", "dismissed"), ("contacted", "confirmed")],
)
def test_closing_with_an_outcome_is_a_verdict_too(
    visits: Visits, cast: Cast, outcome: str, stage: str
) -> None:
    visits.relapse()
    alert = the_alert(visits)
    body = {"outcome": outcome, "note": "Called her."}
    closed = cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
    assert closed.status_code == 200
    with Surroundings.of(visits.app).database.read() as session:
        (move,) = session.scalars(select(WatchMove))
        assert (move.after, str(move.alert_id)) == (stage, alert["id"])
    late = cast.bo.post(f"/alerts/{alert['id']}/verdict", HELD, version=closed.json["version"])
    assert late.status_code == (200 if stage == "confirmed" else 409)


def test_closing_what_was_confirmed_says_nothing_new_unless_it_was_none_after_all(
    well: Visits, clock: Clock
) -> None:
    until_signal(well, clock)
    confirmed = judge(well, HELD).json
    clock.forward(minutes=1)
    body = {"outcome": "false_alarm", "note": "It was the flu."}
    well.cast.bo.post(f"/alerts/{confirmed['id']}/resolve", body, version=confirmed["version"])
    assert [stage for _, stage, _ in stages(well)] == ["watch", "probable", "confirmed", "dismissed"]
    assert mood(well)["moves"][0]["reason"] == "It was the flu."


def test_closing_what_was_confirmed_adds_no_second_confirmation(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    confirmed = judge(well, HELD).json
    body = {"outcome": "visit_arranged", "note": "Thursday."}
    well.cast.bo.post(f"/alerts/{confirmed['id']}/resolve", body, version=confirmed["version"])
    assert [stage for _, stage, _ in stages(well)] == ["watch", "probable", "confirmed"]


def test_of_two_clinicians_at_once_one_has_the_word(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    alert = the_alert(well)
    path = f"/alerts/{alert['id']}/verdict"
    answers = at_once(
        [lambda b=body: well.cast.bo.post(path, b, version=alert["version"]) for body in (HELD, WRONG)]
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 1}
    assert [by for _, _, by in stages(well)].count("clinician") == 1


def test_a_pain_alert_is_judged_as_the_arm_of_pain(visits: Visits) -> None:
    visits.relapse(AlertFamily.PAIN_RELAPSE)
    assert judge(visits, HELD).status_code == 200
    with Surroundings.of(visits.app).database.read() as session:
        assert [move.arm for move in session.scalars(select(WatchMove))] == ["pain"]


def test_a_corrected_scale_takes_its_move_back_and_says_so(well: Visits, clock: Clock) -> None:
    path = until_two_scales_speak(well, clock)
    calm = filled(clock.now, answers={f"q{n}": 0 for n in range(1, 10)})
    assert well.cast.ana.put(path, calm, version=1).status_code == 200
    arm = mood(well)
    assert (arm["stage"], arm["moves"][0]["before"], arm["moves"][0]["after"]) == (
        "watch",
        "probable",
        "watch",
    )
    assert [move["corrects"] for move in arm["moves"]] == [True, False, False]
    assert arm["moves"][0]["text"].startswith("corrected: watch: ")
    assert the_alert(well)["state"] == "open"
    assert well.cast.bo.get(f"/alerts/{the_alert(well)['id']}").json["evidence"]["disproved"] is True


def test_a_deleted_scale_takes_its_move_back_too(well: Visits, clock: Clock) -> None:
    path = until_two_scales_speak(well, clock)
    assert well.cast.ana.delete(path, version=1).status_code == 204
    assert mood(well)["stage"] == "watch"
    clock.forward(minutes=5)
    fill(well, 14)
    assert mood(well)["stage"] == "probable"
    assert well.cast.bo.get(f"/alerts/{the_alert(well)['id']}").json["evidence"]["disproved"] is False


def test_a_paper_form_that_the_clinic_types_in_later_is_judged_as_of_its_day(
    well: Visits, clock: Clock
) -> None:
    until_watched(well, clock)
    clock.forward(days=2)
    answers = {f"q{n}": 2 if n < 8 else 0 for n in range(1, 10)}
    form = filled(clock.now - timedelta(days=1), answers=answers)
    path = f"{well.ana}/questionnaire-responses/{uuid7()}"
    assert well.cast.bo.put(path, form).status_code == 201
    assert stages(well)[-1] == ("2026-03-05", "probable", "watch")
    assert the_alert(well)["day"] == "2026-03-05"


def test_a_phone_may_bring_scale_and_diary_in_one_batch(well: Visits, clock: Clock) -> None:
    clock.forward(days=2)
    answers = {f"q{n}": 2 if n < 8 else 0 for n in range(1, 10)}
    bad = [entry(clock.now - timedelta(days=back), items=BAD) for back in (1, 0)]
    items = [
        pushed("questionnaire_response", filled(clock.now, answers=answers)),
        *(pushed("entry", one) for one in bad),
    ]
    push(well.cast.ana, items)
    assert stages(well) == [("2026-03-04", "probable", "watch")]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_the_stage_does_not_depend_on_what_arrived_first(visits: Visits, clock: Clock, seed: int) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=30))
    days = [GOOD] * 18 + [BAD] * 3 + [GOOD] * 8
    said = [("entry", entry(clock.now - timedelta(days=29 - n), items=one)) for n, one in enumerate(days)]
    for back, each in ((26, 0), (19, 0), (9, 2), (4, 2)):
        answers = {f"q{n}": each if n < 9 else 0 for n in range(1, 10)}
        said.append(("questionnaire_response", filled(clock.now - timedelta(days=back), answers=answers)))
    if seed:  # the first run is in order
        random.Random(seed).shuffle(said)
    for start in range(0, len(said), 3):
        push(visits.cast.ana, [pushed(kind, one) for kind, one in said[start : start + 3]])
        clock.forward(minutes=1)
    assert holding(visits) == [("2026-02-20", "watch"), ("2026-02-21", "probable")]
    assert the_alert(visits)["family"] == "mood_relapse"


def holding(visits: Visits) -> list[tuple[str, str]]:
    """Return what holds of the moves: the stage each day left, where it is not the day before's."""
    left = {move["day"]: move["after"] for move in reversed(mood(visits)["moves"])}
    found, stage = [], "calm"
    for day, after in sorted(left.items()):
        found += [(day, after)] if after != stage else []
        stage = after
    return found


def test_days_filled_in_late_store_each_move_once_and_judging_again_adds_none(
    well: Visits, clock: Clock
) -> None:
    next_days(well, clock, BAD, GOOD, GOOD, BAD)
    for back in (2, 1, 2):  # she fills in two of them again, worse than she had said at first
        at = clock.now - timedelta(days=back, minutes=7 * back)
        answer = well.cast.ana.put(f"/entries/{uuid7()}", entry(at, items=BAD))
        assert answer.status_code == 201, answer.text
    told = Counter((m["day"], m["before"], m["after"]) for m in mood(well)["moves"])
    assert max(told.values()) == 1
    assert mood(well)["stage"] == "probable"
    with Surroundings.of(well.app).database.write() as session:
        work = well.work(session)
        before = len(session.scalars(select(WatchMove)).all())
        for _ in range(2):
            patient = session.scalars(select(Patient).where(Patient.id == well.cast.ana.patient_id)).one()
            assessments.reassess(work, patient, [well.now.date() - timedelta(days=5)])
        assert len(session.scalars(select(WatchMove)).all()) == before


def test_a_second_relapse_after_a_session_is_told_and_takes_a_verdict_of_its_own(
    well: Visits, clock: Clock
) -> None:
    until_signal(well, clock)
    assert judge(well, HELD).status_code == 200
    first = the_alert(well)
    well.session(mood_course(well), clock.now)
    next_days(well, clock, *[GOOD] * 30, BAD, BAD, BAD)
    again = the_alert(well)
    assert (again["id"], again["state"], again["acknowledged_at"]) == (first["id"], "open", None)
    record = well.cast.bo.get(f"/alerts/{again['id']}").json
    assert record["evidence"]["baseline"]["session"] == (clock.now.date() - timedelta(days=33)).isoformat()
    assert record["evidence"]["earlier"][0]["baseline"]["session"] == "2026-02-01"
    assert judge(well, HELD).status_code == 200
    assert [by for _, after, by in stages(well) if after == "confirmed"] == ["clinician"] * 2


def mood_course(visits: Visits) -> str:
    (course,) = visits.cast.bo.get(f"{visits.ana}/courses").json["items"]
    return str(course["id"])


def test_a_relapse_after_what_was_only_fading_is_told_once_it_was_acknowledged(
    well: Visits, clock: Clock
) -> None:
    fading = {"mood": 6, "interest": 6, "anxiety": 4, "restlessness": 4, "sleep_quality": 6}
    next_days(well, clock, *[fading] * 5)
    alert = the_alert(well)
    assert well.cast.bo.get(f"/alerts/{alert['id']}").json["evidence"]["state"] == "fading"
    path = f"/alerts/{alert['id']}/acknowledge"
    assert well.cast.bo.post(path).status_code == 200
    next_days(well, clock, *[BAD] * 6)
    assert the_alert(well)["state"] == "open"
    assert "relapsed" in the_alert(well)["summary"]


@pytest.mark.parametrize(("outcome", "told"), [("contacted", 1), ("no_action_needed", 0)])
def test_a_relapse_after_fading_that_was_seen_to_is_told_within_the_lock_out_too(
    well: Visits, clock: Clock, outcome: str, told: int
) -> None:
    fading = {"mood": 6, "interest": 6, "anxiety": 4, "restlessness": 4, "sleep_quality": 6}
    next_days(well, clock, *[fading] * 5)
    alert = the_alert(well)
    body = {"outcome": outcome, "note": "We talked; wait and see."}
    closed = well.cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
    assert closed.status_code == 200
    next_days(well, clock, *[fading] * 3)
    assert well.cast.bo.get("/alerts").json["items"] == []
    next_days(well, clock, *[BAD] * 6)
    found = well.cast.bo.get("/alerts").json["items"]
    assert ["relapsed" in one["summary"] for one in found] == [True] * told


def test_the_text_of_a_verdict_says_what_the_data_say_by_now(well: Visits, clock: Clock) -> None:
    until_signal(well, clock)
    next_days(well, clock, BAD, BAD)
    assert judge(well, HELD).status_code == 200
    move = mood(well)["moves"][0]
    assert move["text"].endswith(mood(well)["latest"]["text"])
    assert move["evidence"]["latest"]["day"] == clock.now.date().isoformat()


def test_who_confirms_what_was_acknowledged_before_has_seen_what_came_in_since(
    well: Visits, clock: Clock
) -> None:
    until_signal(well, clock)
    path = f"/alerts/{the_alert(well)['id']}"
    assert well.cast.bo.post(f"{path}/acknowledge").status_code == 200
    next_days(well, clock, BAD)
    assert judge(well, HELD).status_code == 200
    newest = well.cast.ana.get("/me/timeline").json["items"][0]
    assert (newest["day"], len(newest["sentences"])) == (clock.now.date().isoformat(), 1)
