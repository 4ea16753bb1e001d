"""A request whose transaction the database took back is answered by a second run, not by an error."""

from functools import partial, wraps
from typing import Any

from flask import Flask

from server.postgresql.rerun import rerun


def register(app: Flask) -> None:
    """Let every view run again where nothing of it was committed. Goes after the last blueprint."""
    for name, view in app.view_functions.items():
        app.view_functions[name] = _insistent(view)


def _insistent(view: Any) -> Any:
    @wraps(view)
    def insistent(*args: Any, **kwargs: Any) -> Any:
        return rerun(partial(view, *args, **kwargs))

    return insistent
