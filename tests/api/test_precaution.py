"""What the care team knows that speaks against a visit: recorded by Bo, heeded by the guards, ended again."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

PATH = "/booking-suggestions"


def record(visits: Visits, **body: Any) -> Any:
    answer = visits.cast.bo.post(f"{visits.ana}/precautions", body)
    assert answer.status_code == 201, answer.text
    return answer.json


def codes_of_a_new_draft(visits: Visits) -> list[str]:
    visits.on_treatment()
    drafted = visits.cast.bo.get(f"{PATH}/{visits.relapse()}").json
    return [block["code"] for block in drafted["blocks"]]


def test_a_precaution_is_kept_with_its_note_and_who_recorded_it(visits: Visits, cast: Cast) -> None:
    made = record(visits, code="pregnancy", until="2026-12-01", note="Told on the telephone.")
    (kept,) = cast.bo.get(f"{visits.ana}/precautions").json["items"]
    assert kept == made
    assert (kept["since"], kept["until"], kept["ended_at"]) == ("2026-03-02", "2026-12-01", None)
    assert (kept["note"], kept["recorded_by"]) == ("Told on the telephone.", str(cast.bo.account_id))


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "guard"),
    [
        ("psychotic_disorder", "PSYCHOSIS"),
        ("blood_pressure", "BP"),
        ("vascular", "VASC"),
        ("hypersensitivity", "ALLERGY"),
        ("pregnancy", "PREG"),
        ("urological", "URO"),
        ("misuse", "MISUSE"),
        ("liver", "LIVER"),
        ("cognition", "COG"),
        ("interaction", "INTERACT"),
        ("consent_expired", "CONSENT"),
        ("not_enrolled", "CONSENT"),
    ],
)
def test_a_precaution_turns_a_suggested_visit_into_a_review(visits: Visits, code: str, guard: str) -> None:
    record(visits, code=code)
    assert codes_of_a_new_draft(visits) == [guard]


def test_one_that_was_ended_or_is_over_speaks_against_nothing(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    path = f"{visits.ana}/precautions/{record(visits, code='liver')['id']}/end"
    assert cast.bo.post(path).status_code == 428
    stale = cast.bo.post(path, version=2)
    assert (stale.status_code, stale.json["current"]["code"]) == (412, "liver")
    ended = cast.bo.post(path, version=1)
    assert (ended.status_code, ended.json["ended_by"]) == (200, str(cast.bo.account_id))
    assert cast.bo.post(path, version=1).json == ended.json
    record(visits, code="vascular", since="2026-01-01", until="2026-03-01")
    record(visits, code="pregnancy", since="2026-03-03")
    assert codes_of_a_new_draft(visits) == []


def test_a_precaution_recorded_after_the_draft_is_seen_at_the_approval(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    record(visits, code="interaction", note="A new sedative.")
    refused = cast.bo.post(f"{PATH}/{suggestion}/approve", {}, version=1)
    assert refused.json["current"]["blocks"] == [
        {"code": "INTERACT", "detail": "interaction recorded, since 2026-03-02"}
    ]


def test_a_precaution_does_not_end_before_it_begins(visits: Visits, cast: Cast) -> None:
    body = {"code": "liver", "since": "2026-03-02", "until": "2026-03-01"}
    refused = cast.bo.post(f"{visits.ana}/precautions", body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/until")


def test_precautions_and_pressures_are_the_care_teams_of_this_clinic_and_reading_is_audited(
    visits: Visits, cast: Cast
) -> None:
    body = {"code": "liver"}
    one = record(visits, **body)["id"]
    pressure = {"systolic": 120, "diastolic": 80}
    calls = [
        ("GET", "precautions", None),
        ("POST", "precautions", body),
        ("POST", f"precautions/{one}/end", None),
        ("GET", "blood-pressures", None),
        ("POST", "blood-pressures", pressure),
        ("POST", f"blood-pressures/{uuid7()}/withdraw", None),
    ]
    for method, path, said in calls:
        assert cast.cyd.send(method, f"{visits.ana}/{path}", said, version=1).status_code == 404, path
        for other in (cast.ana, cast.admin, cast.scheduler):
            assert other.send(method, f"{visits.ana}/{path}", said, version=1).status_code == 403, path
    assert cast.coordinator.get(f"{visits.ana}/precautions").status_code == 403
    assert cast.coordinator.post(f"{visits.ana}/blood-pressures", pressure).status_code == 201
    elsewhere = f"/patients/{cast.other_patient.patient_id}/precautions/{one}/end"
    assert cast.cyd.post(elsewhere, version=1).status_code == 404


@pytest.mark.long
@pytest.mark.parametrize(
    ("systolic", "diastolic", "said"),
    [
        (139, 89, None),
        (140, 80, "not controlled"),
        (120, 90, "not controlled"),
        (160, 80, "too high for a session"),
        (150, 100, "too high for a session"),
        (179, 119, "too high for a session"),
        (180, 90, "needs care at once"),
        (150, 120, "needs care at once"),
    ],
)
def test_the_newest_blood_pressure_decides(
    visits: Visits, cast: Cast, systolic: int, diastolic: int, said: str | None
) -> None:
    path = f"{visits.ana}/blood-pressures"
    earlier = {"measured_at": (visits.now - timedelta(days=3)).isoformat()}
    cast.bo.post(path, {"systolic": 170, "diastolic": 110, **earlier})
    cast.bo.post(path, {"systolic": systolic, "diastolic": diastolic})
    visits.on_treatment()
    blocks = cast.bo.get(f"{PATH}/{visits.relapse()}").json["blocks"]
    told = f"blood pressure {systolic}/{diastolic} on 2026-03-02: {said}"
    found = [block for block in blocks if block["code"] == "BP"]
    assert found == ([] if said is None else [{"code": "BP", "detail": told}])
    # What needs care at once is an alert as well, and while that is open it speaks against a visit.
    assert [block["code"] for block in blocks if block not in found] == ["AE_OPEN"] * (
        said == "needs care at once"
    )


def test_a_blood_pressure_recorded_by_mistake_counts_no_more(visits: Visits, cast: Cast) -> None:
    path = f"{visits.ana}/blood-pressures"
    made = cast.coordinator.post(path, {"systolic": 170, "diastolic": 100}).json
    back = f"{path}/{made['id']}/withdraw"
    assert cast.bo.post(back, version=7).status_code == 412
    taken = cast.bo.post(back, version=1)
    assert (taken.status_code, taken.json["withdrawn_by"]) == (200, str(cast.bo.account_id))
    assert cast.bo.post(back, version=1).json == taken.json
    assert [one["version"] for one in cast.bo.get(path).json["items"]] == [2]
    assert codes_of_a_new_draft(visits) == []


def test_a_blood_pressure_that_can_not_be_is_refused(visits: Visits, cast: Cast) -> None:
    path, later = f"{visits.ana}/blood-pressures", (visits.now + timedelta(seconds=1)).isoformat()
    for body, pointer in (
        ({"systolic": 80, "diastolic": 80}, "/diastolic"),
        ({"systolic": 120, "diastolic": 80, "measured_at": later}, "/measured_at"),
    ):
        refused = cast.bo.post(path, body)
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_the_diary_and_a_scale_speak_against_a_visit_too(visits: Visits, cast: Cast, clock: Clock) -> None:
    changed = entry(clock.now, medication={"opioid_changed": True})
    cast.ana.put(f"/entries/{uuid7()}", changed)
    answers = {"instrument": "audit-c", "answers": {"q1": 2, "q2": 1, "q3": 1}}
    scale = cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now, **answers))
    assert scale.status_code == 201, scale.text
    assert codes_of_a_new_draft(visits) == ["MISUSE", "INTERACT"]


def test_a_scale_left_open_speaks_by_what_was_answered(visits: Visits, cast: Cast, clock: Clock) -> None:
    answers = {"instrument": "audit-c", "answers": {"q1": 4, "q2": 4, "q3": None}}
    scale = cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now, **answers))
    assert (scale.status_code, scale.json["questionnaire_response"]["total"]) == (201, None)
    assert codes_of_a_new_draft(visits) == ["MISUSE"]
