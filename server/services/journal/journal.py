"""One patient's journal, open for writing: the row lock, and what every entry needs, read once.

Everything that enters a diary goes through `Journal.store`: no way in skips the safety check.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict

from server.clinical import redflags
from server.clinical.policy import Policy
from server.clinical.redflags import RedFlag
from server.clinical.side_effects import details
from server.clinical.vocabulary import AlertClass, AlertFamily, EnteredBy
from server.models import Entry, EntryRevision, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import answer_source
from server.services.alerts import episode as episodes
from server.services.asking import of_patient
from server.services.errors import NotFound, ServiceError, Stale
from server.services.foresight import foresight
from server.services.journal import refusal as refusals
from server.services.journal import repeat
from server.services.journal.answers import answers_of, hours_since
from server.services.journal.incoming import (
    Incoming,
    admit,
    canonical,
    clock_columns,
    day_reliable,
    local_day,
    onset_of,
    plain,
    texts_of,
)
from server.services.journal.refusal import Refused
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Work
from server.services.writing import write_rows

_Dangers = Mapping[str, object]
_NAMED = select(Entry).where(*of_patient(Entry), Entry.id.in_(bindparam("ids", expanding=True)))
_INSERT_ENTRY = insert(cast(Table, Entry.__table__))
_INSERT_REVISION = insert(cast(Table, EntryRevision.__table__))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened: created, duplicate or updated; the entry; its red flags; the days to judge again."""

    outcome: str
    entry: Entry
    flags: tuple[RedFlag, ...]
    patient: Patient
    touched: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Journal:
    """A patient's journal under the patient's row lock, until the transaction ends."""

    work: Work
    patient: Patient
    policy: Policy
    sessions: Sequence[datetime]
    known: dict[UUID, Entry]
    # Whose it is, spelled once: what is sealed is bound to its place, and that is text.
    owner: tuple[str, str]
    unwritten: list[tuple[Entry, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def store(self, incoming: Incoming) -> Receipt:
        """Take an entry, or recognise it: the same id and content again is a duplicate, for ever.

        Red flags are acted on here; writing what is new (`write`) and judging the days is left to the
        caller, who may have more to store. Raises Invalid (felt in the future, or too long ago),
        VersionRequired and Stale (other content under an id that exists).
        """
        said = plain(incoming.content)
        digest = vault.digest(self.work, Entry, self._key(incoming.id), canonical(said))
        stored = self.known.get(incoming.id)
        if stored is not None and stored.deleted_at is None and stored.content_hash == digest:
            return Receipt("duplicate", stored, self._flags(stored), self.patient)
        touched = {stored.local_day} if stored is not None else set()
        before = self._dangers(stored) if stored is not None else {}
        columns = self._columns(incoming) | {"content_hash": digest}
        try:
            admit(self.work, stored, incoming)
        except ServiceError as refusal:
            self._heed(refusal, incoming, Entry(id=incoming.id, **columns), before)
            raise
        if stored is None:
            entry, outcome = self._insert(incoming, columns, said), "created"
        else:
            entry, outcome = self._correct(stored, incoming, columns), "updated"
        flags = self._flags(entry)
        self._raise(flags, entry, before)
        if stored is not None:
            answer_source.changed(self.work, entry, self._families(entry))
        return Receipt(outcome, entry, flags, self.patient, frozenset({*touched, entry.local_day}))

    def write(self) -> None:
        """Write the entries that were taken: many in one go, for a phone brings weeks of them."""
        taken = [*self.unwritten]
        self.unwritten.clear()  # first of all: what the database refuses is not tried again
        if not taken:
            return
        # Past the unit of work: this is the hottest write of the system.
        write_rows(self.work.session, _INSERT_ENTRY, [columns for _, columns, _ in taken])
        write_rows(self.work.session, _INSERT_REVISION, [revision for _, _, revision in taken])
        self.work.audit_each("entry.create", self.patient.id, [entry.id for entry, _, _ in taken])

    def _held(self, entry: Entry) -> Entry:
        """Return ``entry`` with its changes noted: one that `write` stored is seldom changed again."""
        if entry not in self.work.session:
            make_transient_to_detached(entry)
            self.work.session.add(entry)
        return entry

    def _heed(self, refusal: ServiceError, incoming: Incoming, entry: Entry, before: _Dangers) -> None:
        self.write()  # it may be one of them that this repeats
        flags = self._flags(entry)
        findings = self._news(flags, entry, before)
        is_repeat = bool(flags) and repeat.of_entry(self.work, self.patient.id, incoming)
        refused = Refused(flags, findings, entry.content_hash, is_repeat)
        refusals.heed(self.work, self.patient, refusal, refused)

    def remove(self, entry_id: UUID, version: int | None) -> frozenset[date]:
        """Empty an entry and mark it deleted; its revisions stay. Returns the days to judge again."""
        entry = self.known.get(entry_id)
        if entry is None or entry.deleted_at is not None:
            raise NotFound("entry")
        if entry.version != version:
            raise Stale(entry)
        self.write()
        entry = self._held(entry)
        entry.deleted_at = self.work.now
        entry.version += 1
        entry.sequence = self._next_change()
        entry.items, entry.side_effects, entry.medication = {}, {}, {}
        entry.side_effect_onset, entry.side_effect_details = {}, []
        entry.safety = entry.hours_since_session = entry.sealed_tags = entry.sealed_note = None
        entry.sealed_circumstances = None
        self.work.session.flush()
        self._keep_revision(entry, None)
        self.work.audit("entry.delete", self.patient.id, entry_id)
        answer_source.changed(self.work, entry, ())
        return frozenset({entry.local_day})

    def retime(self, entry: Entry) -> None:
        """Count an entry's hours from the session again, after a session changed; act on what that shows.

        Only flags that a side effect did not have before are raised: the others were acted on then. An alert
        that a session explains says so.
        """
        if entry.deleted_at is not None:
            return
        hours, known = entry.hours_since_session, entry.side_effect_details
        entry.hours_since_session = hours_since(self.sessions, entry.occurred_at)
        entry.side_effect_details = self._details(entry)
        if (entry.hours_since_session, entry.side_effect_details) == (hours, known):
            return
        entry.sequence = self._next_change()
        calm = {detail["term"] for detail in known if detail["triage"] == AlertClass.P3}
        flags = self._flags(entry)
        self._raise(tuple(flag for flag in flags if flag.code in calm), entry, {})
        if flags or len(calm) < len(known):  # else no alert can rest on it
            answer_source.changed(self.work, entry, self._families(entry))

    def _raise(self, flags: Sequence[RedFlag], entry: Entry, before: _Dangers) -> None:
        for finding in self._news(flags, entry, before):
            episodes.raise_alert(self.work, self.patient, finding)

    def _news(self, flags: Sequence[RedFlag], entry: Entry, before: _Dangers) -> Iterable[episodes.Finding]:
        findings = episodes.findings_of(flags, self._heeded_day(entry), entry.id)
        said = self._dangers(entry) if before else {}
        return answer_source.news(self.work, self.patient, findings, before, said)

    def _heeded_day(self, entry: Entry) -> date:
        """Return the day as of which an entry is heeded: a phone's clock may run ahead, or mean nothing."""
        day = (
            entry.local_day if entry.day_reliable else local_days.of(self.work, entry.received_at, entry.zone)
        )
        return local_days.so_far(self.work, day, entry.zone)

    def _next_change(self) -> int:
        self.patient.change_counter += 1
        return self.patient.change_counter

    def _insert(self, incoming: Incoming, columns: dict[str, Any], said: dict[str, Any]) -> Entry:
        values = columns | {
            "clinic_id": self.work.clinic_id,
            "patient_id": self.patient.id,
            "id": incoming.id,
            "version": 1,
            "source": incoming.source,
            "sequence": self._next_change(),
            "deleted_at": None,
        }
        entry = Entry()
        # Written by `write`, so no change of an attribute needs to be noted: it is most of the work.
        instance_dict(entry).update(values)
        values["side_effect_details"] = entry.side_effect_details = self._details(entry)
        self.unwritten.append((entry, values, self._revision(entry, said)))
        vault.known(entry, texts_of(incoming.content))
        return entry

    def _correct(self, stored: Entry, incoming: Incoming, columns: dict[str, Any]) -> Entry:
        self.write()
        stored = self._held(stored)
        for key, value in columns.items():
            setattr(stored, key, value)
        stored.side_effect_details = self._details(stored)
        stored.version += 1
        stored.sequence = self._next_change()
        stored.deleted_at = None
        self.work.session.flush()
        vault.opened(self.work, [stored])
        self._keep_revision(stored, plain(incoming.content))
        self.work.audit("entry.update", self.patient.id, stored.id)
        return stored

    def _columns(self, incoming: Incoming) -> dict[str, Any]:
        content, stored = incoming.content, self.known.get(incoming.id)
        occurred, key = content["occurred_at"], self._key(incoming.id)
        return {
            "occurred_at": occurred.astimezone(UTC),
            "zone": content["zone"],
            "local_day": local_day(self.work, incoming, stored),
            "recorded_at": content.get("recorded_at"),
            "received_at": self.work.now,
            "items": dict(content["items"]),
            "side_effects": dict(content["side_effects"]),
            "side_effect_onset": {
                term: began.astimezone(UTC).isoformat() for term, began in onset_of(content).items()
            },
            "hours_since_session": hours_since(self.sessions, occurred),
            "safety": content.get("safety"),
            "medication": dict(content["medication"]),
            "entered_by": content.get("entered_by") or EnteredBy.PATIENT,
            "day_reliable": day_reliable(incoming, self.work.now, stored),
            **clock_columns(incoming, self.work.now, stored),
            **vault.sealed(self.work, Entry, key, texts_of(content)),
        }

    def _keep_revision(self, entry: Entry, content: dict[str, Any] | None) -> None:
        write_rows(self.work.session, _INSERT_REVISION, [self._revision(entry, content)])

    def _revision(self, entry: Entry, content: dict[str, Any] | None) -> dict[str, Any]:
        key = (*self._key(entry.id), entry.version)
        return {
            "clinic_id": entry.clinic_id,
            "patient_id": entry.patient_id,
            "entry_id": entry.id,
            "version": entry.version,
            "sealed_content": vault.seal(self.work, EntryRevision, key, "content", content),
            "received_at": self.work.now,
            "account_id": self.work.actor.account_id,
        }

    def _key(self, entry_id: UUID) -> tuple[str, str, str]:
        return *self.owner, str(entry_id)

    def _flags(self, entry: Entry) -> tuple[RedFlag, ...]:
        return redflags.check(answers_of(entry, self.sessions), self.policy)

    def _dangers(self, entry: Entry) -> _Dangers:
        """Return what an entry says of each danger, by code, how grave it is, and of which day."""
        grades, items = entry.side_effects, entry.items
        return {
            flag.code: (flag.urgency, grades.get(flag.code), items.get(flag.code), entry.local_day)
            for flag in self._flags(entry)
        }

    def _families(self, entry: Entry) -> frozenset[AlertFamily]:
        return redflags.families(answers_of(entry, self.sessions), self.policy)

    def _details(self, entry: Entry) -> list[dict[str, Any]]:
        found = details(answers_of(entry, self.sessions), self.policy)
        return [asdict(detail) for detail in found]


def open_journal(work: Work, patient_id: UUID, ids: Iterable[UUID]) -> Journal:
    """Lock a patient's journal and read what writing the entries ``ids`` needs."""
    patient = patients.lock(work, patient_id)
    with foresight(work) as ahead:
        treatment_sessions.foresee(ahead, [patient_id])
        stored = vault.opened(work, work.objects(_NAMED, patient=patient_id, ids=list(ids)))
        sessions = treatment_sessions.delivered_moments(work, patient_id)
    known = {entry.id: entry for entry in stored}
    owner = str(work.clinic_id), str(patient_id)
    return Journal(work, patient, clinics.policy(work), sessions, known, owner)
