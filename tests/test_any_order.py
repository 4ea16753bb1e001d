"""The same past in any order: as it happened, months late, by an import, with slips that were mended.

What the days come to, the stages and the hours since a session are those of the data. Of alerts that the data
support it is the same who has one.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import hypothesis
import pytest
from sqlalchemy import select

from jobs.past import Past, Tally, dated_id, take_all
from server.clinical.vocabulary import AlertFamily, Condition, MovedBy, SessionStatus, Source
from server.database import Database
from server.models import Activation, Alert, Assessment, Entry, WatchMove
from server.services import vault
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from server.services.past import afterwards
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.scales import questionnaire_response as responses
from server.services.visits import course as courses
from server.services.visits import visit as visits
from server.services.work import Work, system
from tests.cast import entry
from tests.conftest import NOON, empty
from tests.past_by_day import close_days
from tests.scales import filled

CLINIC, ZONE, DAYS = UUID(int=7), "Europe/London", 75
START, END = (NOON - timedelta(days=DAYS)).replace(hour=9), NOON
DAY = timedelta(days=1)
COURSE = {
    "route": "intranasal",
    "condition": Condition.DEPRESSION,
    "phase": "induction",
    "started_on": START.date(),
    "min_interval_days": 7,
    "max_interval_days": 28,
}
# One in the everyday suite. Of each there is something to tell.
SEEDS = (0,) if hypothesis.settings().max_examples < 100 else (0, 6, 7, 8, 10)


class Said(NamedTuple):
    """What happened at a moment: an entry's items, a scale's answers, or a session (neither)."""

    at: datetime
    items: Mapping[str, int] | None = None
    scale: Mapping[str, Any] | None = None


class Whose(NamedTuple):
    patient: UUID
    course: UUID


Way = Callable[[Work, Whose, Sequence[Said], Random], None]


def weeks(seed: int) -> Sequence[Said]:
    """Return weeks of somebody who is ill, is treated, is well, and perhaps not any more."""
    chance = Random(seed)
    given = sorted(chance.sample(range(10, DAYS - 30), chance.choice((1, 1, 2, 3))))
    ill_again, driven = given[-1] + 21, chance.randrange(30, DAYS - 4)
    often, level, found = chance.choice((0.9, 0.6)), 7, list[Said]()
    for number in range(DAYS):
        day = START + number * DAY
        if number in given:
            level = chance.choice((1, 2, 3))
            found.append(Said(day + timedelta(hours=8)))
        level = 7 if number == ill_again else level
        if chance.random() < often:
            at = day + timedelta(minutes=chance.randrange(12 * 60))
            found.append(Said(at, felt(round(chance.gauss(level, 0.9)), driven <= number < driven + 4)))
        if number % 7 == 3:
            at, each = day + timedelta(hours=5, seconds=1), 2 if level == 7 else 0
            found.append(Said(at, scale=filled(at, each=each)))
    return sorted((one for one in found if one.at < END), key=lambda one: one.at)


def felt(level: int, driven: bool) -> Mapping[str, int]:
    bad = max(0, min(level, 10))
    low = dict.fromkeys(("anxiety", "restlessness", "irritability", "pain_average", "pain_interference"), bad)
    high = dict.fromkeys(("mood", "interest", "sleep_quality"), 10 - bad)
    return {**low, **high, "energy": 9 if driven else 5, "sleep_hours": 4 if driven else 8}


def incoming(said: Said, version: int | None = None) -> Incoming:
    """Return an entry or a filled scale on its way."""
    body = entry(said.at, items=said.items) if said.scale is None else said.scale
    content = {**body, "occurred_at": said.at, "zone": ZONE}
    content = {"medication": {}, "side_effects": {}, "tags": [], "note": None, **content}
    return Incoming(dated_id(said.at, "any order"), content, version, Source.IMPORT)


def happens(work: Work, whose: Whose, said: Said) -> None:
    if said.scale is not None:
        responses.put(work, whose.patient, incoming(said))
    elif said.items is not None:
        entries.put(work, whose.patient, incoming(said))
    else:
        given = {"course_id": whose.course, "status": SessionStatus.DELIVERED, "at": said.at}
        visits.record(work, whose.patient, given)


def slips(work: Work, whose: Whose, said: Said, chance: Random) -> None:
    """Let it come in, and beside it what was a mistake, until it is mended."""
    if said.items is not None and chance.random() < 0.2:
        entries.put(work, whose.patient, incoming(said._replace(items=felt(chance.randrange(11), False))))
        entries.put(work, whose.patient, incoming(said, 1))
        return
    happens(work, whose, said)
    at = said.at + chance.choice((-4, 5)) * DAY + timedelta(milliseconds=1)
    if said.scale is None and chance.random() < 0.1 and START < at < END:
        wrong = {"course_id": whose.course, "status": SessionStatus.DELIVERED, "at": at}
        session = visits.record(work, whose.patient, wrong)
        visits.change(work, whose.patient, session.id, {"status": SessionStatus.CANCELLED}, 1)


def as_it_happened(work: Work, whose: Whose, every: Sequence[Said], _: Random) -> None:
    logged = [incoming(one) for one in every if one.items is not None]
    past = Past(whose.patient, ZONE, whose.course, [], logged)
    for one in every:
        then = replace(work, now=one.at.astimezone(UTC))
        close_days(then, past)
        happens(then, whose, one)
    close_days(work, past)


def months_late(work: Work, whose: Whose, every: Sequence[Said], chance: Random) -> None:
    for one in chance.sample(every, len(every)):
        slips(work, whose, one, chance)


def by_an_import(work: Work, whose: Whose, every: Sequence[Said], chance: Random) -> None:
    """Let an import bring what the phone and the clinic have not told before, and they the rest after it."""
    told = [one for one in every if chance.random() < 0.4]
    late = [one for one in every if one not in told and one.scale is not None]
    rest = [one for one in every if one not in told and one not in late]
    for one in told:
        happens(work, whose, one)
    logged = [incoming(one) for one in rest if one.items is not None]
    sessions = [one.at for one in rest if one.items is None]
    before = afterwards.look(work, whose.patient, [one.id for one in logged], sessions)
    take_all(work, Past(whose.patient, ZONE, whose.course, sessions, logged), Tally())
    afterwards.follow(work, whose.patient, before, is_last=True)
    for one in late:
        slips(work, whose, one, chance)


class Left(NamedTuple):
    """What is left: of the days, the stages after them, the entries, and who has which alert."""

    days: Mapping[tuple[str, date], object]
    stages: Mapping[str, Mapping[date, str]]
    hours: Mapping[UUID, object]
    alerts: set[AlertFamily]


def left_by(database: Database, way: Way, seed: int) -> Left:
    empty(database)
    with database.write() as session:
        work = Work(session, (START - DAY).astimezone(UTC), system(CLINIC))
        clinics.create(work, slug="virtual", name="Virtual", zone=ZONE, country="GB")
        who = {"name": "Ana", "zone": ZONE, "country": "GB", "clinician_id": None, "enrolled_at": work.now}
        patient = patients.create(work, who, dated_id(START, "patient"))
        planned = courses.create(work, patient.id, COURSE)
        way(replace(work, now=END), Whose(patient.id, planned.id), weeks(seed), Random(seed))
    with database.read() as session:
        return _left(Work(session, END, system(CLINIC)))


def _left(work: Work) -> Left:
    days: dict[tuple[str, date], object] = {}
    for row in work.session.scalars(select(Assessment).order_by(Assessment.data_version)):
        days[row.arm, row.day] = row.state, row.signal, row.rules, row.text
    for judged in work.session.scalars(select(Activation).order_by(Activation.data_version)):
        days["activation", judged.day] = judged.urgency, judged.rules, judged.text
    stages: defaultdict[str, dict[date, str]] = defaultdict(dict)
    moves = select(WatchMove).where(WatchMove.by == MovedBy.WATCH).order_by(WatchMove.day, WatchMove.made_at)
    for move in work.session.scalars(moves.order_by(WatchMove.data_version)):
        stages[move.arm][move.day] = move.after
    hours = {row.id: (row.local_day, row.hours_since_session) for row in work.session.scalars(select(Entry))}
    alerts = vault.opened(work, list(work.session.scalars(select(Alert))))
    supported = {one.family for one in alerts if not one.evidence.get("disproved")}
    return Left(days, stages, hours, supported - {AlertFamily.SILENCE})


def stage_on(moves: Mapping[date, str], day: date) -> str:
    return moves[max(before)] if (before := [one for one in moves if one <= day]) else "calm"


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_past_comes_to_the_same_in_whatever_order_it_comes_in(database: Database, seed: int) -> None:
    told = left_by(database, as_it_happened, seed)
    assert {AlertFamily.MOOD_RELAPSE, AlertFamily.ACTIVATION} <= told.alerts, "there is something to tell"
    for way in (months_late, by_an_import):
        found = left_by(database, way, seed)
        # On a day without an entry only who was there at its end was judged.
        assert {key: found.days[key] for key in found.days.keys() & told.days.keys()} == {
            key: told.days[key] for key in found.days.keys() & told.days.keys()
        }
        for arm in told.stages.keys() | found.stages.keys():
            both = told.stages.get(arm, {}), found.stages.get(arm, {})
            for day in {*both[0], *both[1]}:
                assert stage_on(both[0], day) == stage_on(both[1], day), (way.__name__, arm, day)
        assert (found.hours, found.alerts) == (told.hours, told.alerts), way.__name__
