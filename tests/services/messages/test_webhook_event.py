"""Every move of an approved visit is written for who listens, with the move and as it was then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, select

from server.api.edge import Surroundings
from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction
from server.clinical.visit_event import EVENT_TYPES, event_type
from server.clinical.vocabulary import AlertClass, Channel, EventKind, Role, SuggestionState
from server.database import Database
from server.models import Account, BookingSuggestionEvent
from server.services.messages import contact_point as contact_points
from server.services.messages import webhook as webhooks
from server.services.messages.contact_point import Way
from server.services.visits import suggestion_move
from server.services.work import Work, system
from tests.cast import Cast, new_staff
from tests.conftest import Clock
from tests.hooks import told
from tests.visits import Visits

DRAFT = SuggestionState.DRAFT
APPROVED = [(state, action) for state, action in SUGGESTION_MOVES if state is not DRAFT]


@contextmanager
def writing(app: Flask, visits: Visits) -> Iterator[Work]:
    """Open a writing transaction of Ana's clinic."""
    with Surroundings.of(app).database.write() as session:
        yield visits.work(session)


def hook(app: Flask, visits: Visits, account_id: UUID, name: str = "a") -> UUID:
    """Let an account listen to visits."""
    with writing(app, visits) as work:
        url = f"https://hooks.example.org/{name}"
        return webhooks.register(
            work, account_id, url, list(webhooks.usual_events(Role.INTEGRATION))
        ).point.id


def drafted(visits: Visits) -> UUID:
    visits.on_treatment()
    suggestion = visits.relapse()
    assert suggestion is not None
    return suggestion


def test_the_way_of_a_visit_is_told_move_by_move_each_as_it_was(
    app: Flask, visits: Visits, cast: Cast, database: Database
) -> None:
    listener = hook(app, visits, cast.scheduler.account_id)
    suggestion = visits.booked()
    visits.book(cast.scheduler, suggestion, version=4, days=4)
    cast.scheduler.post(f"/inbox/booking-suggestions/{suggestion}/complete", version=5)
    rows = told(database)
    assert [(row.template, row.event_state, row.event_version) for row in rows] == [
        ("visit_suggestion.created", "suggested", 2),
        ("visit_suggestion.sent", "sent", 3),
        ("visit_suggestion.booked", "booked", 4),
        ("visit_suggestion.booked", "booked", 5),
        ("visit_suggestion.fulfilled", "fulfilled", 6),
    ]
    for row in rows:
        assert (row.channel, row.contact_id, row.urgency) == (Channel.WEBHOOK, listener, AlertClass.P3)
        assert (str(row.subject_id), row.account_id) == (suggestion, cast.scheduler.account_id)


def test_no_way_of_moving_forgets_it(app: Flask, visits: Visits, cast: Cast, database: Database) -> None:
    hook(app, visits, cast.scheduler.account_id)
    suggestion_id = UUID(visits.approved())
    for state, action in APPROVED:
        with writing(app, visits) as work:
            suggestion = suggestion_move.locked(work, suggestion_id)
            suggestion.state = state
            suggestion_move.make_move(work, suggestion, action)
    rows = told(database)
    assert [row.event_version for row in rows] == list(range(2, len(APPROVED) + 3))
    assert [row.event_state for row in rows[1:]] == [SUGGESTION_MOVES[move] for move in APPROVED]
    assert {row.template for row in rows} <= EVENT_TYPES
    with database.read() as session:
        log = session.scalars(select(BookingSuggestionEvent.state).order_by(BookingSuggestionEvent.number))
        assert list(log)[1:] == [row.event_state for row in rows]


def test_a_change_that_is_no_move_is_told_as_a_new_version(
    app: Flask, visits: Visits, cast: Cast, database: Database, clock: Clock
) -> None:
    hook(app, visits, cast.scheduler.account_id)
    suggestion = visits.booked(0.5)
    cast.scheduler.post(f"/inbox/booking-suggestions/{suggestion}/complete", version=4)
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    visits.session(course, clock.forward(days=1))  # what was given is recorded, and linked
    assert [(row.event_state, row.event_version) for row in told(database)[-2:]] == [
        ("fulfilled", 5),
        ("fulfilled", 6),
    ]


@pytest.mark.parametrize(
    "action", [SuggestionAction.DISMISS, SuggestionAction.EXPIRE, SuggestionAction.SUPERSEDE]
)
def test_what_no_clinician_approved_is_told_to_nobody(
    app: Flask, visits: Visits, cast: Cast, database: Database, action: SuggestionAction
) -> None:
    hook(app, visits, cast.scheduler.account_id)
    suggestion_id = drafted(visits)
    with writing(app, visits) as work:
        suggestion_move.make_move(work, suggestion_move.locked(work, suggestion_id), action)
    assert told(database) == []


def test_a_move_that_is_taken_back_is_told_to_nobody(
    app: Flask, visits: Visits, cast: Cast, database: Database
) -> None:
    hook(app, visits, cast.scheduler.account_id)
    suggestion_id = drafted(visits)
    with writing(app, visits) as work:
        suggestion = suggestion_move.locked(work, suggestion_id)
        suggestion_move.make_move(work, suggestion, SuggestionAction.APPROVE)
        work.session.rollback()
    assert told(database) == []


def test_only_who_listens_is_told(app: Flask, visits: Visits, cast: Cast, database: Database) -> None:
    gone = new_staff(app, cast.bo.clinic_id, Role.INTEGRATION, "Gone")
    first = hook(app, visits, cast.scheduler.account_id, "first")
    second = hook(app, visits, cast.bo.account_id, "second")
    removed, closed = hook(app, visits, cast.scheduler.account_id, "c"), hook(app, visits, gone.account_id)
    with writing(app, visits) as work:
        webhooks.register(work, cast.bo.account_id, "https://hooks.example.org/alerts")
        webhooks.remove(work, removed)
        work.session.get_one(Account, (work.clinic_id, gone.account_id)).disabled_at = work.now
    with database.write() as session:
        theirs = Work(session, visits.now, system(cast.cyd.clinic_id))
        webhooks.register(theirs, cast.cyd.account_id, "https://hooks.example.org/cyd")
    visits.approved()
    assert {row.contact_id for row in told(database)} == {first, second}
    assert closed not in {row.contact_id for row in told(database)}


def test_what_a_move_costs_more_is_a_question_and_an_insert_however_many_listen(
    app: Flask, visits: Visits, cast: Cast, database: Database
) -> None:
    suggestion_id = UUID(visits.approved())
    asked: list[str] = []

    def note(*about: Any) -> None:
        asked.append(about[2])

    def moved(state: SuggestionState, action: SuggestionAction) -> int:
        with writing(app, visits) as work:
            suggestion = suggestion_move.locked(work, suggestion_id)
            suggestion.state = state
            work.session.flush()
            asked.clear()
            suggestion_move.make_move(work, suggestion, action)
            return len(asked)

    moved(SuggestionState.SUGGESTED, SuggestionAction.SEND)  # the first one opens the clinic's keys
    event.listen(database.engine, "before_cursor_execute", note)
    to_nobody = moved(SuggestionState.SUGGESTED, SuggestionAction.SEND)
    assert sum("contact_points" in statement for statement in asked) == 1
    for number in range(3):
        hook(app, visits, cast.scheduler.account_id, str(number))
        to_some = moved(SuggestionState.SUGGESTED, SuggestionAction.SEND)
        assert to_some == to_nobody + 1
    event.remove(database.engine, "before_cursor_execute", note)
    # The move, its number, its log, its audit; its copy at the clinic's system; who listens, and the events.
    # On PostgreSQL the log and the audit go with what follows.
    assert to_some == (7 if database.is_sqlite else 5)


def test_every_state_but_a_draft_has_a_type_of_its_own() -> None:
    names = {event_type(state) for state in SuggestionState if state is not DRAFT}
    assert len(names) == len(SuggestionState) - 1
    assert {"visit_suggestion.created", "visit_suggestion.needs_attention"} < names


def test_a_webhook_that_listens_to_visits_is_no_way_to_reach_anybody(
    app: Flask, visits: Visits, cast: Cast
) -> None:
    point = hook(app, visits, cast.bo.account_id)
    with writing(app, visits) as work:
        bo = work.session.get_one(Account, (work.clinic_id, cast.bo.account_id))
        assert contact_points.ways(work, bo) == [Way(Channel.EMAIL)]
        webhooks.listen(work, point, list(EventKind))
        assert contact_points.ways(work, bo) == [Way(Channel.WEBHOOK, point), Way(Channel.EMAIL)]
