"""Who finds no place (`server.turnstile`) is told to come again, at no cost to those who work."""

from flask import Flask, Response, request

from server.api.errors import problem
from server.turnstile import TURNED_AWAY

_TEXT = "Too much is asked for at once. Nothing was stored. Send the same again later."


def register(app: Flask) -> None:
    """Turn away whoever is marked so. Goes after what only takes notes."""
    app.before_request(_turn_away)


def _turn_away() -> Response | None:
    return problem(503, "unavailable", _TEXT) if TURNED_AWAY in request.environ else None
