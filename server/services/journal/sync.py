"""Push a phone's offline changes and pull what it has not seen, in one call.

One bad item never blocks the rest: each has its own verdict, and its own savepoint where it needs one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import Source
from server.models import Entry, Patient, QuestionnaireResponse
from server.services import vault
from server.services.asking import of_patient
from server.services.errors import Heeded, Invalid, ServiceError, VersionError
from server.services.journal import repeat, unreadable
from server.services.journal.incoming import Incoming
from server.services.journal.journal import Journal, open_journal
from server.services.journal.pushed import Action, Change, Kept, Result, Verdict
from server.services.journal.unreadable import Kind
from server.services.people import patient as patients
from server.services.scales.questionnaire_journal import QuestionnaireJournal, open_questionnaires
from server.services.watch import assessment as assessments
from server.services.work import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pulled:
    """Rows (deleted ones as tombstones) in the order they were committed, and where that ends."""

    changes: Sequence[Kept]
    sequence: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Books:
    """What a patient's phone may write in, open under one lock."""

    entries: Journal
    responses: QuestionnaireJournal

    def of(self, change: Change) -> Any:
        """Return the book that ``change`` is written in."""
        return self.entries if change.kind is Kind.ENTRY else self.responses

    def known(self, change: Change) -> Any:
        """Return the row ``change`` is about, or None."""
        return self.of(change).known.get(change.id)


def reached(work: Work, patient_id: UUID) -> int:
    """Return the number of the patient's last change, and let nobody make another one meanwhile."""
    return patients.lock(work, patient_id).change_counter


def push(work: Work, patient_id: UUID, changes: Sequence[Change]) -> Sequence[Result]:
    """Apply ``changes`` in order and return a result for each, in the same order.

    Red flags are acted on item by item; the days touched are judged once, at the end.
    """
    if not changes:
        return []
    results = _all_at_once(work, patient_id, changes) or _one_by_one(work, patient_id, changes)
    touched = frozenset[date]().union(*(result.touched for result in results))
    if touched:
        assessments.reassess(work, patients.lock(work, patient_id), touched)
    return results


def _all_at_once(work: Work, patient_id: UUID, changes: Sequence[Change]) -> Sequence[Result]:
    """Apply ``changes`` inside one savepoint; nothing, and no result, where the database refuses one of them.

    It hardly ever does, and a savepoint for each costs more than the change itself.
    """
    books = _open_books(work, patient_id, changes)
    try:
        with work.session.begin_nested():
            results = [_apply(books, change) for change in changes]
            books.entries.write()
    except SQLAlchemyError:
        # What was taken back must not be found again: all of it is read anew.
        patients.forget(work)
        work.session.expunge_all()
        return []
    return results


def _one_by_one(work: Work, patient_id: UUID, changes: Sequence[Change]) -> Sequence[Result]:
    books = _open_books(work, patient_id, changes)
    return [_apply_alone(books, change) for change in changes]


def _open_books(work: Work, patient_id: UUID, changes: Sequence[Change]) -> Books:
    return Books(
        open_journal(work, patient_id, _ids(changes, Kind.ENTRY)),
        open_questionnaires(work, patient_id, _ids(changes, Kind.QUESTIONNAIRE_RESPONSE)),
    )


def pull(work: Work, patient_id: UUID, after: int, size: int) -> Pulled:
    """Return up to ``size`` rows of either kind changed after number ``after`` of the change counter.

    Numbers are given under the patient's row lock, so a slow transaction can't be overtaken: what
    has a smaller number is committed before a larger one is given out. The counter is read first
    and bounds both readings: between them a commit could add a number to each, and a page that had
    only the later one would skip the earlier for ever.
    """
    until = work.value(_COUNTER, patient=patient_id) or 0
    if until <= after:
        return Pulled([], after, False)  # nearly always; it takes no look at all that was ever said
    span = {"patient": patient_id, "after": after, "until": until, "limit": size + 1}
    found = [Kept(kind, row) for kind, query in _CHANGED.items() for row in work.objects(query, **span)]
    found.sort(key=lambda kept: kept.row.sequence)
    page = found[:size]
    vault.opened(work, [kept.row for kept in page])
    return Pulled(page, page[-1].row.sequence if page else after, len(found) > size)


def _changed(table: type[Entry] | type[QuestionnaireResponse]) -> Select[Any]:
    between = table.sequence > bindparam("after"), table.sequence <= bindparam("until")
    query = select(table).where(*of_patient(table), *between)
    return query.order_by(table.sequence).limit(bindparam("limit"))


_CHANGED = {
    Kind.ENTRY: _changed(Entry),
    # What a clinician rated is theirs to explain: no phone holds it.
    Kind.QUESTIONNAIRE_RESPONSE: _changed(QuestionnaireResponse).where(
        QuestionnaireResponse.instrument.not_in(RATED)
    ),
}
_COUNTER = select(Patient.change_counter).where(
    Patient.clinic_id == bindparam("clinic"), Patient.id == bindparam("patient")
)


def _ids(changes: Sequence[Change], kind: Kind) -> list[UUID]:
    return [change.id for change in changes if change.id is not None and change.kind is kind]


def _apply(books: Books, change: Change) -> Result:
    if change.errors:
        return _unread(books, change)
    assert change.id is not None, "an item without an id has errors"
    return _attempt(books, change, change.id)


def _apply_alone(books: Books, change: Change) -> Result:
    if change.errors:
        return _unread(books, change)
    is_new = books.known(change) is None
    try:
        with books.entries.work.session.begin_nested():
            result = _apply(books, change)
            books.entries.write()
            return result
    except SQLAlchemyError as error:
        if is_new:
            books.of(change).known.pop(change.id, None)
        log.error("a pushed item could not be stored: %s", type(error).__name__)
        untaken = Result(change.id, Verdict.RETRY, errors=[{"detail": "Not stored. Send it again later."}])
        return _with(untaken, _heeded_apart(books, change))


def _heeded_apart(books: Books, change: Change) -> Heeded | None:
    """Act on what an item says that the database refused: what was raised for it was taken back."""
    try:
        with books.entries.work.session.begin_nested():
            return _heeded(books, change)
    except SQLAlchemyError as error:
        # Nobody could be told: the phone asks again, and shows its own help meanwhile.
        log.error("nor could anybody be told of it: %s", type(error).__name__)
        return None


def _unread(books: Books, change: Change) -> Result:
    return _with(Result(change.id, Verdict.INVALID, errors=change.errors), _heeded(books, change))


def _heeded(books: Books, change: Change) -> Heeded | None:
    return unreadable.heed(books.entries.work, books.entries.patient.id, *change.said)


def _attempt(books: Books, change: Change, row_id: UUID) -> Result:
    """Apply one change. What is refused has written nothing but the alerts it raised: they are kept."""
    act = _store if change.action is Action.PUT else _remove
    try:
        return act(books, change, row_id)
    except VersionError as error:
        kept = Kept(change.kind, books.known(change))
        if (version := _repeated(books, change, row_id)) is not None:
            return _refused(Result(row_id, Verdict.DUPLICATE, kept, version), error, ())
        return _refused(Result(row_id, Verdict.CONFLICT, kept), error, [{"detail": error.detail}])
    except Invalid as error:
        below = _below(change.kind, error.extra["errors"])
        return _refused(Result(row_id, Verdict.INVALID), error, below)
    except ServiceError as error:
        return _refused(Result(row_id, Verdict.FORBIDDEN), error, [{"detail": error.detail}])


def _repeated(books: Books, change: Change, row_id: UUID) -> int | None:
    """Return the version that this very put made before it was corrected, or None."""
    if change.action is Action.DELETE:
        return None
    incoming = _incoming(change, row_id)
    is_repeat = repeat.of_entry if change.kind is Kind.ENTRY else repeat.of_response
    was_stored = is_repeat(books.entries.work, books.entries.patient.id, incoming)
    return repeat.version_of(incoming) if was_stored else None


def _incoming(change: Change, row_id: UUID) -> Incoming:
    return Incoming(row_id, change.content, change.base_version, Source.APP, change.sent_at)


def _refused(result: Result, error: ServiceError, errors: Sequence[Mapping[str, str]]) -> Result:
    return _with(replace(result, errors=errors), error.heeded)


def _with(result: Result, heeded: Heeded | None) -> Result:
    if heeded is None:
        return result
    return replace(result, flags=heeded.flags, contact_today=heeded.contact_today)


def _below(kind: Kind, errors: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Point into the pushed item, not only into its content, as the schema's own errors do."""
    return [{**error, "pointer": f"/{kind}{error['pointer']}"} for error in errors]


def _store(books: Books, change: Change, row_id: UUID) -> Result:
    incoming = _incoming(change, row_id)
    if change.kind is Kind.ENTRY:
        receipt = books.entries.store(incoming)
        books.entries.known[row_id] = receipt.entry
        kept = Kept(Kind.ENTRY, receipt.entry)
        version = receipt.entry.version
        return Result(row_id, Verdict(receipt.outcome), kept, version, receipt.flags, touched=receipt.touched)
    taken = books.responses.store(incoming)
    books.responses.known[row_id] = taken.response
    kept = Kept(Kind.QUESTIONNAIRE_RESPONSE, taken.response)
    made = Result(row_id, Verdict(taken.outcome), kept, taken.response.version, taken.flags)
    return replace(made, touched=taken.touched, contact_today=taken.contact_today)


def _remove(books: Books, change: Change, row_id: UUID) -> Result:
    """Delete; deleting what is gone, or was never here, has been done already."""
    stored = books.known(change)
    if stored is None:
        return Result(row_id, Verdict.DUPLICATE)
    if stored.deleted_at is not None:
        # A phone whose patient thought better of it builds on the tombstone, whoever made it.
        return Result(row_id, Verdict.DUPLICATE, Kept(change.kind, stored), stored.version)
    touched = books.of(change).remove(row_id, change.base_version)
    return Result(row_id, Verdict.UPDATED, Kept(change.kind, stored), stored.version, touched=touched)
