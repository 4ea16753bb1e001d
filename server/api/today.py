"""What is due now, and where the patient is."""

from collections.abc import Mapping
from typing import Any

from schemas.today import TodayAnswer, ZoneAnswer, ZoneBody
from server.api.body import Blueprint
from server.api.edge import allow, here, reading, writing
from server.api.entry import own_patient
from server.api.spoken import language_of
from server.clinical.vocabulary import Role
from server.services.journal import today as todays
from server.services.people import patient as patients
from server.services.people import zone_change as zone_changes

blueprint = Blueprint("today", __name__, description="What is due now, and who reads it when")


@blueprint.route("/me/today", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, TodayAnswer)
def get_today() -> Any:
    """Read what is due now and what is done, who reads your diary when, and whom to call."""
    with reading() as work:
        return todays.read(work, own_patient(), here().crisis_lines, language_of(work))


@blueprint.route("/me/zone", methods=["PATCH"])
@allow(Role.PATIENT)
@blueprint.arguments(ZoneBody)
@blueprint.response(200, ZoneAnswer)
def report_zone(body: Mapping[str, Any]) -> Any:
    """Say which time zone you are in; saying it again changes nothing. Reminders follow at once."""
    with writing() as work:
        since = zone_changes.noticed_at(work, body.get("since"), body.get("sent_at"))
        patient = patients.report_zone(work, own_patient(), body["zone"], since)
        return {"patient_id": patient.id, "zone": patient.zone}
