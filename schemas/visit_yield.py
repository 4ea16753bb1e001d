"""What suggested visits came to, in figures."""

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Rounded
from schemas.query import QueryWhole
from server.clinical.maintenance import Reason
from server.clinical.visit_yield import FEWEST, MONTHS, MOST_MONTHS
from server.clinical.vocabulary import DeclineCode

WITHHELD = f"null where fewer than {FEWEST} stand behind it"


class VisitYieldQuery(Body):
    """Over how many calendar months, the present one among them."""

    months = QueryWhole(low=1, high=MOST_MONTHS, load_default=MONTHS)


class DeclinedAnswer(Answer):
    """How many the clinic declined, for one reason."""

    code = Code(DeclineCode, required=True)
    suggestions = fields.Integer(required=True)


class DaysWaitedAnswer(Answer):
    """Days from the suggestion to the visit."""

    visits = fields.Integer(required=True)
    median = Rounded(required=True, allow_none=True, metadata={"description": WITHHELD})


class VisitResponsesAnswer(Answer):
    """After how many visits it is known whether they helped, and how many did."""

    known = fields.Integer(required=True)
    responded = fields.Integer(required=True, allow_none=True, metadata={"description": WITHHELD})
    share = Rounded(required=True, allow_none=True, metadata={"description": f"0-1; {WITHHELD}"})


class DaysGainedAnswer(Answer):
    """Days the benefit held after a visit; 0 where it did not help."""

    visits = fields.Integer(required=True)
    at_least = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": f"of them: held for longer than was seen; {WITHHELD}"},
    )
    median = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": f"Kaplan-Meier; null where more than half hold; {WITHHELD}"},
    )


class YieldAnswer(Answer):
    """How many suggestions got how far, and what came of them. Fulfilled ones were booked as well."""

    suggested = fields.Integer(required=True)
    approved = fields.Integer(required=True)
    booked = fields.Integer(required=True)
    fulfilled = fields.Integer(required=True)
    noshow = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    declined = fields.List(fields.Nested(DeclinedAnswer), required=True)
    dismissed = fields.Integer(required=True, metadata={"description": "by a clinician"})
    expired = fields.Integer(required=True)
    superseded = fields.Integer(required=True)
    under_way = fields.Integer(required=True)
    days_to_visit = fields.Nested(DaysWaitedAnswer, required=True)
    responses = fields.Nested(VisitResponsesAnswer, required=True)
    days_gained = fields.Nested(DaysGainedAnswer, required=True)


class ReasonYieldAnswer(YieldAnswer):
    """The same of the suggestions that were made for one reason."""

    reason = Code(Reason, required=True)


class VisitYieldAnswer(Answer):
    """Suggestions made from `since` on, all together and by reason. No patient is named."""

    since = Day(required=True)
    total = fields.Nested(YieldAnswer, required=True)
    by_reason = fields.List(fields.Nested(ReasonYieldAnswer), required=True)
