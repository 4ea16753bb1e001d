"""What the clinic's suggested visits came to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from schemas.visit_yield import VisitYieldAnswer, VisitYieldQuery
from server.api.body import Blueprint
from server.api.edge import allow, reading
from server.clinical.visit_yield import Yield
from server.clinical.vocabulary import Role
from server.services.visits import visit_yield as visit_yields

blueprint = Blueprint("visit yield", __name__, description="What suggested visits came to, in figures")


@blueprint.route("/visit-yield", methods=["GET"])
@allow(Role.CLINICIAN, Role.CLINIC_ADMIN)
@blueprint.arguments(VisitYieldQuery, location="query")
@blueprint.response(200, VisitYieldAnswer)
def get_visit_yield(query: Mapping[str, Any]) -> Any:
    """Read how many visits were suggested, booked and kept in the last months, and whether they helped.

    Figures only: no patient is named, and what became of patients is withheld where they are few.
    """
    with reading() as work:
        found = visit_yields.read(work, query["months"])
    by_reason = [{"reason": key, **_told(one)} for key, one in found.report.by_reason.items()]
    return {"since": found.since, "total": _told(found.report.total), "by_reason": by_reason}


def _told(found: Yield) -> dict[str, Any]:
    declined = [{"code": code, "suggestions": n} for code, n in found.declined.items()]
    return {**asdict(found), "declined": declined}
