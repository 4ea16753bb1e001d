"""Offline sync: push and pull in one call."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from schemas.sync import SyncAnswer, SyncBody, SyncItem
from server.api import sync_cursor
from server.api.body import Blueprint
from server.api.edge import allow, body_up_to, here, reading, writing
from server.api.entry import own_patient
from server.api.errors import located
from server.api.heeding import heeds_items, unread_in
from server.api.own_reading import put_on_record
from server.api.spoken import language_of
from server.clinical.crisis_lines import CrisisLines
from server.clinical.vocabulary import Language, Role
from server.services.journal import sync
from server.services.journal.incoming import clock_of
from server.services.journal.pushed import Action, Change, Result, Verdict
from server.services.journal.unreadable import Kind
from server.services.people import notice as notices
from server.services.people import patient as patients

blueprint = Blueprint("sync", __name__, description="Offline sync for the app")
LARGEST = 1024 * 1024
PULL = "sync.pull"
_ITEM = SyncItem()


@blueprint.route("/sync", methods=["POST"])
@allow(Role.PATIENT)
@body_up_to(LARGEST)
@heeds_items
@blueprint.arguments(SyncBody)
@blueprint.response(200, SyncAnswer)
def synchronise(body: Mapping[str, Any]) -> Any:
    """Push up to 200 changes and pull what changed since the cursor.

    Always 200 with one verdict an item, in order; one bad item never blocks the rest. 410 (`resync`)
    means: pull again without a cursor; 410 (`other-journal`): the cursor is somebody else's, and so may be
    what is pending: send none of it as this patient's. Sending the same batch twice changes nothing.
    """
    after = sync_cursor.read(body["cursor"])
    changes = [_change(item, body.get("sent_at")) for item in body["items"]]
    # A pull alone must not wait for a writer to learn that there is nothing new.
    with writing() if changes else reading() as work:
        if changes:
            sync_cursor.check(after, sync.reached(work, own_patient()))
        results = sync.push(work, own_patient(), changes)
        pulled = sync.pull(work, own_patient(), after, body["limit"])
        patient = patients.get(work, own_patient())
        lines, language = here().crisis_lines.near(patient.country, patient.zone), language_of(work)
        answer = {
            "results": [_result(result, lines, language) for result in results],
            "changes": pulled.changes,
            "next_cursor": sync_cursor.issue(pulled.sequence),
            "has_more": pulled.has_more,
            "clock_suspect": clock_of(body.get("sent_at"), work.now)["clock_suspect"],
            "who_reads_this": notices.who_reads(work, patient, language),
        }
        if changes and (pulled.changes or any(one.verdict is Verdict.CONFLICT for one in results)):
            work.audit(PULL, own_patient())
    if pulled.changes and not changes:
        put_on_record(PULL)  # before it is sent
    return answer


def _change(item: Any, sent_at: datetime | None) -> Change:
    said = tuple(unread_in(item))
    try:
        loaded = _ITEM.load(item if isinstance(item, dict) else {})
    except ValidationError as error:
        found = list(located({"json": error.messages}))
        return Change(_id_of(item), Action.PUT, None, {}, found, said=said)
    action, kind = Action(loaded["action"]), Kind(loaded["kind"])
    errors = list(_misplaced(action, kind, {one.kind for one in said}))
    content = loaded.get(kind) or {}
    version = loaded.get("base_version")
    if action is Action.DELETE and not errors:
        said = ()  # what is taken back is no report
    return Change(loaded["id"], action, version, content, errors, kind, sent_at, said)


def _misplaced(action: Action, kind: Kind, there: Collection[Kind]) -> Iterator[dict[str, str]]:
    """Yield what speaks against an item that holds the contents ``there``: it has one, that of its kind."""
    if action is Action.PUT and kind not in there:
        yield {"pointer": f"/{kind}", "detail": "Is missing."}
    for other in sorted(set(there) - {kind}):
        yield {"pointer": f"/{other}", "detail": f"Is not for {kind}."}


def _id_of(item: Any) -> UUID | None:
    """Return the id of an item that can't be taken, so that the phone knows which it was."""
    try:
        return UUID(item["id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _result(result: Result, lines: CrisisLines, language: Language) -> dict[str, Any]:
    conflict = result.verdict is Verdict.CONFLICT
    return {
        "id": result.id,
        "verdict": result.verdict,
        # Of a conflict, `version` and `current` are one copy: the base of the next push.
        "version": result.stored.row.version if conflict and result.stored else result.version,
        "current": result.stored if conflict else None,
        "errors": result.errors,
        "notice": notices.for_patient(result.flags, lines, language, result.contact_today),
    }
