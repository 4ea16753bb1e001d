"""The part of the contract's story in which an answer cannot wait, and what the care team does about it."""

from collections.abc import Callable
from typing import Any

from schemas.alert_handling import FeedbackBody, ReopeningBody, ResolutionBody, SnoozeBody
from tests.contract_rota import Tokens

Ask = Callable[..., Any]


def play(ask: Ask, clinic: Tokens) -> None:
    """Bo takes the alert on, puts it off, gives it to herself, closes it, and opens and closes it again."""
    bo = clinic.clinician
    alert = ask(bo, "get /v1/alerts")["items"][0]["id"]
    me = ask(bo, "get /v1/me")["account_id"]
    one = "/v1/alerts/{alert_id}"

    def do(verb: str, body: Any = None) -> None:
        ask(bo, f"post {one}/{verb}", body, alert_id=alert, version=version())

    def version() -> int:
        found: int = ask(bo, f"get {one}", alert_id=alert)["version"]
        return found

    do("acknowledge")
    do("snooze", {**SnoozeBody.EXAMPLE, "until": "2026-05-02T20:00:00Z"})
    do("assign", {"account_id": me, "note": "I know her."})
    do("feedback", {**FeedbackBody.EXAMPLE, "code": "safety_often"})
    do("resolve", ResolutionBody.EXAMPLE)
    do("reopen", ReopeningBody.EXAMPLE)
    ask(bo, "get /v1/alerts/counts")
    ask(bo, f"get {one}", alert_id=alert)
    do("resolve", ResolutionBody.EXAMPLE)
