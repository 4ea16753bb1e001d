"""The clinic's calendar feeds: kept by its staff, read by calendar programs, which can't sign in."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from flask import Response, request

from schemas.calendar_feed import CalendarFeedBody, CalendarFeedList, OpenedCalendarFeedAnswer
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, here, open_with_proof, reading, writing
from server.api.kept_answer import once
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Language, Role
from server.isolation import Extent
from server.services.people import clinic as clinics
from server.services.visits import calendar_feed as calendar_feeds

blueprint = Blueprint("calendar feeds", __name__, description="The clinic's visits in its calendar programs")
KEEPERS = (Role.COORDINATOR, Role.CLINIC_ADMIN)
ICS = "text/calendar"
DRAWN = {"type": "string", "description": "an iCalendar object (RFC 5545) without health data"}


@blueprint.route("/clinic/calendar-feeds", methods=["GET"])
@allow(*KEEPERS)
@blueprint.response(200, CalendarFeedList)
def list_calendar_feeds() -> Any:
    """Read the clinic's calendar feeds in use: for whom each is, and when it was last read."""
    with reading() as work:
        return {"items": calendar_feeds.listed(work)}


@blueprint.route("/clinic/calendar-feeds", methods=["POST"])
@allow(*KEEPERS)
@once()
@blueprint.arguments(CalendarFeedBody)
@blueprint.response(201, OpenedCalendarFeedAnswer)
def create_calendar_feed(body: Mapping[str, Any]) -> Any:
    """Make a private address for a calendar program. It is shown once: whoever knows it reads the visits."""
    with writing() as work:
        opened = calendar_feeds.create(work, body["name"])
        url = f"{here().settings.base_url}/v1/calendar-feeds/{opened.token}/visits.ics"
        return {"feed": opened.feed, "url": url}


@blueprint.route("/clinic/calendar-feeds/<uuid:feed_id>", methods=["DELETE"])
@allow(*KEEPERS)
@blueprint.response(204)
def delete_calendar_feed(feed_id: UUID) -> Response:
    """Take an address away. From the next reading on it is one that never was."""
    with writing() as work:
        calendar_feeds.revoke(work, feed_id)
    return Response(status=204)


@blueprint.route("/calendar-feeds/<feed_token>/visits.ics", methods=["GET"])
@open_with_proof
@blueprint.response(200, DRAWN, content_type=ICS, headers=documented_headers("ETag"))
@blueprint.alt_response(304, description="It is what the ETag in If-None-Match names.", success=True)
def read_calendar_feed(feed_token: str) -> Response:
    """Read the visits of the last 30 and the next 180 days, suggested and booked. The address is the key.

    Send the ETag back in If-None-Match: an answer without a body says that nothing has changed.
    """
    answer = Response(_drawn(feed_token), content_type=f"{ICS}; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _drawn(token: str) -> bytes:
    # Imported late, as all that writes calendars: its library is large, and most processes never need it.
    from server.calendars.feed import Shown, feed

    visits, zone, language = _read(token)
    return feed(visits, Shown(parseaddr(here().settings.mail_from)[1], zone, language))


def _read(token: str) -> tuple[list[Proposed], str, Language]:
    """Return the visits behind an address, and the zone and language of their clinic."""
    now = here().clock()
    with here().database.read(Extent.DOOR) as session:
        work, found = calendar_feeds.behind(session, token, now)
        clinic = clinics.get(work)
        zone, language = clinic.zone, clinic.language
        visits, is_due = list(calendar_feeds.visits(work)), calendar_feeds.is_to_be_noted(found, now)
    if is_due:
        with here().database.write(Extent.DOOR) as session:
            work, found = calendar_feeds.behind(session, token, now)
            calendar_feeds.note_read(work, found)
    return visits, zone, language
