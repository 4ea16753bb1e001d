"""Where a suggestion's copy in the clinic's scheduling system stands."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Id, Moment
from server.clinical.vocabulary import CopyState, PeerStatus


class SchedulingCopyAnswer(Answer):
    """`sent_version`: the newest version of ours that the system has, 0 for none. `failure`: our code."""

    suggestion_id = Id(required=True)
    connection_id = Id(required=True)
    state = Code(CopyState, required=True)
    external_id = fields.String(required=True, allow_none=True)
    sent_version = fields.Integer(required=True)
    peer_status = Code(PeerStatus, required=True, allow_none=True)
    peer_changed_at = Moment(required=True, allow_none=True)
    due_at = Moment(required=True, metadata={"description": "when it is told or asked next"})
    failures = fields.Integer(required=True, metadata={"description": "in a row"})
    failure = fields.String(required=True, allow_none=True, metadata={"example": "timeout"})
