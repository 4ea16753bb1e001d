"""What is otherwise for one patient: with a reason, over the clinic's policy, and seen in the judgements."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from server.database import Database
from server.models import Assessment, AuditEvent, Patient, PatientPolicy
from server.services.watch import silence as silences
from tests.api.test_policy import drafted
from tests.api.test_watch import BAD, GOOD
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits

# Nothing that a week of bad days could bring is far enough for these.
DEAF = {
    "relapse.ewma_rise": 4,
    "relapse.ewma_limit": 5,
    "relapse.recent_rise": 4,
    "relapse.recent_limit": 6,
    "relapse.sparse_rise": 4,
    "relapse.sparse_limit": 6,
    "relapse.item_rise_share": 0.4,
    "relapse.item_limit": 6,
    "relapse.unrest_limit": 6,
    "relapse.absolute_mood": 9,
    "relapse.enter_hits": 7,
    "relapse.enter_days": 14,
}


def own(cast: Cast, values: dict[str, float], **parts: int) -> int:
    body = {"values": values, "reason": "As we agreed.", **parts}
    answer = cast.bo.put(f"/patients/{cast.ana.patient_id}/policy", body)
    assert answer.status_code == 200, answer.text
    return int(answer.json["patient_version"])


def test_the_patients_values_lie_over_the_clinics_and_those_over_the_defaults(
    cast: Cast, visits: Visits
) -> None:
    version = drafted(cast, {"silence.usual_days": 7, "silence.long_days": 14})
    cast.bo.post(f"/clinic/policies/{version}/activate", {})
    assert own(cast, {"silence.usual_days": 9}) == 1
    found = cast.coordinator.get(f"{visits.ana}/policy").json
    assert (found["clinic_version"], found["patient_version"], found["created_by"]) == (2, 1, "Bo")
    assert (found["values"], found["reason"]) == ({"silence.usual_days": 9}, "As we agreed.")
    silence = {one["key"]: one for one in found["thresholds"] if one["key"].startswith("silence.")}
    values = {key: (one["value"], one["overridden"]) for key, one in silence.items()}
    assert values["silence.usual_days"] == (9, True)
    assert values["silence.long_days"] == (14, False)
    assert values["silence.short_days"] == (3, False)


def test_a_patient_without_values_of_their_own_has_the_clinics(cast: Cast, visits: Visits) -> None:
    found = cast.bo.get(f"{visits.ana}/policy").json
    assert (found["patient_version"], found["values"], found["reason"], found["created_at"]) == (
        0,
        {},
        None,
        None,
    )


@pytest.mark.long
@pytest.mark.parametrize("deaf", [False, True])
def test_the_patients_own_values_decide_whether_a_signal_comes(
    visits: Visits, cast: Cast, clock: Clock, deaf: bool
) -> None:
    if deaf:
        own(cast, DEAF)
    visits.session(visits.course(), clock.now - timedelta(days=29))
    clock.now -= timedelta(days=7)
    visits.log(20, items=GOOD)
    clock.forward(days=7)
    visits.log(7, items=BAD)
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert mood["latest"]["signal"] is not deaf
    assert mood["latest"]["patient_policy_version"] == int(deaf)
    assert mood["latest"]["evidence"]["patient_policy_version"] == int(deaf)
    assert bool(cast.bo.get("/alerts").json["items"]) is not deaf


def test_a_judgement_keeps_both_versions_and_the_past_keeps_its_judgement(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    visits.log(20, items=GOOD)
    version = drafted(cast, {"relapse.ewma_limit": 3.2})
    cast.bo.post(f"/clinic/policies/{version}/activate", {})
    own(cast, {"silence.usual_days": 9})
    clock.forward(days=1)
    visits.log(1, items=GOOD)
    with database.read() as session:
        rows = session.query(Assessment).order_by(Assessment.day).all()
        found = {row.day: (row.policy_version, row.patient_policy_version) for row in rows}
    assert set(list(found.values())[:-1]) == {(1, 0)}
    assert list(found.values())[-1] == (2, 1)


def test_silence_is_weighed_by_what_the_patient_has(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    own(cast, {"silence.usual_days": 20, "silence.long_days": 30})
    day = (clock.now + timedelta(days=10)).date()
    with database.write() as session:
        work = visits.work(session)
        patient = session.get_one(Patient, (work.clinic_id, cast.ana.patient_id))
        assert silences.check(work, patient, day) is None
        assert silences.check(work, patient, day + timedelta(days=10)) is not None


def test_removed_values_are_as_for_everybody_again_and_twice_is_harmless(cast: Cast, visits: Visits) -> None:
    own(cast, {"silence.usual_days": 9})
    for _ in range(2):
        assert cast.bo.delete(f"{visits.ana}/policy").status_code == 204
    found = cast.bo.get(f"{visits.ana}/policy").json
    assert (found["patient_version"], found["values"], found["reason"]) == (2, {}, None)
    assert not any(one["overridden"] for one in found["thresholds"])
    assert own(cast, {"silence.usual_days": 8}) == 3


def test_of_two_people_who_change_the_same_patient_the_second_hears_of_it(cast: Cast, visits: Visits) -> None:
    assert own(cast, {"silence.usual_days": 9}, expected_version=0) == 1
    body = {"values": {}, "reason": "No.", "expected_version": 0}
    refused = cast.bo.put(f"{visits.ana}/policy", body)
    assert (refused.status_code, refused.json["code"]) == (409, "policy-changed")


def test_what_is_the_same_for_everybody_and_what_contradicts_is_named_with_its_pointer(
    cast: Cast, visits: Visits
) -> None:
    values = {
        "redflag.craving": 5,
        "escalation.p0_first_minutes": 5,
        "data.min_days": 9,
        "silence.usual_days": 99,
    }
    refused = cast.bo.put(f"{visits.ana}/policy", {"values": values, "reason": "Mistaken."})
    assert refused.status_code == 422
    assert {one["pointer"]: one["detail"] for one in refused.json["errors"]} == {
        "/values/redflag.craving": "is the same for every patient of the clinic",
        "/values/escalation.p0_first_minutes": "is the same for every patient of the clinic",
        "/values/data.min_days": "data.min_days: 9 is more than data.window_days 7",
        "/values/silence.usual_days": "99 is outside 2..21 days",
    }


def test_cyd_finds_no_such_patient_and_only_clinicians_change(cast: Cast, visits: Visits) -> None:
    path, body = f"{visits.ana}/policy", {"values": {}, "reason": "Mine."}
    assert cast.cyd.get(path).status_code == 404
    assert cast.cyd.put(path, body).status_code == 404
    assert cast.cyd.delete(path).status_code == 404
    for person in (cast.coordinator, cast.admin, cast.scheduler, cast.ana):
        assert person.put(path, body).status_code == 403
        assert person.delete(path).status_code == 403
    for person in (cast.admin, cast.scheduler, cast.ana):
        assert person.get(path).status_code == 403


def test_reading_and_changing_is_on_record_and_the_reason_is_sealed(
    cast: Cast, visits: Visits, database: Database
) -> None:
    cast.bo.put(f"{visits.ana}/policy", {"values": {"silence.usual_days": 9}, "reason": "canary of Ana"})
    cast.bo.get(f"{visits.ana}/policy")
    cast.bo.delete(f"{visits.ana}/policy")
    with database.read() as session:
        rows = (
            session.query(AuditEvent)
            .filter(AuditEvent.action.like("patient-policy.%"))
            .order_by(AuditEvent.id)
        )
        assert [(row.action, row.patient_id) for row in rows] == [
            (f"patient-policy.{what}", cast.ana.patient_id) for what in ("put", "read", "remove")
        ]
        (row,) = session.query(PatientPolicy).filter_by(version=1)
        assert b"canary" not in (row.sealed_reason or b"")


@pytest.mark.long
@pytest.mark.parametrize("days", [14, 0])
def test_how_long_it_stays_calm_after_an_alert_is_the_patients_own(
    visits: Visits, cast: Cast, clock: Clock, days: int
) -> None:
    own(cast, {"alert.lockout_days": days})
    visits.on_treatment()
    visits.relapse()
    (alert,) = cast.bo.get("/alerts").json["items"]
    body = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200
    clock.forward(days=2)
    with pytest.raises(AssertionError) if days else nullcontext():
        visits.relapse()
    assert len(cast.bo.get("/alerts").json["items"]) == (0 if days else 1)


@pytest.mark.long
@pytest.mark.parametrize("most", [8, 2])
def test_what_speaks_against_a_visit_is_the_patients_own(
    visits: Visits, cast: Cast, clock: Clock, most: int
) -> None:
    own(cast, {"maintenance.sessions_four_weeks": most})
    course = visits.on_treatment()
    visits.session(course, clock.now - timedelta(days=21))
    visits.relapse()
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert bool(draft["blocks"]) is (most == 2)
