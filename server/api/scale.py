"""The scales a clinic offers."""

from collections.abc import Mapping
from typing import Any

from schemas.scale import ScaleAnswer, ScaleList, ScaleQuery, ScaleTextBody
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.clinical.vocabulary import Role, Scope
from server.services.scales import scale as scales

# Everybody but caregivers: what they may call is a short list of its own.
READERS = tuple(role for role in Role if role is not Role.CAREGIVER)
blueprint = Blueprint("scales", __name__, description="Validated scales: questions, answers, notices")


@blueprint.route("/scales", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.arguments(ScaleQuery, location="query")
@blueprint.response(200, ScaleList)
def list_scales(query: Mapping[str, Any]) -> Any:
    """Read the newest version of every scale your clinic offers."""
    with reading() as work:
        return {"items": scales.page(work, query["locale"])}


@blueprint.route("/scales/<key>", methods=["GET"])
@allow(*READERS, scope=Scope.VISITS)
@blueprint.arguments(ScaleQuery, location="query")
@blueprint.response(200, ScaleAnswer)
def get_scale(query: Mapping[str, Any], key: str) -> Any:
    """Read one scale as the app shows it."""
    with reading() as work:
        return scales.get(work, key, query["locale"])


@blueprint.route("/clinic/scales/<key>", methods=["PUT"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(ScaleTextBody)
@blueprint.response(200, ScaleAnswer)
def fill_scale(body: dict[str, Any], key: str) -> Any:
    """Put the words your clinic is licensed to hold into a scale that is shipped without any."""
    with writing() as work:
        return scales.fill(work, key, body)
