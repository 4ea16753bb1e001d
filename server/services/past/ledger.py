"""Rows of a past on their way into the database: entries, their versions, who wrote them, judgements."""

from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, insert

from server.models import Entry, EntryRevision
from server.services.journal.journal import Journal
from server.services.watch.judgement import Judgements
from server.services.writing import write_rows

_INSERT_ENTRY = insert(cast(Table, Entry.__table__))
_INSERT_REVISION = insert(cast(Table, EntryRevision.__table__))


@dataclass(slots=True)
class Ledger(Judgements):
    """What is not written yet, of many days; ``work`` is that of the day at hand.

    Written whenever somebody has to read it, for those who act on a judgement ask for that (`write`);
    ``written`` counts how often.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    entries: list[tuple[Entry, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    written: int = 0

    def take(self, journal: Journal) -> None:
        """Take what ``journal`` has stored and not written, each with its line in the audit log."""
        for entry, columns, revision in journal.unwritten:
            self.entries.append((entry, columns, revision))
            self.events.append(journal.work.event("entry.create", journal.patient.id, entry.id))
        journal.unwritten.clear()

    def write(self) -> None:
        """Write all of it, in the order of who refers to whom."""
        self.written += 1
        entries, events = [*self.entries], [*self.events]
        self.entries.clear()
        self.events.clear()
        if entries:
            self.work.session.flush()
            write_rows(self.work.session, _INSERT_ENTRY, [columns for _, columns, _ in entries])
            write_rows(self.work.session, _INSERT_REVISION, [revision for _, _, revision in entries])
            self.work.record(events)
        Judgements.write(self)
