"""Import a diary export: the same entries, safety check and watch as if it had come in day by day."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from math import fsum
from uuid import UUID
from zoneinfo import ZoneInfo

from jobs import diary_rows
from jobs.diary_rows import Diary
from jobs.past import Past, Tally, Told, write_past
from jobs.problem import Problem
from server.clinical.vocabulary import AlertFamily, Source
from server.database import Database
from server.diary_import.diary_map import DiaryMap
from server.diary_import.map_file import MapError, read_map
from server.diary_import.mapping import Mapped, Row, map_table
from server.diary_import.table import TableError, read_table
from server.isolation import Extent
from server.services import local_day as local_days
from server.services.alerts import alert as alerts
from server.services.errors import NotFound
from server.services.journal import entry as entries
from server.services.journal import unreadable
from server.services.journal.incoming import Incoming
from server.services.journal.unreadable import Kind, Unread
from server.services.past import afterwards
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Actor, Work, system

# What is said of a line that was read and not taken.
STORED_OTHERWISE = "its entry is stored already with other content, or was taken back"
# Reading what is there needs no time.
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. ``zone`` is the patient's own; ``course_id`` None means one is planned;
    ``day_start`` is the clinic's hour; ``source`` names the diary the entries come from."""

    patient_id: UUID
    actor: Actor
    zone: str
    diary_map: DiaryMap
    mapped: Mapped
    sessions: tuple[datetime, ...]
    course_id: UUID | None
    day_start: int
    source: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ItemSummary:
    """One item over all rows, after mapping: how many values, and their range."""

    key: str
    count: int
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class Opened:
    """An alert that the import opened: what kind, and on which day."""

    family: AlertFamily
    day: date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did. ``refused`` are lines whose entry is stored already with other content."""

    tally: Tally
    refused: tuple[int, ...]
    opened: tuple[Opened, ...]


def checked_map(text: str) -> DiaryMap:
    """Return the map; Problem with one line for each thing that is wrong with it."""
    try:
        return read_map(text)
    except MapError as error:
        lines = "".join(f"\n  {problem}" for problem in error.problems)
        raise Problem(f"The map can't be used:{lines}") from None


def find_patient(database: Database, slug: str, patient_id: UUID, now: datetime) -> tuple[Actor, str]:
    """Return the actor of the clinic and the patient's zone; Problem when either is not there."""
    with database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise Problem(f"There is no clinic {slug}.")
        actor = system(clinic.id)
        try:
            return actor, patients.get(Work(session, now, actor), patient_id).zone
        except NotFound:
            raise Problem(f"There is no patient {patient_id} at clinic {slug}.") from None


def prepare(
    database: Database, who: tuple[str, UUID], files: tuple[str, bytes], now: datetime, map_name: str = "map"
) -> Plan:
    """Read and map everything without changing anything.

    ``who`` is the clinic's short name and the patient's id, ``files`` the text of the map and the
    bytes of the diary; ``map_name`` names the source where the map does not. Problem for everything
    that stops the import as a whole.
    """
    diary_map = checked_map(files[0])
    slug, patient_id = who
    actor, own_zone = find_patient(database, slug, patient_id, now)
    zone = diary_map.zone or own_zone
    try:
        mapped = map_table(read_table(files[1], diary_map.encoding), diary_map, zone, now)
    except TableError as error:
        raise Problem(f"The diary {error}.") from None
    with database.read() as session:
        work = Work(session, now, actor)
        course_id, day_start = _running(work, patient_id, own_zone), local_days.start(work)
        sessions = _sessions(work, patient_id, diary_map, zone)
        new = _new_sessions(work, patient_id, own_zone, sessions)
    late = [moment for moment in sessions if moment > now]
    if late:
        raise Problem(f"The session of {late[0].date()} lies in the future.")
    if new and course_id is None and diary_map.course is None:
        raise Problem("The map names sessions but no course, and the patient has none.")
    source = diary_map.source or map_name
    return Plan(patient_id, actor, own_zone, diary_map, mapped, sessions, course_id, day_start, source, now)


def write(database: Database, plan: Plan, told: Told = lambda _: None) -> Outcome:
    """Do what ``plan`` says. A second time it recognises everything and changes nothing."""
    by_line = read_entries(database, plan)
    before = _alerts(database, plan)
    course_id = plan.course_id or _plan_course(database, plan)
    said = tuple(by_line.values())
    past = Past(plan.patient_id, plan.zone, course_id, plan.sessions, said, day_start=plan.day_start)
    ids = [one.id for one in said]
    with database.read() as session:
        known = afterwards.look(Work(session, plan.now, plan.actor), plan.patient_id, ids, plan.sessions)

    def follow(work: Work, is_last: bool) -> None:
        afterwards.follow(replace(work, now=plan.now), plan.patient_id, known, is_last)

    tally = write_past(database, plan.actor, past, told, follow)
    _heed_refused(database, plan)
    refused = {entry.id for entry in tally.refused}
    return Outcome(
        tally=tally,
        refused=tuple(sorted(line for line, entry in by_line.items() if entry.id in refused)),
        opened=tuple(one for alert_id, one in _alerts(database, plan).items() if alert_id not in before),
    )


def _heed_refused(database: Database, plan: Plan) -> None:
    """Act on what rows say about danger that can't be taken: a slip in one column must not hide it."""
    for found in _unread(plan):
        with database.write() as session:
            unreadable.heed(Work(session, plan.now, plan.actor), plan.patient_id, found)


def _unread(plan: Plan) -> Iterator[Unread]:
    # Named as an entry is: the lines of a diary that begins with its newest day move.
    seen: Counter[str] = Counter()
    for refusal in plan.mapped.refusals:
        said = dict(refusal.said)
        row = refusal.stamp if refusal.is_dated else f"line {refusal.line} {refusal.stamp}"
        alike = f"{row} {said}"
        seen[alike] += 1
        name = f"{plan.source}, {row}, {seen[alike]}"
        yield Unread(Kind.ENTRY, said, name, refusal.is_dated)


def steps(plan: Plan) -> int:
    """Return how many steps `write` will tell of."""
    return len(plan.mapped.rows) + len(plan.sessions)


def summaries(rows: Sequence[Row]) -> Iterator[ItemSummary]:
    """Yield each mapped item's count, least, mean and greatest value, in the order of their keys."""
    values: dict[str, list[float]] = {}
    for row in rows:
        items: Mapping[str, float] = row.content["items"]
        for key, value in items.items():
            values.setdefault(key, []).append(value)
    for key, found in sorted(values.items()):
        yield ItemSummary(key, len(found), min(found), fsum(found) / len(found), max(found))


def read_entries(database: Database, plan: Plan) -> dict[int, Incoming]:
    """Return the entry that each row is, by its line."""
    diary = Diary(plan.patient_id, plan.source, plan.mapped.rows, goes_along=plan.diary_map.zone is None)
    with database.read() as session:
        work = Work(session, LONG_AGO, plan.actor)
        return {row.line: entry for row, entry in diary_rows.entries_of(work, diary)}


def _alerts(database: Database, plan: Plan) -> dict[UUID, Opened]:
    zone = ZoneInfo(plan.zone)
    with database.read() as session:
        found = alerts.unacknowledged(Work(session, LONG_AGO, plan.actor), plan.patient_id)
        return {alert.id: Opened(alert.family, alert.opened_at.astimezone(zone).date()) for alert in found}


def _sessions(work: Work, patient_id: UUID, diary_map: DiaryMap, zone: str) -> tuple[datetime, ...]:
    """Return the moments of the map's sessions; like a row, one keeps the zone in which it was brought."""
    before = () if diary_map.zone else entries.zones(work, patient_id, Source.IMPORT)

    def given(moment: datetime) -> datetime:
        in_zones = [(moment.replace(tzinfo=ZoneInfo(one)).astimezone(UTC), one) for one in (zone, *before)]
        known = (at for at, one in in_zones if treatment_sessions.is_on_record(work, patient_id, at, one))
        return next(known, in_zones[0][0])

    return tuple(sorted(map(given, diary_map.sessions)))


def _new_sessions(
    work: Work, patient_id: UUID, zone: str, sessions: Sequence[datetime]
) -> Sequence[datetime]:
    """Return those of ``sessions`` that are not on record yet."""
    return [at for at in sessions if not treatment_sessions.is_on_record(work, patient_id, at, zone)]


def _running(work: Work, patient_id: UUID, zone: str) -> UUID | None:
    active = courses.active(work, patient_id, local_days.of(work, work.now, zone))
    return active.id if active else None


def _plan_course(database: Database, plan: Plan) -> UUID | None:
    """Return the active course, planned here where sessions need one; None where none does."""
    wanted = plan.diary_map.course
    with database.write() as session:
        work = Work(session, plan.now, plan.actor)
        patients.lock(work, plan.patient_id)  # the same import may run twice: one of them plans it
        if (course_id := _running(work, plan.patient_id, plan.zone)) is not None:
            return course_id
        new = _new_sessions(work, plan.patient_id, plan.zone, plan.sessions)
        if wanted is None or not new:
            return None
        values = {
            "route": wanted.route,
            "condition": wanted.condition,
            "phase": wanted.phase,
            "started_on": local_days.of(work, new[0], plan.zone),
            "min_interval_days": wanted.min_interval_days,
            "max_interval_days": wanted.max_interval_days,
        }
        return courses.create(replace(work, now=new[0]), plan.patient_id, values).id
