"""The erasure of a patient."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Id, Moment, Text
from server.clinical.vocabulary import ASKED_REASONS, ErasureReason, ErasureState


class ErasureBody(Body):
    """Why a patient is to be erased."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "patient_asked"}

    reason = Code(ErasureReason, ASKED_REASONS, required=True)


class ErasureConfirmation(Body):
    """The patient's name, typed by whoever confirms, to say that they are meant."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"patient_name": "Lou"}

    patient_name = Text(longest=200, shortest=1, required=True)


class ErasureAnswer(Answer):
    """How far it is. `counts` says how many rows went of which table: the receipt, once it is done."""

    id = Id(required=True)
    patient_id = Id(required=True)
    state = Code(ErasureState, required=True)
    reason = Code(ErasureReason, required=True)
    asked_by = Id(required=True, allow_none=True)
    asked_at = Moment(required=True)
    confirmed_by = Id(required=True, allow_none=True)
    confirmed_at = Moment(required=True, allow_none=True)
    due_at = Moment(required=True, allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    receipt_hash = fields.String(required=True, allow_none=True)
    finished_at = Moment(required=True, allow_none=True)
    version = fields.Integer(required=True)
