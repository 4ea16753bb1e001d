"""One id for everything that a request leaves behind, and one line a request in the log.

The line holds the route's template, never the path (a calendar's address is a secret), no query and no
body; the id may come from a proxy in `X-Request-Id` and goes back in the same header.
"""

import logging
import re
from time import perf_counter

from flask import Flask, Response, g, request
from uuid_utils.compat import uuid7

from server.api.address import client_address
from server.logs import REQUEST_ID
from server.turnstile import arrived

log = logging.getLogger("afterglow.access")

HEADER = "X-Request-Id"
# What a proxy makes. Anything else may have been chosen to be mistaken for something.
_GOOD = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def register(app: Flask) -> None:
    """Give each request of ``app`` its id and its line. Goes first, so that its line comes last."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    said = request.headers.get(HEADER, "")
    g.request_id = said if _GOOD.fullmatch(said) else str(uuid7())
    g.request_begun = arrived(request.environ)
    REQUEST_ID.set(g.request_id)


def _end(answer: Response) -> Response:
    answer.headers[HEADER] = g.request_id
    if not log.isEnabledFor(logging.INFO):
        return answer
    fields = {
        "method": request.method if request.method in _METHODS else "other",
        "route": "none" if request.url_rule is None else request.url_rule.rule,
        "status": answer.status_code,
        "ms": round((perf_counter() - g.request_begun) * 1000, 1),
        "address": client_address(),
    }
    if (who := g.get("actor")) is not None:
        fields |= {"clinic": str(who.clinic_id), "account": str(who.account_id)}
    # Not `log.info`: it would look for the file and line of the caller, which is always this one.
    line = log.makeRecord(log.name, logging.INFO, "", 0, "answered", (), None, extra={"fields": fields})
    log.handle(line)
    return answer
