"""Offline sync: push and pull in one call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from schemas.sync import SyncAnswer, SyncBody, SyncItem
from server.api import sync_cursor
from server.api.body import Blueprint
from server.api.edge import allow, body_up_to, reading, writing
from server.api.entry import own_patient
from server.api.errors import located
from server.clinical.vocabulary import Role
from server.services import notice as notices
from server.services import patient as patients
from server.services import sync
from server.services.sync import Action, Change, Result

blueprint = Blueprint("sync", __name__, description="Offline sync for the app")
LARGEST = 1024 * 1024
CLOCK_MAY_DIFFER = timedelta(minutes=10)
_ITEM = SyncItem()


@blueprint.route("/sync", methods=["POST"])
@allow(Role.PATIENT)
@body_up_to(LARGEST)
@blueprint.arguments(SyncBody)
@blueprint.response(200, SyncAnswer)
def synchronise(body: Mapping[str, Any]) -> Any:
    """Push up to 200 changes and pull what changed since the cursor.

    Always 200 with one verdict an item, in order; one bad item never blocks the rest. 410 (`resync`)
    means: pull again without a cursor. Sending the same batch twice changes nothing.
    """
    after = sync_cursor.read(body["cursor"])
    changes = [_change(item) for item in body["items"]]
    # A pull alone must not wait for a writer.
    with writing() if changes else reading() as work:
        results = sync.push(work, own_patient(), changes)
        pulled = sync.pull(work, own_patient(), after, body["limit"])
        country = patients.get(work, own_patient()).country
        return {
            "results": [_result(result, country) for result in results],
            "changes": pulled.entries,
            "next_cursor": sync_cursor.issue(pulled.sequence),
            "has_more": pulled.has_more,
            "clock_suspect": _suspect(body.get("sent_at"), work.now),
            "who_reads_this": notices.WHO_READS_THIS,
        }


def _change(item: Any) -> Change:
    try:
        loaded = _ITEM.load(item if isinstance(item, dict) else {})
    except ValidationError as error:
        found = list(located({"json": error.messages}))
        return Change(_id_of(item), Action.PUT, None, {}, found)
    action = Action(loaded["action"])
    if action is Action.PUT and "entry" not in loaded:
        missing = [{"pointer": "/entry", "detail": "Is missing."}]
        return Change(loaded["id"], action, None, {}, missing)
    return Change(loaded["id"], action, loaded.get("base_version"), loaded.get("entry", {}))


def _id_of(item: Any) -> UUID | None:
    """Return the id of an item that can't be taken, so that the phone knows which it was."""
    try:
        return UUID(item["id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _result(result: Result, country: str) -> dict[str, Any]:
    conflict = result.verdict is sync.Verdict.CONFLICT
    return {
        "id": result.id,
        "verdict": result.verdict,
        "version": result.stored.version if result.stored else None,
        "current": result.stored if conflict else None,
        "errors": result.errors,
        "notice": notices.for_patient(result.flags, country),
    }


def _suspect(sent_at: datetime | None, now: datetime) -> bool:
    """Return whether the phone's clock is far off. It is said, and what the phone wrote stays as it is."""
    return sent_at is not None and abs(now - sent_at) > CLOCK_MAY_DIFFER
