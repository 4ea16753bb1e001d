"""What people do with an alert."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Id, Moment, Reason, Text
from server.clinical.vocabulary import Outcome, Usefulness, Verdict


class ResolutionBody(Body):
    """How an episode ended. Both are required: no alert is closed without a word."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "outcome": "contacted",
        "note": "Called; will come in on Thursday.",
    }

    outcome = Code(Outcome, required=True)
    note = Reason(required=True)


class VerdictBody(Body):
    """What a clinician says of a relapse alert, and why. It stays said."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "verdict": "confirmed",
        "reason": "PHQ-9 14 and low since Monday by her own account.",
    }

    verdict = Code(Verdict, required=True)
    reason = Reason(longest=500, required=True)


class SnoozeBody(Body):
    """Until when to put an alert off, and why. How long at the most is the clinic's policy, by urgency."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "until": "2026-03-02T15:00:00Z",
        "reason": "She asked to be called after work.",
    }

    until = Moment(required=True)
    reason = Reason(longest=500, required=True)


class AssignmentBody(Body):
    """Into whose hands, and what they should know."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "account_id": "0198f5a0-0000-7000-8000-000000000001",
        "note": "Knows her well.",
    }

    account_id = Id(required=True)
    note = Reason(longest=500, required=True)


class ReopeningBody(Body):
    """Why a closed alert is opened again."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "Closed the wrong one."}

    reason = Reason(longest=500, required=True)


class FeedbackBody(Body):
    """What you say of one rule that spoke in the alert: one of its `codes`."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"code": "safety_passing", "usefulness": "noise"}

    code = Text(longest=64, shortest=1, required=True)
    usefulness = Code(Usefulness, required=True)


class HandOverAnswer(Answer):
    """What changed hands."""

    account_id = Id(required=True)
    alerts = fields.List(Id(), required=True, metadata={"description": "the alerts handed over"})
    shift_ends = Moment(
        required=True, allow_none=True, metadata={"description": "until when they are on call in your place"}
    )
