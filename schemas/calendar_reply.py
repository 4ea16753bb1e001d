"""What became of an answer to an invitation."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code
from schemas.inbox import InboxAnswer
from server.clinical.calendar_reply import CalendarVerdict


class CalendarReplyAnswer(Answer):
    """`applied`: it moved the suggestion, or says what is so already; `noted`: it changes nothing; `stale`:
    older than another answer or than the visit's time; `review`: a person has to look.
    """

    verdict = Code(CalendarVerdict, required=True)
    suggestion = fields.Nested(InboxAnswer, required=True)
