"""The clinic's scheduling system, what it calls our things, and the messages it sent."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate
from marshmallow.utils import get_value

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Id, Moment, Text
from schemas.query import QueryWhole
from schemas.spelling import Fully
from server.clinical.vocabulary import ConnectionKind, EventState, MappingKind, ProofScheme

MOST_MEMBERS = 64
# Room for a private key and a template.
MOST_LETTERS = 20_000
_has_few_members = validate.Length(max=MOST_MEMBERS)
_TEXT = Text(longest=MOST_LETTERS, lines=True)
STANDARD: Mapping[str, str] = {"scheme": ProofScheme.STANDARD}
_EXAMPLE: Mapping[str, Any] = {
    "kind": "fhir",
    "name": "The clinic's FHIR server",
    "config": {"base_url": "https://fhir.example.org/r4", "auth": {"kind": "bearer", "token": "a-token"}},
    "proof": {"scheme": "hmac_hex", "header": "x-signature", "id_header": "x-event-id"},
}


class ConfigMembers(fields.Dict):
    """The settings of one kind of system; what they may be is said on the kind's page of the docs.

    Whatever they are, no text in them holds what no text may hold.
    """

    def __init__(self, required: bool = True) -> None:
        about = "see the page of the kind: docs/scheduling.md"
        sound = (_has_few_members, _has_sound_texts)
        super().__init__(
            keys=fields.String(), required=required, validate=sound, metadata={"description": about}
        )


def _has_sound_texts(value: Any) -> None:
    """Raise ValidationError where a text in ``value`` holds what none may. Nothing is changed."""
    if isinstance(value, dict):
        _has_sound_texts([*value, *value.values()])
    elif isinstance(value, list):
        for one in value:
            _has_sound_texts(one)
    elif isinstance(value, str):
        _TEXT.deserialize(value)


class HeaderName(fields.String):
    """The name of a header, in small letters (RFC 9110)."""

    def __init__(self, example: str) -> None:
        token = Fully("^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$", error="Must be a header's name.")
        super().__init__(validate=token, metadata={"example": example})


class ProofBody(Body):
    """How the system signs what it sends us: Standard Webhooks, or an HMAC (SHA-256) in its own header."""

    scheme = Code(ProofScheme, required=True)
    header = HeaderName("x-signature")
    id_header = HeaderName("x-event-id")


class ConnectionBody(Body):
    """How the clinic's scheduling system is reached."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = _EXAMPLE

    kind = Code(ConnectionKind, required=True)
    name = Text(longest=100, shortest=1, required=True)
    config = ConfigMembers()
    proof = fields.Nested(ProofBody, load_default=STANDARD)


class ConnectionChanges(Body):
    """Name, settings and proof; `config` and `proof` each as a whole, or left out to stay as it is."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {name: _EXAMPLE[name] for name in ("name", "config", "proof")}

    name = Text(longest=100, shortest=1, required=True)
    config = ConfigMembers(required=False)
    proof = fields.Nested(ProofBody)


class ConnectionAnswer(Answer):
    """A connection. Its settings and secrets are never shown; `failure` is a code of ours."""

    id = Id(required=True)
    kind = Code(ConnectionKind, required=True)
    name = fields.String(required=True, metadata={"example": "The clinic's FHIR server"})
    proof = fields.Dict(required=True, metadata={"description": "how its messages are signed"})
    version = fields.Integer(required=True)
    created_at = Moment(required=True)
    checked_at = Moment(
        required=True, allow_none=True, metadata={"description": "when all open visits were last compared"}
    )
    answered_at = Moment(required=True, allow_none=True, metadata={"description": "its last good answer"})
    failing_since = Moment(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True, metadata={"example": "refused_401"})
    retired_at = Moment(required=True, allow_none=True)
    events_path = fields.Function(
        lambda row: f"/v1/scheduling-events/{get_value(row, 'id')}",
        required=True,
        metadata={"type": "string", "description": "where its system sends messages, under our address"},
    )


class ConnectionList(Answer):
    """The clinic's connections, oldest first; at most one is in use."""

    items = fields.List(fields.Nested(ConnectionAnswer), required=True)


class SignedConnectionAnswer(Answer):
    """A connection and the secret that signs what its system sends us, which is shown here once."""

    connection = fields.Nested(ConnectionAnswer, required=True)
    secret = fields.String(required=True, metadata={"example": "whsec_…"})


class MappingBody(Body):
    """What the clinic's system calls one thing of ours."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"theirs": "Patient/4711"}

    theirs = Text(longest=200, shortest=1, required=True)


class MappingAnswer(Answer):
    """One line. `ours`: a patient's or clinician's id, `maintenance_visit`, or `*` for every other one."""

    kind = Code(MappingKind, required=True)
    ours = fields.String(required=True, metadata={"example": "maintenance_visit"})
    theirs = fields.String(required=True, metadata={"example": "Patient/4711"})


class TextPageQuery(Body):
    """Paging by cursor, where rows have no id of ours: pass the answer's `next_cursor` back."""

    cursor = Text(longest=300, metadata={"description": "where the page before ended"})
    limit = QueryWhole(low=1, high=200, load_default=50, metadata={"description": "rows at the most"})


class SchedulingEventAnswer(Answer):
    """One message of the clinic's system, without what it said."""

    event_id = fields.String(required=True)
    state = Code(EventState, required=True)
    verdict = fields.String(required=True, allow_none=True, metadata={"example": "followed"})
    suggestion_id = Id(required=True, allow_none=True)
    received_at = Moment(required=True)


class ReceiptAnswer(Answer):
    """A message was kept. `known`: it had come before, so nothing more follows from it."""

    known = fields.Boolean(required=True)


MappingPage = page_of(MappingAnswer, "MappingPage")
SchedulingEventPage = page_of(SchedulingEventAnswer, "SchedulingEventPage")
