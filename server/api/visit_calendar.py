"""The patient's own appointment as a file for their calendar."""

from uuid import UUID

from flask import Response

from server.api.body import Blueprint
from server.api.calendar_feed import DRAWN, ICS
from server.api.edge import allow, reading
from server.api.entry import own_patient
from server.clinical.vocabulary import Role
from server.services.people import clinic as clinics
from server.services.visits import visit_calendar as visit_calendars

blueprint = Blueprint("visit calendars", __name__, description="A booked visit for the patient's calendar")


@blueprint.route("/visits/<uuid:visit_id>/calendar", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, DRAWN, content_type=ICS)
def get_visit_calendar(visit_id: UUID) -> Response:
    """Take your booked visit into your calendar: that it is a visit, and when. Take it anew when it moves."""
    from server.calendars.patient_visit import patient_visit  # late, as all that writes calendars

    with reading() as work:
        visit = visit_calendars.read(work, own_patient(), visit_id)
        text = patient_visit(visit, clinics.get(work).language)
    answer = Response(text, content_type=f"{ICS}; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer
