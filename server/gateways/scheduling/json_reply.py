"""Reading what a system answered in JSON."""

import json
from typing import Any

from server.gateways.exchange import Reply
from server.gateways.message import SendError


def read_object(reply: Reply) -> dict[str, Any]:
    """Return the object in ``reply``; raise `SendError` where it was cut off or is none."""
    try:
        found = json.loads(reply.body) if reply.whole else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SendError(False, "unreadable", in_doubt=True)
    return found
