"""Caregivers, as the patient sees them: whom they let in, what those did, and the end of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.base import PageQuery
from schemas.caregiver import (
    CaregiverAnswer,
    CaregiverBody,
    CaregiverList,
    DeedPage,
    InvitedCaregiverAnswer,
    ScopesBody,
)
from server.api.body import Blueprint
from server.api.edge import allow, reading, stepped_up, writing
from server.api.entry import own_patient
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.shapes import joined
from server.api.sharing import shares
from server.clinical.vocabulary import Purpose, Role
from server.services.people import caregiver as caregivers
from server.services.people import caregiver_invitation as caregiver_invitations

blueprint = Blueprint("caregivers", __name__, description="Whom a patient lets look after their diary")
ONE = "/me/caregivers/<uuid:caregiver_id>"


@blueprint.route("/me/caregivers", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, CaregiverList)
def list_caregivers() -> Any:
    """Read everybody you ever invited, what they may do, and when they last did something."""
    with reading() as work:
        return {"items": caregivers.of_patient(work, own_patient())}


@blueprint.route("/me/caregivers", methods=["POST"])
@allow(Role.PATIENT)
@stepped_up
@shares(Purpose.CAREGIVER)
@once()
@blueprint.arguments(CaregiverBody)
@blueprint.response(201, InvitedCaregiverAnswer)
def invite_caregiver(body: Mapping[str, Any]) -> Any:
    """Invite somebody. The code goes to that address by e-mail; the word is shown once, for you to pass on.

    They are good once, for 72 hours. The answer is the same for every address. You must have
    agreed to `caregiver` first, else 403.
    """
    with writing() as work:
        row, invited = caregiver_invitations.invite(work, own_patient(), body)
        return joined(
            row, InvitedCaregiverAnswer, word=invited.word, expires_at=invited.invitation.expires_at
        )


@blueprint.route(ONE, methods=["PATCH"])
@allow(Role.PATIENT)
@blueprint.arguments(ScopesBody)
@blueprint.response(200, CaregiverAnswer)
def change_caregiver(body: Mapping[str, Any], caregiver_id: UUID) -> Any:
    """Let a caregiver do other things from now on. Whatever is more than before needs a step-up (403)."""
    with writing() as work:
        return caregivers.change_scopes(work, own_patient(), caregiver_id, body["scopes"])


@blueprint.route(ONE, methods=["DELETE"])
@allow(Role.PATIENT)
@blueprint.response(204)
def end_caregiver(caregiver_id: UUID) -> Response:
    """End what a caregiver may do, at once; an open invitation ends with it. Again is harmless."""
    with writing() as work:
        caregivers.end(work, own_patient(), caregiver_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/deeds", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DeedPage)
def list_caregiver_deeds(query: Mapping[str, Any], caregiver_id: UUID) -> Any:
    """Read in plain words what a caregiver did with your diary, newest first."""
    with reading() as work:

        def rows(before: UUID | None, size: int) -> Any:
            return caregivers.deeds(work, own_patient(), caregiver_id, before, size)

        return paged(query, rows)
