"""Questions about several patients asked at once: each finds the answer it would have been given."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, select
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import Entry
from server.services.asking import between, of_patient
from server.services.foresight import MOST, foresight
from server.services.work import Work, system
from tests.cast import Cast, Person, entry, new_patient, push, pushed
from tests.conftest import NOON

NEWEST = (
    select(Entry.local_day, Entry.items, Entry.occurred_at.label("felt"))
    .where(*of_patient(Entry), between(Entry.local_day), Entry.version == bindparam("version"))
    .order_by(Entry.occurred_at.desc())
    .limit(3)
)
Asked = Sequence[dict[str, Any]]
TODAY = NOON.date()
DAYS = [NOON - timedelta(days=back) for back in range(1, 7)]


@pytest.fixture
def dan(app: Flask, cast: Cast) -> Person:
    """Another patient of Ana's clinic, with a day of diary; she has six."""
    push(cast.ana, [pushed("entry", entry(day)) for day in DAYS])
    found = new_patient(app, cast.ana.clinic_id, "dan", None)
    push(found, [pushed("entry", entry(DAYS[2]))])
    return found


@pytest.fixture
def work(database: Database, dan: Person) -> Iterator[Work]:
    """A transaction at their clinic."""
    with database.write() as session:
        yield Work(session, NOON, system(dan.clinic_id))


@pytest.fixture
def asked(cast: Cast, dan: Person) -> Asked:
    """Questions about different days: of Ana, of Dan, and of somebody who isn't there."""
    back = [(cast.ana.patient_id, 6, 1), (cast.ana.patient_id, 4, 3), (dan.patient_id, 6, 0)]
    return [
        {
            "patient": who,
            "first": TODAY - timedelta(days=first),
            "last": TODAY - timedelta(days=last),
            "version": 1,
        }
        for who, first, last in (*back, (uuid7(), 6, 0))
    ]


def test_the_answers_are_those_of_one_question_after_another(work: Work, asked: Asked) -> None:
    alone = [[tuple(row) for row in work.rows(NEWEST, **values)] for values in asked]
    with foresight(work) as ahead:
        ahead.ask(NEWEST, asked)
        together = [work.rows(NEWEST, **values) for values in asked]
    assert [[tuple(row) for row in rows] for rows in together] == alone
    assert [len(rows) for rows in alone] == [3, 2, 1, 0]
    first = together[0][0]
    assert (first.local_day, first.felt) == (DAYS[0].date(), DAYS[0])
    assert first.items == first[1] != {}


def test_one_question_is_answered_as_ever_and_a_block_within_a_block_takes_nothing_from_it(
    work: Work, asked: Asked
) -> None:
    one, another, *_ = asked
    usual = [[tuple(row) for row in work.rows(NEWEST, **values)] for values in (one, another)]
    with foresight(work) as ahead:
        ahead.ask(NEWEST, [one])
        with foresight(work) as inner:
            inner.ask(NEWEST, [another])
            found = [[tuple(row) for row in work.rows(NEWEST, **another)]]
        found.insert(0, [tuple(row) for row in work.rows(NEWEST, **one)])
    assert found == usual
    assert all(usual)


def test_more_than_fit_into_a_statement_are_asked_in_several(work: Work, asked: Asked) -> None:
    values = [{**asked[0], "version": number % 2} for number in range(MOST + 1)]
    different = [{**one, "last": TODAY - timedelta(days=number)} for number, one in enumerate(values)]
    alone = [[tuple(row) for row in work.rows(NEWEST, **one)] for one in different]
    with foresight(work) as ahead:
        ahead.ask(NEWEST, different)
        assert [[tuple(row) for row in work.rows(NEWEST, **one)] for one in different] == alone
    assert any(alone)


def test_an_answer_is_given_once_and_none_outlives_the_block(work: Work, cast: Cast, asked: Asked) -> None:
    one, another, *_ = asked
    with foresight(work) as ahead:
        ahead.ask(NEWEST, [one, another])
        before = work.rows(NEWEST, **one)
        newest = work.session.query(Entry).filter_by(patient_id=cast.ana.patient_id)
        newest.filter_by(local_day=before[0].local_day).one().items = {"mood": 1}
        assert work.rows(NEWEST, **one)[0].items == {"mood": 1}
    work.session.query(Entry).filter_by(patient_id=cast.ana.patient_id).update({"version": 2})
    assert list(work.rows(NEWEST, **another)) == []
