"""Answers to calendar invitations, passed on by the clinic's mail server as they came."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from schemas.calendar_reply import CalendarReplyAnswer
from server.api.body import Blueprint
from server.api.edge import allow, body_up_to, reading, writing
from server.api.raw import read_raw, takes_raw
from server.calendars.kinds import CALENDAR, MAIL
from server.clinical.vocabulary import Role, Scope
from server.services.errors import Invalid
from server.services.visits import calendar_reply as calendar_replies

blueprint = Blueprint("calendar replies", __name__, description="Answers to calendar invitations")
# A mail that says yes or no. More of it would only take longer to read.
LARGEST = 131_072
_OBJECT = "\r\n".join(
    [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Some program//EN", "METHOD:REPLY", "BEGIN:VEVENT"),
        "UID:019caae3-5000-7000-8000-000000000001@visits.afterglow.invalid",
        *("SEQUENCE:3", "DTSTAMP:20260303T080000Z", "DTSTART;VALUE=DATE:20260305"),
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:scheduling@clinic.example",
        *("END:VEVENT", "END:VCALENDAR", ""),
    ]
)
_WHOLE_MAIL = "\r\n".join(
    [
        *("From: scheduling@clinic.example", "To: visits@journal.example", "MIME-Version: 1.0"),
        *('Content-Type: text/calendar; method=REPLY; charset="utf-8"', "", _OBJECT),
    ]
)
EXAMPLES: Mapping[str, str] = MappingProxyType({CALENDAR: _OBJECT, MAIL: _WHOLE_MAIL})


@blueprint.route("/inbox/calendar-replies", methods=["POST"])
@allow(Role.INTEGRATION, scope=Scope.VISITS)
@body_up_to(LARGEST)
@blueprint.response(200, CalendarReplyAnswer)
@takes_raw(EXAMPLES)
def take_calendar_reply() -> Any:
    """Pass an answer to an invitation on: the whole mail, or its calendar part. Again, or late, is harmless.

    Accepted with a time of the clinic's own (COUNTER, or a time where days were asked) books; declined
    declines, or cancels what is booked; anything else shows that somebody has looked.
    """
    # Imported late: reading calendars takes a large library, and most processes never do.
    from server.calendars.parts import uid_of
    from server.calendars.reply import read_object, read_reply

    kind, body = read_raw(MAIL, CALENDAR)
    with reading() as work:
        zone = calendar_replies.zone(work)
    try:
        reply = read_reply(body, zone) if kind == MAIL else read_object(body, zone)
    except ValueError as problem:
        raise Invalid("", f"{str(problem).capitalize()}.") from None
    with writing() as work:
        return calendar_replies.take(work, reply, uid_of(reply.suggestion_id))
