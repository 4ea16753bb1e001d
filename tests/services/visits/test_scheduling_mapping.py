"""What a scheduling system calls our patients, also where an earlier version kept an id as it was written."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from jobs import erase
from jobs.around import Around
from server.clinical.vocabulary import MappingKind
from server.models import SchedulingMapping
from server.services import vault
from server.settings import Settings
from tests.leaving import leaves
from tests.services.visits.conftest import Desk


@pytest.fixture(params=[str.upper, lambda text: text.replace("-", "")], ids=["capitals", "no hyphens"])
def written(desk: Desk, request: pytest.FixtureRequest) -> str:
    """Ana's id as it was written when an earlier version kept her name there."""
    kept: str = request.param(str(desk.cast.ana.patient_id))
    with desk.database.write() as session:
        work = desk.work(session)
        key = {"clinic_id": work.clinic_id, "connection_id": desk.copy().connection_id}
        row = SchedulingMapping(**key, kind=MappingKind.PATIENT, ours=kept)
        vault.put(work, row, "theirs", "card-1")
        session.add(row)
    return kept


def lines(desk: Desk) -> str:
    return f"/clinic/scheduling-connections/{desk.copy().connection_id}/mappings"


def listed(desk: Desk) -> list[tuple[str, str]]:
    return [(one["ours"], one["theirs"]) for one in desk.cast.admin.get(lines(desk)).json["items"]]


def test_a_name_that_was_kept_so_counts_and_is_replaced(desk: Desk, written: str) -> None:
    assert desk.claim().proposed.mapped.patient == "card-1"
    said = desk.cast.admin.put(f"{lines(desk)}/patient/{written}", {"theirs": "card-2"})
    assert said.status_code == 200, said.text
    assert listed(desk) == [(str(desk.cast.ana.patient_id), "card-2")]


def test_it_is_taken_away_by_either_writing(desk: Desk, written: str) -> None:
    line = f"{lines(desk)}/patient/{desk.cast.ana.patient_id}"
    assert desk.cast.admin.delete(line).status_code == 204
    assert listed(desk) == []
    assert desk.cast.admin.delete(f"{lines(desk)}/patient/{written}").status_code == 404


def test_of_who_leaves_it_is_not_shown_and_goes_with_the_rest(
    desk: Desk, written: str, settings: Settings
) -> None:
    assert [ours for ours, _ in listed(desk)] == [written]
    leaves(desk.cast)
    assert listed(desk) == []
    assert erase.run(Around(desk.database, settings, {}), desk.clock.now + timedelta(days=2)) == 1
    with desk.database.read() as session:
        kept = {UUID(ours) for ours in session.scalars(select(SchedulingMapping.ours))}
    assert desk.cast.ana.patient_id not in kept
