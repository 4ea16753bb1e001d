"""The lines of the audit log's export, read a chunk at a time however long the log is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.database import Database
from server.services.audit import audit_event as audit_events
from server.services.audit.audit_event import Line
from server.services.audit.audit_seal import Head
from server.services.audit.chain import written
from server.services.people import sign_in as sign_ins
from server.services.work import Actor, Work

FORMAT, FORMAT_VERSION = "afterglow-audit", 1
COLUMNS = ("position", "id", "at", "account_id", "action", "patient_id", "object_id", "digest")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Source:
    """Where an export reads from, in whose name, and at which position it ends."""

    database: Database
    now: datetime
    actor: Actor
    until: int


def header(source: Source, before: Head) -> dict[str, Any]:
    """Return the first line: whose log it is, and the link it builds on."""
    known = {"format": FORMAT, "format_version": FORMAT_VERSION, "clinic": str(source.actor.clinic_id)}
    return {**known, "after": before.position, "before": before.digest.hex()}


def trailer(end: Head, waiting: int) -> dict[str, Any]:
    """Return the last line: where the chain ends, and how many events are not in it yet."""
    return {"end": end.position, "digest": end.digest.hex(), "not_sealed_yet": waiting}


def lines(source: Source, after: int) -> Iterator[Mapping[str, Any]]:
    """Yield one event after the other, each chunk in a transaction of its own.

    Raises NotSignedIn, which breaks the answer off, where the sign-in has ended meanwhile.
    """
    while found := _chunk(source, after):
        yield from (_line(row) for row in found)
        after = found[-1].position


def _chunk(source: Source, after: int) -> list[Line]:
    who = source.actor
    assert who.sign_in_id is not None
    assert who.account_id is not None
    with source.database.glance(who.clinic_id) as connection:
        sign_ins.actor(connection, who.clinic_id, who.sign_in_id, who.account_id)
    with source.database.read() as session:
        work = Work(session, source.now, who)
        return list(audit_events.chained(work, after, source.until, CHUNK))


def _line(row: Line) -> dict[str, Any]:
    known = {name: None if (value := getattr(row, name)) is None else str(value) for name in COLUMNS}
    return {**known, "position": row.position, "at": written(row.at), "digest": row.digest.hex()}
