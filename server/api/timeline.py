"""What the patient gets back of what they reported: the timeline, and what changed after a session."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from schemas.timeline import ResponsesAnswer, TimelinePage, TimelineQuery, TimelineScaleAnswer
from server.api.body import Blueprint
from server.api.edge import allow
from server.api.entry import own_entry, own_patient
from server.api.own_reading import reading_own
from server.api.paging import paged
from server.api.shapes import joined
from server.clinical.instruments import told as telling
from server.clinical.instruments.catalog import edition_of
from server.clinical.vocabulary import Role
from server.services.journal import timeline as timelines
from server.services.journal.timeline import TimelineDay
from server.services.watch import response as responses

blueprint = Blueprint(
    "timeline", __name__, description="What the patient reported, day by day, and what came of it"
)

NOT_SEEN: Mapping[UUID, datetime] = {}


@blueprint.route("/me/timeline", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(TimelineQuery, location="query")
@blueprint.response(200, TimelinePage)
def get_timeline(query: Mapping[str, Any]) -> Any:
    """Read your own days, newest first: entries, filled scales, sessions, and when your care team looked.

    A filled scale comes with its total in plain words; what it means is for you and your care team.
    """
    with reading_own("timeline.read") as work:

        def days(before: date | None, size: int) -> Any:
            return timelines.page(work, own_patient(), before, size)

        page = paged(query, days, lambda day: day.day.isoformat())
        return page | {"items": [_shown(day) for day in page["items"]]}


@blueprint.route("/me/response", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, ResponsesAnswer)
def get_own_response() -> Any:
    """Read in plain words how your entries changed after your latest sessions; nothing is predicted."""
    with reading_own("response.read") as work:
        return {"items": responses.read(work, own_patient())}


def _shown(day: TimelineDay) -> dict[str, Any]:
    return {
        "day": day.day,
        "entries": [own_entry(entry, day.seen_at) for entry in day.entries],
        "questionnaire_responses": [told(one, day.seen_at) for one in day.questionnaire_responses],
        "treatment_sessions": day.treatment_sessions,
        "seen_by_team": day.seen_by_team,
        "sentences": day.sentences,
    }


def told(response: Any, seen: Mapping[UUID, datetime] = NOT_SEEN) -> dict[str, Any]:
    """Return a filled scale in plain words; ``seen``: when the care team first saw it, by id."""
    made = edition_of(response.instrument, response.instrument_version, response.locale)
    scoring = made.scoring if telling.has_total(made) else None
    return joined(
        response,
        TimelineScaleAnswer,
        title=made.title,
        low=scoring and scoring.low,
        high=scoring and scoring.high,
        direction=made.direction,
        part=telling.part_of(made, response.total),
        sentences=telling.sentences(made, response.total, response.prorated),
        seen_by_team_at=seen.get(response.id),
    )
