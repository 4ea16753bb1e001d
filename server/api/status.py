"""Whether the service is alive and ready."""

from typing import Any

from sqlalchemy import text

from schemas.base import ServiceStatus
from server.api.body import Blueprint
from server.api.edge import here, open_always
from server.isolation import Extent

blueprint = Blueprint("status", __name__, description="Is the service up")


@blueprint.route("/status", methods=["GET"])
@open_always
@blueprint.response(200, ServiceStatus)
def get_status() -> Any:
    """Answer 200 when the database answers and is migrated, else 503."""
    with here().database.read(Extent.NONE) as session:
        session.execute(text("SELECT count(*) FROM clinics"))
    return {"status": "ok"}
