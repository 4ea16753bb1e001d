"""A file for research beside an erasure: who leaves is left out, and everybody else is in it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from jobs import erase, research_export
from jobs.around import Around
from server.clinical.vocabulary import ErasureReason, Purpose
from server.isolation import Extent
from server.services.journal import research
from server.services.people import erasure as erasures
from server.services.work import Work, system
from tests.cast import Cast, Person, entry, new_patient, push, pushed
from tests.conftest import Clock
from tests.consents import agree, say
from tests.scales import filled


@pytest.fixture
def una(cast: Cast, clock: Clock) -> Person:
    """A patient who, like Ana, agreed to research; both have a diary of one entry."""
    agree(cast, Purpose.RESEARCH)
    una = new_patient(cast.ana.client.application, cast.ana.clinic_id, "Una", cast.bo.account_id)
    assert say(una, Purpose.RESEARCH, True, 1).status_code == 200
    for number, one in enumerate((cast.ana, una)):
        answer = one.put(f"/entries/01a1e8a0-5c00-7000-8000-00000000000{number}", entry(clock.now))
        assert answer.status_code == 201, answer.text
    return una


def ask(cast: Cast) -> int:
    """Ask for Ana's erasure and return its version."""
    answer = cast.admin.post(
        f"/patients/{cast.ana.patient_id}/erasure", {"reason": ErasureReason.PATIENT_ASKED}
    )
    return int(answer.json["version"])


def confirm(cast: Cast, version: int) -> None:
    """Confirm it: from now on she leaves."""
    path = f"/patients/{cast.ana.patient_id}/erasure/confirm"
    assert cast.admin.post(path, {"patient_name": "Ana"}, version=version).status_code == 200


def exported(around: Around, clock: Clock) -> list[dict[str, Any]]:
    return [json.loads(line) for line in research_export.lines(around.database, "demo", clock.now)][1:]


def test_who_leaves_is_left_out_and_everybody_else_is_in_the_file(
    around: Around, cast: Cast, clock: Clock, una: Person
) -> None:
    both = exported(around, clock)
    assert len({row["person"] for row in both}) == 2
    confirm(cast, ask(cast))
    (other,) = exported(around, clock)
    assert other in both


def test_a_total_says_by_which_version_it_was_made_and_whether_it_was_answered_again(
    around: Around, cast: Cast, clock: Clock, una: Person
) -> None:
    """Two versions of a scale are two measures, and one answer that was given twice is one."""
    occurrence = f"phq-9:{clock.now.date()}"
    told = [filled(clock.now, each=each, occurrence=occurrence) for each in (1, 0)]
    told[1]["answers"] |= {"q4": None}
    told[1]["occurred_at"] = (clock.now + timedelta(minutes=1)).isoformat()
    push(una, [pushed("questionnaire_response", one) for one in told])
    rows = [row for row in exported(around, clock) if row["kind"] == "scale"]
    known = {"kind": "scale", "scale": "phq-9", "version": 1, "person": rows[0]["person"], "day": 0}
    assert rows == [
        known | {"total": 9, "prorated": False, "superseded": True},
        known | {"total": 0, "prorated": True, "superseded": False},
    ]


def test_people_stand_in_another_order_than_they_were_enrolled_in(
    around: Around, cast: Cast, clock: Clock, una: Person
) -> None:
    """Beside a list of the clinic's patients that order would say who is who."""
    for number in range(2, 8):
        name = f"Una{number}"
        one = new_patient(cast.ana.client.application, cast.ana.clinic_id, name, cast.bo.account_id)
        assert say(one, Purpose.RESEARCH, True, 1).status_code == 200
        path = f"/entries/01a1e8a0-5c00-7000-8000-00000000000{number}"
        assert one.put(path, entry(clock.now)).status_code == 201
    people = [row["person"] for row in exported(around, clock)]
    assert (len(people), people) == (8, sorted(people)), "by their digests, which follow nothing"


@pytest.mark.parametrize("gone", [False, True])
def test_who_leaves_while_the_file_is_made_is_left_out(
    around: Around, cast: Cast, clock: Clock, una: Person, gone: bool
) -> None:
    version = ask(cast)
    running = research_export.lines(around.database, "demo", clock.now)
    next(running)
    confirm(cast, version)
    if gone:
        assert erase.run(around, clock.forward(days=2)) == 1
    assert len(list(running)) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # who writes on SQLite is alone
def test_an_erasure_waits_for_a_diary_that_is_being_read(
    around: Around, cast: Cast, clock: Clock, una: Person
) -> None:
    ana = cast.ana.patient_id
    assert isinstance(ana, UUID)
    with around.database.write(Extent.ALL) as session:
        assert research.rows(Work(session, clock.now, system(cast.ana.clinic_id)), ana)
        with around.database.write(Extent.ALL) as other:
            other.execute(text("SET LOCAL lock_timeout = 300"))
            begun = Work(other, clock.now, system(cast.ana.clinic_id))
            with pytest.raises(OperationalError):
                erasures.run_out(begun, ana)


def test_a_clock_that_was_reset_turns_no_days_into_dates(
    around: Around, cast: Cast, clock: Clock, una: Person
) -> None:
    reset = datetime(1970, 1, 1, 5, tzinfo=UTC)
    told = [pushed("entry", entry(reset)), pushed("questionnaire_response", filled(reset))]
    answer = una.post("/sync", {"items": told, "sent_at": reset.isoformat()})
    assert [one["verdict"] for one in answer.json["results"]] == ["created"] * 2
    assert [(row["kind"], row["day"]) for row in exported(around, clock)] == [("entry", 0)] * 2
