"""For whoever runs this: does the process answer, and is the watch alive. Not part of the contract.

`/readyz` is for a monitor outside, not for a load balancer: while the job runner stands still, patients
must go on being able to log.
"""

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.api.edge import here, open_always, open_to_all
from server.api.errors import problem
from server.isolation import Extent
from server.services.health import Health, health, plain, troubles

blueprint = Blueprint("health", __name__)
_AWAY = {"code": "database-away", "detail": "The database can't be asked."}


def found() -> Health:
    """Return the figures of this moment; raises DBAPIError where the database can't be asked."""
    around = here()
    with around.database.read(Extent.ALL) as session:
        return health(session, around.clock(), around.limits)


@blueprint.get("/livez")
@open_always
def livez() -> Response:
    """Answer whatever else is wrong: the process is there."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@open_to_all
def readyz() -> Response:
    """Answer 200 while the watch is alive, else 503 with a list of what is wrong."""
    try:
        now = found()
    except (DBAPIError, PoolTimeout):
        return problem(503, "not-ready", "The watch may not be alive.", wrong=[_AWAY])
    figures = plain(now)
    # How many emergencies a clinic has open is not for everybody who knows the address.
    del figures["alerts"], figures["alerts_left"]
    if wrong := [{"code": one.code, "detail": one.detail} for one in troubles(now)]:
        return problem(503, "not-ready", "The watch may not be alive.", wrong=wrong, figures=figures)
    return jsonify(status="ok", figures=figures)
