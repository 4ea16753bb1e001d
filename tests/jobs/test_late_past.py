"""A past that came in bundles, late and corrected, as an export brings it, and whichever way it goes in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from jobs.past import Past, dated_id
from jobs.virtual import Registration, beginning, register
from server.clinical.vocabulary import AlertFamily, SessionStatus, Source
from server.database import Database
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from server.services.past.writer import Step, open_writer
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.scales import questionnaire_response as responses
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import assessment as assessments
from server.services.work import Work, system
from server.simulator.clinic import demo_clinic
from tests.conftest import NOON, empty
from tests.past_by_day import Left, left_of
from tests.scales import filled

END = (NOON - timedelta(days=1)).date()
CLINIC = UUID(int=7)
DAY = timedelta(days=1)
Write = Callable[[Work, Past, Sequence["Came"]], None]


class Came(NamedTuple):
    """What came in at a moment: an entry, perhaps a corrected one, a filled scale, or a session (None)."""

    at: datetime
    said: Incoming | None
    is_scale: bool = False


def came(past: Past, with_scale: bool) -> Sequence[Came]:
    """Return the past as a phone without a signal sends it: in bundles, some of it late, some corrected."""
    found = [Came(at, None) for at in past.sessions]
    for number, said in enumerate(past.entries):
        bundle = past.entries[min(number - number % 3 + 2, len(past.entries) - 1)]
        late = timedelta(hours=1) + (5 * DAY if number % 10 == 7 else timedelta())
        at = bundle.content["occurred_at"] + late
        effects = {"euphoria": 1} if number == 40 else said.content["side_effects"]
        sent = Incoming(said.id, {**said.content, "side_effects": effects}, None, Source.APP, at)
        found.append(Came(at, sent))
        if number % 15 == 4:
            items = {**said.content["items"], "mood": 2}
            changed = Incoming(said.id, {**said.content, "items": items}, 1, Source.APP, at + DAY)
            found.append(Came(at + DAY, changed))
    if with_scale:
        at = past.sessions[-1] + 20 * DAY
        body = {**filled(at, each=1), "occurred_at": at}
        found.append(Came(at, Incoming(dated_id(at, "scale"), body, None, Source.IMPORT), is_scale=True))
    return sorted((one._replace(at=one.at.astimezone(UTC)) for one in found), key=lambda one: one.at)


def of_days(past: Past) -> tuple[Sequence[Came], Sequence[Came]]:
    """Return what the phone had brought of the middle, and of the last days, and what an import brings."""
    every = [Came(at, None) for at in past.sessions]
    every += [Came(said.content["occurred_at"], said) for said in past.entries]
    ordered = sorted((one._replace(at=one.at.astimezone(UTC)) for one in every), key=lambda one: one.at)
    there = [one for one in ordered[30:40:3] + ordered[-3:] if one.said is not None]
    return there, [one for one in ordered if one not in there]


def one_by_one(work: Work, past: Past, every: Sequence[Came]) -> None:
    for one in every:
        alone(replace(work, now=one.at), past, one)


def together(work: Work, past: Past, every: Sequence[Came]) -> None:
    """Write in two transactions' worth what memory may tell, and let the rest be written by itself."""
    for part in (every[:50], every[50:]):
        planned = [Step(one.at, one.said) for one in part if is_plain(one)]
        writer = open_writer(replace(work, now=part[0].at), past.patient_id, planned)
        for one in part:
            if not is_plain(one):
                writer.give_way()
                alone(replace(work, now=one.at), past, one)
            elif one.said is None:
                writer.deliver(session_of(past, one))
            else:
                writer.put()
        writer.write()


def is_plain(one: Came) -> bool:
    return one.said is None or (not one.is_scale and one.said.base_version is None)


def alone(work: Work, past: Past, one: Came) -> None:
    if one.said is None:
        # What comes after it and is there already is timed and judged again at the end of an import.
        given = treatment_sessions.create(work, past.patient_id, session_of(past, one))
        assessments.reassess(work, patients.get(work, past.patient_id), [given.local_day])
    elif one.is_scale:
        responses.put(work, past.patient_id, one.said)
    else:
        entries.put(work, past.patient_id, one.said)


def session_of(past: Past, one: Came) -> dict[str, object]:
    return {"course_id": past.course_id, "status": SessionStatus.DELIVERED, "at": one.at}


def left_by(database: Database, write: Callable[[Work, Past], None]) -> Left:
    empty(database)
    ana, *_ = demo_clinic(END)
    with database.write() as session:
        work = Work(session, beginning(ana) - DAY, system(CLINIC))
        clinics.create(work, slug="virtual", name="Virtual", zone="Europe/London", country="GB")
        write(work, register(work, ana, Registration("ana", "GB", NOON)))
    with database.read() as session:
        return left_of(session, Work(session, NOON, system(CLINIC)))


@pytest.mark.long
def test_bundles_late_entries_corrections_and_a_scale_leave_what_one_by_one_leaves(
    database: Database,
) -> None:
    def written(write: Write, with_scale: bool) -> Left:
        return left_by(database, lambda work, past: write(work, past, came(past, with_scale)))

    for with_scale in (False, True):
        expected = written(one_by_one, with_scale)
        assert_equal(written(together, with_scale), expected)
    assert {AlertFamily.ACTIVATION, AlertFamily.MOOD_RELAPSE} <= {row["family"] for row in expected["alerts"]}
    assert expected["watch_moves"]


@pytest.mark.long
def test_an_import_around_days_that_are_known_leaves_what_one_by_one_leaves(database: Database) -> None:
    def written(write: Write) -> Callable[[Work, Past], None]:
        def both(work: Work, past: Past) -> None:
            there, rest = of_days(past)
            one_by_one(work, past, there)
            write(work, past, rest)

        return both

    assert_equal(left_by(database, written(together)), left_by(database, written(one_by_one)))


def assert_equal(found: Left, expected: Left) -> None:
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
