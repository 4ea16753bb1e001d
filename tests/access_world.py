"""A clinic in which everything that a path can name exists, and everybody who might ask for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask
from uuid_utils.compat import uuid7

from schemas.scheduling_connection import ConnectionBody
from server.api.edge import Surroundings
from server.clinical.vocabulary import Purpose, ReviewCode, Role
from server.fhir.ids import Kind, Place, written
from server.services.visits import review_task as review_tasks
from server.services.visits.review_task import Finding
from server.services.work import Work, system
from tests import consents
from tests.cast import Cast, Person, entry, new_patient, new_staff, sign_in
from tests.conftest import Kept, bring_back, empty, keep
from tests.leaving import leaves
from tests.scales import filled
from tests.visits import Visits

NOBODY = "nobody"
# Who works at Ana's clinic, and by what she would be known in an answer once she leaves.
STAFF = ("bo", "coordinator", "admin")
HER_NAME = "Ana Canary-Aasen"
HERS = (
    *(
        "patient_id",
        "alert_id",
        "suggestion_id",
        "visit_id",
        "course_id",
        "session_id",
        "entry_id",
        "response_id",
    ),
    *("caregiver_id", "precaution_id", "pressure_id", "export_id", "resource_id", "observation_id"),
)
# The columns of the table, in its order: who asks for what belongs to Ana and her clinic.
WHO = (
    *("ana", "caregiver", "bo", "coordinator", "admin", "system"),
    *("neighbour", "cyd", "foreign_admin", "foreign_system", "foreign_patient"),
    *("revoked", NOBODY),
)
MEANING = {
    "ana": "a patient: the one it is about",
    "caregiver": "who looks after Ana, and may do all that a caregiver may",
    "bo": "a clinician of Ana's clinic, hers",
    "coordinator": "a coordinator of that clinic",
    "admin": "its administrator",
    "system": "its scheduling system",
    "neighbour": "another patient of the same clinic",
    "cyd": "a clinician of another clinic",
    "foreign_admin": "the administrator of another clinic",
    "foreign_system": "the scheduling system of another clinic",
    "foreign_patient": "a patient of another clinic",
    "revoked": "a clinician of Ana's clinic whose sign-in was ended",
    NOBODY: "no token",
}

# In which role each of them signs in; of the last nobody knows.
ROLE = {
    **dict.fromkeys(("ana", "neighbour", "foreign_patient"), Role.PATIENT),
    "caregiver": Role.CAREGIVER,
    **dict.fromkeys(("bo", "cyd"), Role.CLINICIAN),
    "coordinator": Role.COORDINATOR,
    **dict.fromkeys(("admin", "foreign_admin"), Role.CLINIC_ADMIN),
    **dict.fromkeys(("system", "foreign_system"), Role.INTEGRATION),
}


@dataclass(frozen=True)
class World:
    """Who asks, the ids of what they ask for (by the name in the path), and the rows of it all."""

    people: Mapping[str, Person | None]
    ids: Mapping[str, str]
    rows: Kept


def built(app: Flask, cast: Cast) -> World:
    """Return the world of ``cast``, built once; every further test gets its rows back."""
    database = Surroundings.of(app).database
    key = (database.engine.dialect.name, cast.ana.token)
    if key not in _BUILT:
        _BUILT[key] = build(app, cast)
    else:
        empty(database)
        bring_back(database, _BUILT[key].rows)
    return _BUILT[key]


_BUILT: dict[tuple[str, str], World] = {}


def build(app: Flask, cast: Cast) -> World:
    """Fill Ana's clinic."""
    visits = Visits(app, cast)
    ids = {"bo_id": str(cast.bo.account_id), "patient_id": str(cast.ana.patient_id)}
    ids |= {"key": "who-5", "week": "2026-W10", "policy_version": "1", "purpose": "research"}
    ids |= _treated(visits) | _logged(visits) | _listening(visits) | _measured(visits) | _known(visits)
    ids |= _leaving(visits)
    carer = consents.caregiver(cast)
    ids["caregiver_id"] = cast.ana.get("/me/caregivers").json["items"][0]["id"]
    people = {**_people(app, cast), "caregiver": carer}
    return World(people, ids, keep(Surroundings.of(app).database))


def left(cast: Cast, world: World) -> World:
    """Return the same world once Ana's erasure is confirmed; her rows are there still."""
    ana, admin = f"/patients/{world.ids['patient_id']}", cast.admin
    hold = admin.get(f"{ana}/legal-holds").json["items"][0]
    assert admin.post(f"{ana}/legal-holds/{hold['id']}/release", version=hold["version"]).status_code == 200
    known = cast.bo.get(ana).json["version"]
    assert cast.bo.patch(ana, {"name": HER_NAME}, version=known).status_code == 200
    leaves(cast, HER_NAME)
    return replace(world, rows=keep(Surroundings.of(cast.bo.client.application).database))


def _people(app: Flask, cast: Cast) -> Mapping[str, Person | None]:
    ours, theirs = cast.ana.clinic_id, cast.cyd.clinic_id
    gone = new_staff(app, ours, Role.CLINICIAN, "Gone")
    assert gone.delete("/sign-ins/current").status_code == 204
    return {
        "ana": cast.ana,
        "bo": cast.bo,
        "coordinator": cast.coordinator,
        "admin": cast.admin,
        "system": cast.scheduler,
        "neighbour": new_patient(app, ours, "Nia", cast.bo.account_id),
        "cyd": cast.cyd,
        "foreign_admin": new_staff(app, theirs, Role.CLINIC_ADMIN, "Gil"),
        "foreign_system": new_staff(app, theirs, Role.INTEGRATION, "Theirs"),
        "foreign_patient": cast.other_patient,
        "revoked": gone,
        NOBODY: None,
    }


def _treated(visits: Visits) -> dict[str, str]:
    """A session, an alert, a visit that its system has and about which something does not agree."""
    cast, made = visits.cast, _maker(visits.cast.admin)
    connection = made("/clinic/scheduling-connections", ConnectionBody.EXAMPLE)["connection"]["id"]
    suggestion = visits.approved()
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    session = visits.session(course, visits.now)["id"]
    mapping = f"/clinic/scheduling-connections/{connection}/mappings/patient/{cast.ana.patient_id}"
    assert cast.admin.put(mapping, {"theirs": "P-1"}).status_code == 200
    with Surroundings.of(visits.app).database.write() as opened:
        work = Work(opened, visits.now, system(cast.ana.clinic_id))
        task = review_tasks.raise_(work, Finding(ReviewCode.UNKNOWN_ID, "x", None, None))
        assert task is not None
    return {
        "connection_id": connection,
        "kind": "patient",
        "ours": str(cast.ana.patient_id),
        "suggestion_id": suggestion,
        "visit_id": suggestion,
        "course_id": course,
        "session_id": session,
        "alert_id": cast.bo.get("/alerts").json["items"][0]["id"],
        "task_id": str(task.id),
    }


def _logged(visits: Visits) -> dict[str, str]:
    """An entry and a filled scale of Ana's, and a draft that Bo tries on the past."""
    cast, entry_id, response_id = visits.cast, str(uuid7()), str(uuid7())
    assert cast.ana.put(f"/entries/{entry_id}", entry(visits.now)).status_code == 201
    put = cast.ana.put(f"/questionnaire-responses/{response_id}", filled(visits.now))
    assert put.status_code == 201
    replay = _maker(cast.bo)("/clinic/policy-replays", {"values": {"relapse.enter_days": 7}})["id"]
    return {
        "entry_id": entry_id,
        "response_id": response_id,
        "replay_id": replay,
        **resource_ids(cast.ana.patient_id, UUID(entry_id)),
    }


def resource_ids(patient_id: UUID | None, entry_id: UUID) -> dict[str, str]:
    """Return the ids of what an entry is in FHIR, by their names in `tests.access_matrix`."""
    assert patient_id is not None
    place = Place(Kind.ENTRY, patient_id, entry_id)
    return {"resource_id": written(place), "observation_id": written(replace(place, number=1))}


def _listening(visits: Visits) -> dict[str, str]:
    """Bo's telephone, her shift, and a webhook with an event that went out."""
    cast, made = visits.cast, _maker(visits.cast.admin)
    hook = {"account_id": str(cast.scheduler.account_id), "url": "https://hooks.example.org/a"}
    webhook = made("/clinic/webhooks", hook)["webhook"]["id"]
    event = cast.admin.post(f"/clinic/webhooks/{webhook}/test").json["id"]
    shift = {"account_id": str(cast.bo.account_id), "starts": "2026-03-02T18:00", "ends": "2026-03-03T08:00"}
    phone = {"channel": "sms", "number": "+4740000000"}
    return {
        "webhook_id": webhook,
        "delivery_id": event,
        "shift_id": made("/rota/shifts", shift)["id"],
        "contact_id": _maker(cast.bo)("/me/contact-points", phone)["id"],
    }


def _measured(visits: Visits) -> dict[str, str]:
    """What speaks for care with a visit of Ana's, and who is invited to her record."""
    bo = _maker(visits.cast.bo)
    address = {"email": "ana@home.example", "word": "harbour"}  # another one ends as she signs in
    invitation = bo(f"{visits.ana}/invitations", address)["id"]
    feed = _maker(visits.cast.admin)("/clinic/calendar-feeds", {"name": "Front desk"})
    return {
        "precaution_id": bo(f"{visits.ana}/precautions", {"code": "pregnancy"})["id"],
        "pressure_id": bo(f"{visits.ana}/blood-pressures", {"systolic": 128, "diastolic": 82})["id"],
        "invitation_id": invitation,
        "feed_id": feed["feed"]["id"],
        "feed_token": feed["url"].rpartition("/")[0].rpartition("/")[2],
    }


def _leaving(visits: Visits) -> dict[str, str]:
    """Links that Ana made to her journal, and a hold that keeps her record."""
    cast = visits.cast
    hold = {"reason": "A court has asked for the record."}
    consents.publish(cast, Purpose.RESEARCH)
    return {
        "export_id": _maker(cast.ana)("/me/exports", {"formats": ["json"]})["id"],
        "hold_id": _maker(cast.admin)(f"{visits.ana}/legal-holds", hold)["id"],
    }


def _known(visits: Visits) -> dict[str, str]:
    """Another telephone of Ana's, and an authenticator that Bo has yet to confirm."""
    cast = visits.cast
    sign_in(visits.app.test_client(), "demo", "ana@home.example")
    others = [one for one in cast.ana.get("/me/sign-ins").json["items"] if not one["is_this_one"]]
    factor = _maker(cast.bo)("/me/factors/totp", {"name": "telephone"})["id"]
    return {"sign_in_id": others[0]["id"], "factor_id": factor, "account_id": str(cast.bo.account_id)}


def _maker(who: Person) -> Callable[[str, Any], Any]:
    def made(path: str, body: Any) -> Any:
        answer = who.post(path, body)
        assert answer.status_code < 300, answer.text
        return answer.json

    return made
