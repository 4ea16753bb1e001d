"""Settings of the generic HTTP kind for the small practice of the tests."""

from copy import deepcopy
from typing import Any

from tests.gateways.scheduling.small_clinic import SECRET, SIGNATURE

VISIT = {
    "external_id": "/visit/ref/number",
    "status": "/visit/phase",
    "starts_at": "/visit/when/from",
    "ends_at": "/visit/when/to",
    "changed_at": "/visit/touched",
    "decline": "/visit/why",
}
WISH = {
    "label": "{id}",
    "who": "{patient}",
    "length": "{minutes}",
    "note": "Visit between {earliest} and {latest}",
    "times": [{"from": "{window_starts_at}", "to": "{window_ends_at}"}],
}
# It is looked for by our id, and asked by its own.
SEARCHED: dict[str, Any] = {
    "base_url": "http://127.0.0.1:1/api",
    "auth": {"kind": "hmac", "header": SIGNATURE, "secret": SECRET, "encoding": "hex"},
    "operations": {
        "suggest": {"method": "POST", "path": "/visits", "body": WISH, "result": VISIT},
        "update": {"method": "PUT", "path": "/visits/{external_id}", "body": WISH},
        "find": {
            "path": "/visits",
            "query": {"label": "{id}"},
            "items": "/page/rows",
            "result": {"external_id": "/number", "reference": "/yours"},
        },
        "fetch": {"path": "/visits/{external_id}", "result": VISIT},
        "withdraw": {"method": "POST", "path": "/visits/{external_id}/drop"},
        "slots": {
            "path": "/openings",
            "query": {"from": "{earliest}", "to": "{latest}"},
            "items": "/openings",
            "result": {"starts_at": "/at", "external_id": "/key", "link": "/go"},
        },
    },
    "statuses": {
        "wished": "proposed",
        "in_review": "pending",
        "fixed": "booked",
        "arrived": "arrived",
        "closed": "fulfilled",
        "missed": "noshow",
        "dropped": "cancelled",
    },
    "declines": {"full": "no_capacity", "patient said no": "patient_refused"},
    "event": {
        "encoding": "json",
        "external_id": "/about/number",
        "suggestion_id": "/about/yours",
        "changed_at": "/at",
    },
}


def once() -> dict[str, Any]:
    """It is asked by our id, and an Idempotency-Key keeps it one visit; its messages are forms."""
    config = deepcopy(SEARCHED)
    del config["operations"]["find"], config["operations"]["slots"]
    config["once"] = True
    config["operations"]["fetch"]["path"] = "/labels/{id}"
    config["event"] = {"encoding": "form", "external_id": "/number"}
    return config


def slow() -> dict[str, Any]:
    """It accepts, and enters visits later."""
    config = deepcopy(SEARCHED)
    config["operations"]["suggest"]["ok"] = [202]
    return config
