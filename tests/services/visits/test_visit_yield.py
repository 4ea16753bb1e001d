"""What is counted where it lies says the same as counting the suggestions one at a time."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, update
from uuid_utils.compat import uuid7

from server.clinical.visit_yield import FEWEST, Report, Tracked, report
from server.clinical.vocabulary import Arm, DeclineCode, SuggestionState
from server.database import Database
from server.models import BookingSuggestion, BookingSuggestionEvent, TreatmentSession
from server.models.booking_suggestion import ENDED
from server.services import vault
from server.services.visits import visit_yield
from server.services.work import Work, system
from tests.cast import Cast
from tests.conftest import NOON
from tests.visits import Visits

MANY, REASONS = 300, ("maintenance_due", "relapse_signal")
WINDOW = datetime(2026, 1, 1, tzinfo=NOON.tzinfo)


@pytest.fixture
def ward(visits: Visits, cast: Cast, database: Database) -> Work:
    """A clinic with many suggestions that have ended in every way, before the window and in it."""
    session = UUID(visits.session(visits.course(), NOON - timedelta(days=1))["id"])
    chance = Random(7)
    with database.write() as writing:
        work = Work(writing, NOON, system(cast.ana.clinic_id))
        for _ in range(MANY):
            _put(work, _suggestion(chance, cast, session), chance)
    return work


def _suggestion(chance: Random, cast: Cast, session: UUID) -> dict[str, Any]:
    made = NOON - timedelta(days=chance.randrange(120), seconds=chance.randrange(86_400))
    state = SuggestionState(chance.choice(ENDED))
    known = state is SuggestionState.FULFILLED and chance.random() < 0.8
    return {
        "clinic_id": cast.ana.clinic_id,
        "id": uuid7(),
        "patient_id": cast.ana.patient_id,
        "programme": Arm.MOOD,
        "state": state,
        "reason": chance.choice(REASONS),
        "urgency": "routine",
        "earliest": made.date(),
        "latest": made.date(),
        "blocks": [],
        "offered_at": made if chance.random() < 0.8 else None,
        "starts_at": made + timedelta(hours=chance.randrange(900)) if chance.random() < 0.7 else None,
        "treatment_session_id": session if chance.random() < 0.3 else None,
        "responded": chance.random() < 0.7 if known else None,
        "days_gained": chance.randrange(60) if known else None,
        "gained_at_least": chance.random() < 0.3 if known else None,
        "created_at": made,
        "changed_at": made,
        "version": 3,
    }


def _put(work: Work, row: dict[str, Any], chance: Random) -> None:
    work.session.add(BookingSuggestion(**row))
    work.session.flush()
    if row["state"] is SuggestionState.DECLINED:
        key = {"clinic_id": row["clinic_id"], "suggestion_id": row["id"], "number": 1}
        moved = {"action": "decline", "state": row["state"], "at": row["created_at"]}
        line = BookingSuggestionEvent(**key, **moved)
        vault.put(work, line, "detail", {"code": chance.choice([*DeclineCode]).value})
        work.session.add(line)


def one_at_a_time(work: Work) -> Report:
    """Count every suggestion of the window apart."""
    tracked, waited = [], defaultdict(list)
    for one in work.session.scalars(select(BookingSuggestion)).all():
        if one.created_at < WINDOW:
            continue
        visit = one.starts_at
        for at in work.session.scalars(
            select(TreatmentSession.at).where(TreatmentSession.id == one.treatment_session_id)
        ):
            visit = at
        if one.state is SuggestionState.FULFILLED and visit is not None:
            waited[one.reason].append((visit - one.created_at) / timedelta(days=1))
        tracked.append(
            Tracked(
                *(one.reason, one.state, one.offered_at is not None, one.starts_at is not None),
                *(_code(work, one), one.responded, one.days_gained, bool(one.gained_at_least)),
            )
        )
    return report(tracked, waited)


def _code(work: Work, one: BookingSuggestion) -> DeclineCode | None:
    events = select(BookingSuggestionEvent).where(BookingSuggestionEvent.suggestion_id == one.id)
    found = vault.opened(work, work.session.scalars(events).all())
    return DeclineCode(found[0].detail["code"]) if found else None


def test_it_is_the_same_as_counting_each_of_many(ward: Work, database: Database) -> None:
    with database.read() as session:
        work = Work(session, NOON, ward.actor)
        found = visit_yield.read(work, 3)
        wanted = one_at_a_time(work)
    assert found.since == WINDOW.date()
    assert found.report == wanted
    total = found.report.total
    assert FEWEST * 4 < total.suggested < MANY
    assert total.days_to_visit.median is not None
    assert total.days_gained.median is not None
    assert len(total.declined) > 1


def test_what_changes_meanwhile_is_counted_once(ward: Work, database: Database) -> None:
    with database.read() as session:
        before = visit_yield.read(Work(session, NOON, ward.actor), 3)

    changed: list[str] = []

    def change(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "booking_suggestions" in statement and not changed:
            changed.append(statement)
            with database.write(ward.clinic_id) as session:
                session.execute(update(BookingSuggestion).values(state=SuggestionState.DECLINED))

    event.listen(database.engine, "after_cursor_execute", change)
    with database.read() as session:
        assert visit_yield.read(Work(session, NOON, ward.actor), 3) == before
    event.remove(database.engine, "after_cursor_execute", change)
    assert changed
    with database.read() as session:
        assert visit_yield.read(Work(session, NOON, ward.actor), 3) != before
