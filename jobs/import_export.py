"""Take an export back: every version of every entry, in the order it was received, through the services.

Each step is taken as of its own moment, as in `jobs.past`: the safety check sees every version, and
what a version said is kept whatever came after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobs.import_diary import find_patient
from jobs.past import BATCH, Told
from jobs.problem import Problem
from server.clinical.vocabulary import SessionStatus
from server.database import Database
from server.diary_import.export_file import ExportError, ExportFile, PastSession, Revision
from server.diary_import.export_kind import read_any
from server.diary_import.meaning import meaning
from server.services.errors import NotFound, ServiceError
from server.services.journal import check_in_plan as check_in_plans
from server.services.journal import entry as entries
from server.services.journal import unreadable
from server.services.journal.incoming import Incoming, check_moment
from server.services.journal.unreadable import Kind, Unread
from server.services.past import afterwards
from server.services.past.writer import Step as PlannedStep
from server.services.past.writer import Writer, open_writer
from server.services.people import patient as patients
from server.services.people.zone_change import PastZone
from server.services.scales import questionnaire_response as responses
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Actor, Work

Step = PastSession | Revision
# What is said of an entry, and of a plan, that was read and not taken.
HISTORY_OTHERWISE = "stored already with another history, or can't be taken"
PLAN_OTHERWISE = "the patient has another one already, or it can't be taken"
# All of one patient: far more courses or sessions than anybody has.
MOST_ROWS = 100_000
# What the clinic changes of a course later (its phase, end or intervals) makes it no other one.
COURSE_FOR_EVER = ("route", "condition", "started_on")
COURSE = (*COURSE_FOR_EVER, "phase", "ended_on", "min_interval_days", "max_interval_days")


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What an import of an export would do, for whom, and as of when."""

    patient_id: UUID
    actor: Actor
    file: ExportFile
    now: datetime


@dataclass(slots=True)
class Taken:
    """What became of it. ``refused`` are entries stored already with another history.

    ``plan``: whether the check-in plan was taken; ``plan_refused``: the patient has another already.
    """

    courses: int = 0
    sessions: int = 0
    revisions: int = 0
    zone_changes: int = 0
    plan: bool = False
    plan_refused: bool = False
    there_already: int = 0
    refused: set[UUID] = field(default_factory=set)


def prepare(database: Database, who: tuple[str, UUID], data: bytes, now: datetime) -> ExportPlan:
    """Read and check everything without changing anything.

    ``who`` is the clinic's short name and the patient's id. Problem for everything that stops the
    import as a whole.
    """
    slug, patient_id = who
    actor, _ = find_patient(database, slug, patient_id, now)
    try:
        file = read_any(data)
    except ExportError as error:
        lines = "".join(f"\n  {problem}" for problem in error.problems)
        raise Problem(f"The export can't be used:{lines}") from None
    moments = [*(_moment(step, now) for step in _steps(file, now)), *(one.recorded_at for one in file.zones)]
    if any(moment > now for moment in moments):
        raise Problem("The export can't be used: it holds what has not happened yet.")
    return ExportPlan(patient_id, actor, file, now)


def write(database: Database, plan: ExportPlan, told: Told = lambda _: None) -> Taken:
    """Do what ``plan`` says, a batch a transaction. A second time it recognises everything.

    The check-in plan comes last: whoever has logged today is not reminded of it.
    """
    taken = Taken()
    with database.write() as session:
        work = Work(session, plan.now, plan.actor)
        _zones(work, plan, taken)
        course_ids = _courses(work, plan, taken)
        known = afterwards.look(work, plan.patient_id, *plan.file.steps())
    steps = list(_steps(plan.file, plan.now))
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]
        with database.write() as session:
            work = Work(session, plan.now, plan.actor)
            _take(work, plan, (batch, course_ids), taken)
            afterwards.follow(work, plan.patient_id, known, is_last=start + BATCH >= len(steps))
        told(len(batch))
    with database.write() as session:
        _plan(Work(session, plan.now, plan.actor), plan, taken)
    return taken


def steps(plan: ExportPlan) -> int:
    """Return how many steps `write` will tell of."""
    return len(plan.file.sessions) + len(plan.file.revisions)


def _steps(file: ExportFile, now: datetime) -> Iterator[Step]:
    """Yield sessions and versions in the order they came, a session before an entry of its moment."""
    both: Sequence[Step] = (*file.sessions, *file.revisions)
    yield from sorted(both, key=lambda step: (_moment(step, now), isinstance(step, Revision)))


def _moment(step: Step, now: datetime) -> datetime:
    if isinstance(step, Revision):
        return step.received_at.astimezone(UTC)
    # A planned session is planned now: when it was written down is not in the file.
    return step.at.astimezone(UTC) if step.status is SessionStatus.DELIVERED else now


def _take(work: Work, plan: ExportPlan, what: tuple[Sequence[Step], Sequence[UUID]], taken: Taken) -> None:
    batch, course_ids = what
    writer = open_writer(work, plan.patient_id, [planned for step in batch for planned in _new(step)])
    for step in batch:
        then = replace(work, now=_moment(step, plan.now))
        if not _new(step):
            writer.give_way()
            _take_alone(then, plan, (step, course_ids), taken)
        elif isinstance(step, PastSession):
            known = _is_given(then, plan, step)
            writer.deliver(None if known else _values(step, course_ids))
            taken.there_already += known
            taken.sessions += not known
        elif _is_new(then, writer, step):
            writer.put()
            taken.revisions += 1
        else:
            writer.skip()
            writer.give_way()
            _revise(then, plan, step, taken)
    writer.write()


def _new(step: Step) -> Sequence[PlannedStep]:
    """Return what may go in with the days around it: first versions of entries, delivered sessions."""
    if isinstance(step, PastSession):
        delivered = step.status is SessionStatus.DELIVERED
        return [PlannedStep(step.at.astimezone(UTC), None)] if delivered else []
    if step.version > 1 or step.is_response or step.said is None:
        return []
    said = Incoming(step.entry_id, step.content(), None, step.source, step.sent_at)
    return [PlannedStep(step.received_at.astimezone(UTC), said)]


def _is_new(work: Work, writer: Writer, step: Revision) -> bool:
    """Return whether nothing is known of an entry, and nothing speaks against taking it."""
    said = writer.ahead[0].said
    assert said is not None, "sessions and entries come in the order of the steps"
    try:
        check_moment(work, said)
    except ServiceError:
        return False
    return step.entry_id not in writer.journal.known


def _take_alone(work: Work, plan: ExportPlan, what: tuple[Step, Sequence[UUID]], taken: Taken) -> None:
    step, course_ids = what
    if isinstance(step, Revision):
        _revise(work, plan, step, taken)
    elif _is_given(work, plan, step):
        taken.there_already += 1
    else:
        treatment_sessions.create(work, plan.patient_id, _values(step, course_ids))
        taken.sessions += 1


def _revise(work: Work, plan: ExportPlan, step: Revision, taken: Taken) -> None:
    known = _known(work, plan, step)
    if _is_known(known, plan.file, step):
        taken.there_already += 1
    elif len(known) != step.version - 1 or not _stored(work, plan, step):
        taken.refused.add(step.entry_id)
        # What it says about danger counts although it can't be stored.
        kind = Kind.QUESTIONNAIRE_RESPONSE if step.is_response else Kind.ENTRY
        found = Unread(kind, step.said, f"{step.entry_id}, version {step.version}", dated=True)
        unreadable.heed(work, plan.patient_id, found)
    else:
        taken.revisions += 1


def _is_known(known: Sequence[Any], file: ExportFile, step: Revision) -> bool:
    there = known if file.latest_only else known[step.version - 1 : step.version]
    said = meaning(step.said, file.unsaid)
    return any(meaning(one, file.unsaid) == said for one in there)


def _known(work: Work, plan: ExportPlan, step: Revision) -> Sequence[Any]:
    verbs = responses if step.is_response else entries
    try:
        return [one.content for one in verbs.revisions(work, plan.patient_id, step.entry_id)]
    except NotFound:
        return []


def _stored(work: Work, plan: ExportPlan, step: Revision) -> bool:
    try:
        with work.session.begin_nested():
            _store(work, plan, step)
    except ServiceError:
        return False
    return True


def _store(work: Work, plan: ExportPlan, step: Revision) -> None:
    verbs = responses if step.is_response else entries
    if step.said is None:
        by = {"by": step.source} if step.is_response else {}
        verbs.delete(work, plan.patient_id, step.entry_id, step.version - 1, **by)
        return
    base = step.version - 1 or None
    verbs.put(work, plan.patient_id, Incoming(step.entry_id, step.content(), base, step.source, step.sent_at))


def _zones(work: Work, plan: ExportPlan, taken: Taken) -> None:
    reports = [PastZone(one.zone, one.since, one.recorded_at) for one in plan.file.zones]
    taken.zone_changes = patients.restore_zones(work, plan.patient_id, reports)
    taken.there_already += len(reports) - taken.zone_changes


def _plan(work: Work, plan: ExportPlan, taken: Taken) -> None:
    wanted = plan.file.plan
    if wanted is None:
        return
    mine = check_in_plans.get(work, plan.patient_id)
    if check_in_plans.content(mine) == wanted:
        taken.there_already += 1
        return
    try:
        with work.session.begin_nested():
            check_in_plans.restore(work, plan.patient_id, wanted)
        taken.plan = True
    except ServiceError:
        taken.plan_refused = True


def _courses(work: Work, plan: ExportPlan, taken: Taken) -> Sequence[UUID]:
    """Return the ids of the file's courses, in its order; those that are not there are planned."""
    there = list(courses.page(work, plan.patient_id, None, MOST_ROWS))
    found = [_found(there, wanted, COURSE) for wanted in plan.file.courses]
    for place, wanted in enumerate(plan.file.courses):
        found[place] = found[place] or _found(there, wanted, COURSE_FOR_EVER)
        if found[place] is None:
            taken.courses += 1
            found[place] = courses.create(work, plan.patient_id, dict(wanted))
    return [course.id for course in found]


def _found(there: list[Any], wanted: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Take a course out of ``there`` that is as ``wanted`` by ``keys``; None where there is none."""
    same = next((one for one in there if all(getattr(one, key) == wanted[key] for key in keys)), None)
    if same is not None:
        there.remove(same)
    return same


def _is_given(work: Work, plan: ExportPlan, step: PastSession) -> bool:
    known = treatment_sessions.page(work, plan.patient_id, None, MOST_ROWS)
    return any(one.at == step.at and _says(one.status, step.status) for one in known)


def _says(there: SessionStatus, told: SessionStatus) -> bool:
    """Return whether a session that is ``there`` is what the file has ``told``, as it became here since.

    What was cancelled here as an error stays so; of what was planned is said here what came of it.
    """
    return told is SessionStatus.PLANNED or there is not SessionStatus.PLANNED


def _values(step: PastSession, course_ids: Sequence[UUID]) -> dict[str, Any]:
    return {
        "course_id": course_ids[step.course],
        "at": step.at,
        "status": step.status,
        "route": step.route,
    }
