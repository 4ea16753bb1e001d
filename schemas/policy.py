"""A clinic's thresholds: what is in force, and its versions."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Members, Moment, Reason, Whole
from schemas.query import QueryWhole
from server.clinical.policy import THRESHOLDS, WHOLE_UNITS, Threshold
from server.clinical.vocabulary import PolicyState

MOST_VALUES, NEWEST = 200, 999_999_999
VALUES: Mapping[str, float] = {"relapse.ewma_limit": 3.2, "silence.usual_days": 7}


class ThresholdValues(Members):
    """Values by the key of their threshold, maybe of some families only. The service judges all at once."""

    def __init__(self, families: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(metadata={"example": dict(VALUES)}, **kwargs)
        self.families = sorted(families)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, Any]:
        if isinstance(value, dict) and len(value) > MOST_VALUES:
            raise ValidationError(f"Has more than {MOST_VALUES} members.")
        return super()._deserialize(value, attr, data, **kwargs)

    def _member(self, key: str, member: Any) -> Any:
        return member


def threshold_schema() -> Mapping[str, Any]:
    """Return what values of thresholds may be, as JSON Schema says it."""
    return {
        "type": "object",
        "description": "Values by the key of their threshold. Some may not be more than another one.",
        "properties": {key: _bounds(one) for key, one in THRESHOLDS.items()},
        "additionalProperties": False,
    }


def _bounds(threshold: Threshold) -> Mapping[str, Any]:
    kind = "integer" if threshold.unit in WHOLE_UNITS else "number"
    return {"type": kind, "minimum": threshold.low, "maximum": threshold.high}


class VersionQuery(Body):
    """Paging by version, newest first."""

    cursor = QueryWhole(low=1, high=NEWEST, metadata={"description": "where the page before ended"})
    limit = QueryWhole(low=1, high=200, load_default=50, metadata={"description": "rows at the most"})


class PolicyBody(Body):
    """A new version: `values` are all that is to differ from the defaults, not from the version before."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "values": dict(VALUES),
        "reason": "Two false alarms a week; as agreed in the team.",
    }

    values = ThresholdValues(required=True)
    reason = Reason(required=True)


class ActivationBody(Body):
    """`expected_version` is the one you believe is in force: if it is not, nothing is changed (409)."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"expected_version": 1, "reason": "The replay shows fewer alarms."}

    expected_version = Whole(low=1, high=NEWEST)
    reason = Reason()


class SettingAnswer(Answer):
    """One threshold. `overridden`: it is set here, whatever the value."""

    key = fields.String(required=True, attribute="threshold.key", metadata={"example": "relapse.ewma_limit"})
    value = fields.Float(required=True)
    default = fields.Float(required=True, attribute="threshold.default")
    low = fields.Float(required=True, attribute="threshold.low")
    high = fields.Float(required=True, attribute="threshold.high")
    unit = fields.String(required=True, attribute="threshold.unit")
    source = fields.String(required=True, attribute="threshold.source")
    help = fields.String(required=True, attribute="threshold.help")
    overridden = fields.Boolean(required=True)


class PolicyVersionAnswer(Answer):
    """One version. Names of people; null: the system itself, or nobody yet."""

    version = fields.Integer(required=True, attribute="row.version")
    state = Code(PolicyState, required=True)
    values = fields.Dict(required=True, attribute="row.values")
    reason = fields.String(required=True, attribute="row.reason")
    created_at = Moment(required=True, attribute="row.created_at")
    created_by = fields.String(required=True, allow_none=True, metadata={"example": "Bo"})
    activated_at = Moment(required=True, allow_none=True)
    activated_by = fields.String(required=True, allow_none=True, metadata={"example": "Bo"})
    activation_reason = fields.String(required=True, allow_none=True)


class PolicyAnswer(PolicyVersionAnswer):
    """The version in force with every threshold."""

    thresholds = fields.List(fields.Nested(SettingAnswer), required=True)


class SwitchedAnswer(PolicyVersionAnswer):
    """The version that is in force now; `replay`: where the newest replay of it is found, if there is one."""

    replay = fields.String(
        required=True,
        allow_none=True,
        metadata={"example": "/v1/clinic/policy-replays/019caae3-5000-7000-8000-000000000001"},
    )


PolicyVersionPage = page_of(PolicyVersionAnswer, "PolicyVersionPage")
