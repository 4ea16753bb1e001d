"""The clinic's thresholds on the wire: read, drafted, switched on by one of two."""

import threading
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from server.clinical.policy import THRESHOLDS
from server.database import Database
from server.models import AuditEvent, Clinic, PolicyVersion
from server.services.people import clinic as clinics
from server.services.watch import policy as policies
from server.services.work import Work, system
from tests.cast import Cast, entry
from tests.conftest import NOON
from tests.leaving import leaves

CALMER = {"relapse.ewma_limit": 3.2, "silence.usual_days": 7}


def drafted(cast: Cast, values: dict[str, Any], reason: str = "As agreed.") -> int:
    answer = cast.bo.post("/clinic/policies", {"values": values, "reason": reason})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/clinic/policies/{answer.json['version']}"
    return int(answer.json["version"])


def test_a_new_clinic_has_the_defaults_in_force_with_bounds_and_sources(cast: Cast) -> None:
    policy = cast.coordinator.get("/clinic/policy").json
    assert (policy["version"], policy["state"], policy["values"]) == (1, "in_force", {})
    assert (policy["reason"], policy["activated_at"]) == ("defaults", "2026-03-02T12:00:00+00:00")
    assert [one["key"] for one in policy["thresholds"]] == list(THRESHOLDS)
    limit = next(one for one in policy["thresholds"] if one["key"] == "relapse.ewma_limit")
    row = THRESHOLDS["relapse.ewma_limit"]
    bounds = {"value": row.default, "default": row.default, "low": row.low, "high": row.high}
    words = {"unit": row.unit, "source": row.source, "help": row.help, "overridden": False}
    assert limit == {"key": row.key, **bounds, **words}


def test_a_draft_changes_nothing_until_it_is_switched_on_and_both_reasons_are_kept(cast: Cast) -> None:
    version = drafted(cast, CALMER, "Two false alarms a week.")
    assert cast.bo.get("/clinic/policy").json["version"] == 1
    assert cast.bo.get(f"/clinic/policies/{version}").json["state"] == "draft"
    body = {"expected_version": 1, "reason": "The replay looks good."}
    switched = cast.bo.post(f"/clinic/policies/{version}/activate", body).json
    assert (switched["state"], switched["activated_by"], switched["replay"]) == ("in_force", "Bo", None)
    assert switched["activation_reason"] == "The replay looks good."
    policy = cast.admin.get("/clinic/policy").json
    assert (policy["version"], policy["reason"]) == (2, "Two false alarms a week.")
    changed = {one["key"]: one["value"] for one in policy["thresholds"] if one["overridden"]}
    assert changed == CALMER
    assert cast.bo.get("/clinic").json["policy_version"] == 2


def test_versions_are_listed_newest_first_and_by_pages(cast: Cast) -> None:
    for _ in range(3):
        newest = drafted(cast, CALMER)
    cast.bo.post("/clinic/policies/3/activate", {})
    first = cast.bo.get("/clinic/policies?limit=3").json
    assert [(one["version"], one["state"]) for one in first["items"]] == [
        (newest, "draft"),
        (3, "in_force"),
        (2, "draft"),
    ]
    second = cast.bo.get(f"/clinic/policies?limit=3&cursor={first['next_cursor']}").json
    assert [(one["version"], one["state"]) for one in second["items"]] == [(1, "replaced")]
    assert second["next_cursor"] is None


def test_a_draft_is_laid_over_the_defaults_not_over_the_version_before(cast: Cast) -> None:
    cast.bo.post(f"/clinic/policies/{drafted(cast, CALMER)}/activate", {})
    cast.bo.post(f"/clinic/policies/{drafted(cast, {'silence.usual_days': 6})}/activate", {})
    thresholds = cast.bo.get("/clinic/policy").json["thresholds"]
    assert {one["key"]: one["value"] for one in thresholds if one["overridden"]} == {"silence.usual_days": 6}


def test_everything_that_can_not_be_taken_is_named_at_once_with_its_pointer(cast: Cast) -> None:
    values = {
        "relapse.ewma_limit": 9,
        "relapse.mean_days": "7",
        "baseline.min_days": 21,
        "no/such~one": 1,
        "silence.usual_days": 10**400,
        "redflag.craving": 6.5,
    }
    answer = cast.bo.post("/clinic/policies", {"values": values, "reason": "Mistaken."})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert {one["pointer"]: one["detail"] for one in answer.json["errors"]} == {
        "/values/baseline.min_days": "baseline.min_days: 21 is more than baseline.window_days 14",
        "/values/no~1such~0one": "is not a threshold",
        "/values/relapse.ewma_limit": "9 is outside 0..5 SE",
        "/values/relapse.mean_days": "is not a number",
        "/values/silence.usual_days": "that is outside 2..21 days",
    }
    assert [one["version"] for one in cast.bo.get("/clinic/policies").json["items"]] == [1]


def test_of_two_people_who_switch_on_at_once_one_hears_of_the_other(cast: Cast) -> None:
    versions = [drafted(cast, {"silence.usual_days": days}) for days in (6, 7)]
    answers: list[Any] = []
    start = threading.Barrier(2)

    def switch_on(version: int) -> None:
        start.wait()
        answers.append(cast.bo.post(f"/clinic/policies/{version}/activate", {"expected_version": 1}))

    threads = [threading.Thread(target=switch_on, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.status_code for one in answers) == [200, 409]
    (won,) = [one.json["version"] for one in answers if one.status_code == 200]
    (lost,) = [one.json for one in answers if one.status_code == 409]
    assert lost["code"] == "policy-changed"
    assert cast.bo.get("/clinic/policy").json["version"] == won


def test_switching_on_again_is_harmless_and_an_old_version_does_not_come_back(cast: Cast) -> None:
    old, new = drafted(cast, CALMER), drafted(cast, {})
    for _ in range(2):
        assert cast.bo.post(f"/clinic/policies/{new}/activate", {}).status_code == 200
    refused = cast.bo.post(f"/clinic/policies/{old}/activate", {})
    assert (refused.status_code, refused.json["code"]) == (409, "policy-replaced")


def test_a_clinic_policy_that_contradicts_what_a_patient_has_is_refused_naming_both(cast: Cast) -> None:
    own = {"values": {"baseline.min_days": 14}, "reason": "Long series."}
    assert cast.bo.put(f"/patients/{cast.ana.patient_id}/policy", own).status_code == 200
    version = drafted(cast, {"baseline.window_days": 12})
    refused = cast.bo.post(f"/clinic/policies/{version}/activate", {})
    assert (refused.status_code, refused.json["code"]) == (409, "contradicts-patients")
    (error,) = refused.json["errors"]
    assert error["detail"] == (
        f"baseline.min_days: 14 is more than baseline.window_days 12, for patient {cast.ana.patient_id}"
    )
    assert cast.bo.get("/clinic/policy").json["version"] == 1


def test_what_somebody_has_who_is_about_to_be_erased_holds_no_policy_up(cast: Cast) -> None:
    own = {"values": {"baseline.min_days": 14}, "reason": "Long series."}
    assert cast.bo.put(f"/patients/{cast.ana.patient_id}/policy", own).status_code == 200
    leaves(cast)
    version = drafted(cast, {"baseline.window_days": 12})
    assert cast.bo.post("/clinic/policy-replays", {"version": version}).status_code == 202
    assert cast.bo.post(f"/clinic/policies/{version}/activate", {}).status_code == 200


def test_only_clinicians_change_the_policy_and_patients_do_not_see_it(cast: Cast) -> None:
    body = {"values": {}, "reason": "Mine."}
    for person in (cast.admin, cast.coordinator, cast.scheduler, cast.ana):
        assert person.post("/clinic/policies", body).status_code == 403
        assert person.post("/clinic/policies/1/activate", {}).status_code == 403
    for person in (cast.scheduler, cast.ana):
        for path in ("/clinic/policy", "/clinic/policies", "/clinic/policies/1"):
            assert person.get(path).status_code == 403


def test_another_clinic_sees_and_switches_on_only_its_own(cast: Cast) -> None:
    version = drafted(cast, CALMER)
    assert cast.cyd.get("/clinic/policy").json["version"] == 1
    assert cast.cyd.get(f"/clinic/policies/{version}").status_code == 404
    assert cast.cyd.post(f"/clinic/policies/{version}/activate", {}).status_code == 404
    assert cast.bo.get("/clinic/policies/999999999").status_code == 404
    assert cast.bo.get("/clinic/policies/1000000000").status_code == 404


@pytest.mark.parametrize("body", [{"values": {}}, {"values": [], "reason": "x"}, {"reason": "x"}])
def test_a_draft_says_what_and_why(cast: Cast, body: dict[str, Any]) -> None:
    assert cast.bo.post("/clinic/policies", body).status_code == 422


def test_who_changed_the_policy_is_on_record_and_the_reason_is_sealed(cast: Cast, database: Database) -> None:
    version = drafted(cast, CALMER, "canary of the clinic")
    cast.bo.post(f"/clinic/policies/{version}/activate", {"reason": "canary too"})
    with database.read() as session:
        rows = session.query(AuditEvent).filter(AuditEvent.action.like("policy.%")).order_by(AuditEvent.id)
        assert [(row.action, row.object_id, row.account_id) for row in rows] == [
            ("policy.draft", "2", cast.bo.account_id),
            ("policy.activate", "2", cast.bo.account_id),
        ]
        row = session.get_one(PolicyVersion, (cast.bo.clinic_id, version))
        assert b"canary" not in row.sealed_reason


def test_in_one_transaction_what_was_switched_on_is_in_force_at_once(cast: Cast, database: Database) -> None:
    version = drafted(cast, CALMER)
    with database.write() as session:
        work = Work(session, NOON, system(cast.bo.clinic_id))
        assert clinics.policy(work).version == 1
        policies.activate(work, version, None, None)
        assert (clinics.policy(work).version, clinics.policy(work)["silence.usual_days"]) == (2, 7)


def test_a_policy_that_later_rules_would_refuse_goes_on_and_no_entry_is_lost_over_it(
    cast: Cast, database: Database
) -> None:
    version = drafted(cast, CALMER)
    late = {"baseline.window_days": 28, "baseline.latest_days": 21}
    with database.write(cast.bo.clinic_id) as session:
        session.get_one(PolicyVersion, (cast.bo.clinic_id, version)).values = {**late, "no.such": 1}
        session.get_one(Clinic, cast.bo.clinic_id).policy_version = version
    assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON)).status_code == 201
    assert cast.bo.get("/clinic/policy").json["version"] == version
    again = cast.bo.post("/clinic/policies", {"values": late, "reason": "As it was."})
    assert again.status_code == 422, again.text
