"""Import the pasts of many patients: one file each, several patients at a time."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from io import StringIO
from uuid import UUID

from jobs import import_diary, import_export, whose_diary, whose_export
from jobs.crew import Crew, Desk
from jobs.problem import Problem
from server.services.alerts import alert as alerts
from server.services.errors import ServiceError
from server.services.work import Work

COLUMNS = ("patient", "file", "map")
# Each is a patient's whole past: more of them are another list.
MOST_LINES = 100_000
_AGAIN = (
    "The diary is that of line {first}, of another patient. Nothing was changed. "
    "Are they one person? Then say --same-person."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: whose past lies in which file. ``map_name`` is empty for an export of ours."""

    number: int
    patient_id: UUID
    file: str
    map_name: str


@dataclass(frozen=True, slots=True)
class Task:
    """One file: its bytes and the text of its map (None: an export), or why it can't be read.

    ``same_person``: it need not look like the patient's (`jobs.whose_diary`, `jobs.whose_export`).
    """

    line: Line
    slug: str
    now: datetime
    data: bytes = b""
    map_text: str | None = None
    problem: str | None = None
    same_person: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one line: entries, or versions of them; ``problem``: why nothing, or not all, did.

    ``left_out`` says of each thing that could not be taken what it was and why; ``alerts`` were opened.
    """

    line: Line
    created: int = 0
    there_already: int = 0
    left_out: tuple[str, ...] = ()
    alerts: int = 0
    problem: str | None = None


def read_list(text: str) -> list[Line]:
    """Return the lines of a list (CSV with the header patient,file,map).

    Raises Problem that names every line that can't be used.
    """
    found, wrong, known = [], [], dict[UUID, int]()
    for number, row in _rows(text):
        line, problem = _line(number, row, known)
        if line is None:
            wrong.append(f"\n  line {number}: {problem}")
        else:
            found.append(line)
    if len(found) > MOST_LINES:
        raise Problem(f"The list has more than {MOST_LINES} lines.")
    if wrong:
        raise Problem(f"The list can't be used:{''.join(wrong)}")
    return found


def _rows(text: str) -> list[tuple[int, dict[str, str | None]]]:
    """Return each row with the line it ends on: lines in which nothing stands are passed over."""
    try:
        rows = csv.DictReader(StringIO(text, newline=""))
        if tuple(rows.fieldnames or ()) == COLUMNS:
            return [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise Problem(f"The list is no CSV that can be read: {error}.") from None
    raise Problem(f"The list needs the columns {','.join(COLUMNS)}.")


def import_all(crew: Crew, tasks: Iterable[Task]) -> Iterator[Done]:
    """Yield what became of each of ``tasks``, in their order, as they are done.

    A file that can't be taken is told and keeps nobody else out. The same list again recognises everything.
    """
    yield from crew.map(import_one, _apart(tasks))


def _apart(tasks: Iterable[Task]) -> Iterator[Task]:
    """Yield ``tasks``, with a problem where an earlier one has the diary: side by side neither sees it."""
    known: dict[bytes, int] = {}
    for task in tasks:
        first = _line_of(task, known)
        if first == task.line.number:
            yield task
        else:
            yield replace(task, problem=_AGAIN.format(first=first))


def _line_of(task: Task, known: dict[bytes, int]) -> int:
    """Return the first line with the diary of ``task``. One without rows is nobody's, and its own."""
    if task.map_text is None or task.same_person or b"\n" not in task.data.strip():
        return task.line.number
    return known.setdefault(sha256(task.data).digest(), task.line.number)


def import_one(desk: Desk, task: Task) -> Done:
    """Import one file. Whatever is the matter with it, or with its patient, is told and ends nothing else."""
    if task.problem is not None:
        return Done(task.line, problem=task.problem)
    try:
        return _diary(desk, task, task.map_text) if task.map_text is not None else _export(desk, task)
    except Problem as problem:
        return Done(task.line, problem=str(problem))
    except ServiceError as error:
        return Done(task.line, problem=f"Not all of it could be taken: {error.detail}")
    except Exception as error:
        # The database was away, or the patient's own phone held the diary: the others must not wait for it.
        return Done(task.line, problem=f"Not all of it was taken ({type(error).__name__}): try again.")


def _diary(desk: Desk, task: Task, map_text: str) -> Done:
    who, files = (task.slug, task.line.patient_id), (map_text, task.data)
    plan = import_diary.prepare(desk.database, who, files, task.now, task.line.map_name)
    if not task.same_person:
        whose_diary.check(desk.database, plan)
    outcome = import_diary.write(desk.database, plan)
    left_out = (
        *(f"its line {one.line}: {'; '.join(one.reasons)}" for one in plan.mapped.refusals),
        *(f"its line {line}: {import_diary.STORED_OTHERWISE}" for line in outcome.refused),
    )
    tally = outcome.tally
    return Done(task.line, tally.created, tally.duplicates, left_out, len(outcome.opened))


def _export(desk: Desk, task: Task) -> Done:
    plan = import_export.prepare(desk.database, (task.slug, task.line.patient_id), task.data, task.now)
    if not task.same_person:
        whose_export.check(desk.database, plan)
    before = _open_alerts(desk, plan)
    taken = import_export.write(desk.database, plan)
    opened = len(_open_alerts(desk, plan) - before)
    left_out = [f"entry {entry_id}: {import_export.HISTORY_OTHERWISE}" for entry_id in sorted(taken.refused)]
    left_out += [f"check-in plan: {import_export.PLAN_OTHERWISE}"] if taken.plan_refused else []
    return Done(task.line, taken.revisions, taken.there_already, tuple(left_out), opened)


def _open_alerts(desk: Desk, plan: import_export.ExportPlan) -> set[UUID]:
    with desk.database.read() as session:
        found = alerts.unacknowledged(Work(session, plan.now, plan.actor), plan.patient_id)
        return {alert.id for alert in found}


def _line(number: int, row: dict[str, str | None], known: dict[UUID, int]) -> tuple[Line | None, str]:
    """Return a line, or None and what is wrong with it."""
    try:
        patient_id = UUID(row["patient"] or "")
    except ValueError:
        return None, "the patient is no id"
    if not row["file"] or "\0" in row["file"]:
        return None, "there is no file"
    if patient_id in known:
        return None, f"the patient of line {known[patient_id]} again: import one of the files by itself"
    known[patient_id] = number
    return Line(number, patient_id, row["file"], row["map"] or ""), ""
