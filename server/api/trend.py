"""The trend with treatment sessions on it, for the patient and for the care team."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response

from schemas.trend import TrendAnswer, TrendQuery
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.entry import own_patient
from server.api.own_reading import reading_own
from server.api.sharing import shares
from server.clinical.instruments import told
from server.clinical.vocabulary import Arm, Purpose, Role
from server.rendering.trend_svg import PANELS_MOST, Chart, Line, Panel, draw
from server.services.journal import trend as trends
from server.services.journal.trend import Trend
from server.services.people import consent as consents

blueprint = Blueprint("trend", __name__, description="Symptoms by day, with the sessions on them")
CARE = (Role.CLINICIAN, Role.COORDINATOR)
SVG = "image/svg+xml"
DRAWN = {"type": "string", "description": "an SVG that stands alone, with title and description"}


@blueprint.route("/me/trend", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendAnswer)
def get_own_trend(query: Mapping[str, Any]) -> Any:
    """Read your own trend: what you reported, day by day, nothing concluded from it."""
    with reading_own("trend.read") as work:
        return trends.read(work, own_patient(), query.get("first"), query.get("last"))


@blueprint.route("/patients/<uuid:patient_id>/trend", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, TrendAnswer)
def get_trend(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's trend. Audited."""
    with writing() as work:
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        work.audit("trend.read", patient_id)
        return trends.read(work, patient_id, query.get("first"), query.get("last"))


@blueprint.route("/me/trend.svg", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, DRAWN, content_type=SVG)
def draw_own_trend(query: Mapping[str, Any]) -> Response:
    """Draw your own trend: both arms, gaps as gaps, the scales you filled, your sessions with their dates."""
    with reading_own("trend.read") as work:
        return _drawn(trends.read(work, own_patient(), query.get("first"), query.get("last")))


@blueprint.route("/patients/<uuid:patient_id>/trend.svg", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(TrendQuery, location="query")
@blueprint.response(200, DRAWN, content_type=SVG)
def draw_trend(query: Mapping[str, Any], patient_id: UUID) -> Response:
    """Draw a patient's trend. Audited."""
    with writing() as work:
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        work.audit("trend.read", patient_id)
        return _drawn(trends.read(work, patient_id, query.get("first"), query.get("last")))


def _drawn(trend: Trend) -> Response:
    chart = Chart(
        first=trend.first,
        last=trend.last,
        title=f"Symptoms by day, {trend.first} to {trend.last}",
        lines=[Line(arm.value.title(), _values(trend, arm)) for arm in Arm],
        marks=[(day.day, session.status) for day in trend.days for session in day.treatment_sessions],
        ends=("no symptoms", "most symptoms"),
        panels=_panels(trend),
    )
    return Response(draw(chart), mimetype=SVG)


def _panels(trend: Trend) -> list[Panel]:
    """Return the scales filled last, by title. A drawing is passed on easily: guarded ones are not in it."""
    found = []
    for series in trend.scales:
        made = series.instrument
        values = [(one.day, one.total) for one in series.responses if one.total is not None]
        if values and not told.is_guarded(made):
            name = told.headline(made)
            found.append(Panel(name, values, made.scoring.low, made.scoring.high))
    found.sort(key=lambda panel: panel.values[-1][0], reverse=True)
    return sorted(found[:PANELS_MOST], key=lambda panel: panel.name)


def _values(trend: Trend, arm: Arm) -> dict[date, float]:
    found = ((day.day, day.composites[arm]) for day in trend.days)
    return {day: value for day, value in found if value is not None}
