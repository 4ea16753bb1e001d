"""An answer to an invitation as it comes by mail (iMIP, RFC 6047), or its calendar part alone."""

from collections.abc import Mapping
from email import policy
from email.message import Message
from email.parser import BytesParser
from types import MappingProxyType

from icalendar import Event, vCalAddress

from server.calendars.kinds import CALENDAR
from server.calendars.read import NONSENSE, named, parsed, told, visit_in
from server.clinical.calendar_reply import CalendarAnswer, CalendarReply

_KINDS = (CALENDAR, "application/ics")
# No answer has more parts inside parts. Each one more makes every line of a mail dearer to read.
_MOST_PARTS = 20
_REPLY, _COUNTER = "REPLY", "COUNTER"
_PASSED_ON = "DELEGATED"
# DELEGATED and whatever comes later is no answer yet.
_ANSWERS: Mapping[str, CalendarAnswer] = MappingProxyType({answer.name: answer for answer in CalendarAnswer})


def read_reply(mail: bytes, zone: str = "UTC") -> CalendarReply:
    """Return the answer in a whole mail; ValueError where there is none.

    ``zone``: whose clock a time without a zone means, the clinic's.
    Some servers take the METHOD out of the MIME header; one that says another than the object is refused.
    """
    try:
        part, method = _calendar_part(mail)
    except NONSENSE:
        raise ValueError("the mail holds no calendar part that can be read") from None
    return _read(part, method, zone)


def read_object(raw: bytes, zone: str = "UTC") -> CalendarReply:
    """Return the answer in a calendar object alone; ValueError where there is none. ``zone``: as there."""
    return _read(raw, None, zone)


def _calendar_part(mail: bytes) -> tuple[bytes, str | None]:
    small = mail.lower()
    if small.count(b"multipart") + small.count(b"message/") > _MOST_PARTS:
        raise ValueError("it has too many parts")
    # The old policy: the new one takes minutes over a header with many parameters.
    message = BytesParser(policy=policy.compat32).parsebytes(mail)
    part = next((part for part in message.walk() if part.get_content_type() in _KINDS), None)
    if part is None:
        raise ValueError("it has no calendar part")
    method = part.get_param("method")
    return _bytes(part), None if method is None else str(method).upper()


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise ValueError("it has no content")
    return content.decode(part.get_content_charset("utf-8")).encode()


def _read(raw: bytes, expected: str | None, zone: str) -> CalendarReply:
    made = parsed(raw)
    method = str(made.get("METHOD", "")).upper()
    if method not in (_REPLY, _COUNTER) or expected not in (None, method):
        raise ValueError("it is no answer to an invitation")
    event, counters = visit_in(made), method == _COUNTER
    answer = _answer(event, counters)
    if not counters and (answer is not CalendarAnswer.ACCEPTED or "DTSTART" not in event):
        # It only repeats the time that was asked, or leaves it out (RFC 5546, 3.2.3).
        return CalendarReply(*named(made), answer)
    found = told(made, zone)
    return CalendarReply(found.suggestion_id, found.order, answer, counters, found.starts_at, found.ends_at)


def _answer(event: Event, counters: bool) -> CalendarAnswer:
    said = str(_attendee(event).params.get("PARTSTAT", "")).upper()
    if said not in _ANSWERS and not counters:
        raise ValueError("it is no answer to an invitation")
    # Who asks for another time has not said no.
    return _ANSWERS.get(said, CalendarAnswer.TENTATIVE)


def _attendee(event: Event) -> vCalAddress:
    """Return who answers; who stands in for somebody names them as well (RFC 5546, 4.2.6)."""
    found = event.get("ATTENDEE")
    people = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, vCalAddress)]
    if len(people) > 1:
        people = [one for one in people if str(one.params.get("PARTSTAT", "")).upper() != _PASSED_ON]
    if len(people) != 1:
        raise ValueError("an answer is one person's")
    return people[0]
