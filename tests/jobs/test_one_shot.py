"""Simulated clinics, the demo and imports, as a person starts them."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from jobs.crew import Crew, Desk
from jobs.demo import demo_sign_ins, load
from jobs.past import Past, dated_id
from jobs.problem import Problem
from jobs.simulate import Made, Wish, simulate, truth_of
from jobs.virtual import incoming
from server.clinical.vocabulary import AlertClass, AlertFamily, Role
from server.database import Database
from server.models import Alert, Base, Clinic, Delivery, Entry, Patient, Rota, TreatmentSession
from server.services.journal.incoming import Incoming
from server.services.people.passwords import Passwords
from server.settings import Settings
from server.simulator.clinic import simulate_clinic
from tests.cast import sign_in
from tests.conftest import NOON
from tests.one_shot import Run, imported, river, runner

WISH = Wish("virtual", 2, 60, 7, (NOON - timedelta(days=1)).date())


@pytest.fixture
def run(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `afterglow` on the test's database."""
    return runner(settings, monkeypatch)


@pytest.fixture
def ana(database: Database) -> UUID:
    """The patient of the clinic `river`."""
    return river(database, NOON)


def count(database: Database, model: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def everything(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def families(database: Database) -> set[tuple[str, AlertFamily, AlertClass]]:
    query = select(Patient.name, Alert.family, Alert.urgency).join(Alert, Alert.patient_id == Patient.id)
    with database.read() as session:
        return {(name, family, urgency) for name, family, urgency in session.execute(query)}


@pytest.mark.long
def test_the_same_seed_makes_the_same_entries_under_the_same_ids(database: Database) -> None:
    made = list(simulate(Crew(Desk(database, Passwords("cheap"))), WISH, NOON))
    again = list(simulate_clinic(WISH.patients, WISH.days, WISH.seed, WISH.end))
    assert [one.virtual for one in made] == [replace(one, diary=()) for one in again]
    for number, one in enumerate(made):
        wanted = {said.id: said.content["items"] for said in incoming(again[number], f"virtual:7:{number}")}
        with database.read() as session:
            rows = session.scalars(select(Entry).where(Entry.patient_id == one.patient_id)).all()
        assert {row.id: row.items for row in rows} == wanted
        assert len(rows) == one.entries
        assert all(row.received_at == row.occurred_at for row in rows)
    assert count(database, TreatmentSession) == sum(len(one.virtual.sessions) for one in made)


def test_the_truth_about_a_clinic_is_kept_as_plain_data() -> None:
    virtual = next(simulate_clinic(1, 60, 7, WISH.end))
    truth = truth_of(WISH, [Made(UUID(int=1), virtual, 3, 0)])
    assert json.loads(json.dumps(truth)) == truth
    assert truth["patients"][0]["truth"]["judged_from"] == virtual.truth.judged_from.isoformat()


def test_an_id_of_a_moment_is_a_uuid_that_sorts_by_time() -> None:
    first, later = (dated_id(NOON + timedelta(days=n), "a") for n in (0, 1))
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first < later
    assert first == dated_id(NOON, "a") != dated_id(NOON, "b")


def test_a_past_counts_its_days_by_the_hour_of_the_clinic() -> None:
    at = NOON.replace(hour=1)
    said = [Incoming(dated_id(at, "night"), {"occurred_at": at})]
    days = [Past(said[0].id, "UTC", None, [], said, day_start=hour).days for hour in (0, 4)]
    assert days == [{date(2026, 3, 2)}, {date(2026, 3, 1)}]


# On SQLite, where `make run` loads it; what the past is written with is tested on both (above).
@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_demo_is_loaded_once_and_shows_every_story(
    settings: Settings, database: Database, client: FlaskClient
) -> None:
    assert load(settings, database, NOON)
    before = everything(database)
    assert not load(settings, database, NOON + timedelta(days=1))
    assert everything(database) == before
    found = families(database)
    assert ("Ana", AlertFamily.MOOD_RELAPSE, AlertClass.P2) in found
    assert ("Kestrin", AlertFamily.SILENCE, AlertClass.P2) in found
    assert ("Lumara", AlertFamily.SAFETY, AlertClass.P0) in found
    assert {name for name, family, _ in found if family is not AlertFamily.SILENCE} == {"Ana", "Lumara"}
    assert count(database, Delivery) > 0
    for role, email, password in demo_sign_ins():
        assert sign_in(client, "demo", email, password)["access_token"], role
    with database.read() as session:
        rota = session.scalars(select(Rota)).one()
        assert rota.armed_at is not None
        assert rota.fallback_account_id is not None


@pytest.mark.long
def test_two_who_load_the_demo_at_once_get_it_once(settings: Settings, database: Database) -> None:
    """As two machines do that start with it: the second ended in an error of ours."""
    with ThreadPoolExecutor(2) as pool:
        loaded = list(pool.map(lambda _: load(settings, database, NOON), range(2)))
    assert sorted(loaded) == [False, True]
    assert (count(database, Clinic), count(database, Patient)) == (1, 5)


def test_the_demo_has_no_place_in_production(settings: Settings, database: Database) -> None:
    with pytest.raises(Problem, match="not for production"):
        load(replace(settings, environment="production"), database, NOON)
    assert count(database, Clinic) == 0


@pytest.mark.long
def test_the_example_is_imported_watched_and_recognised_the_second_time(
    run: Run, database: Database, ana: UUID
) -> None:
    said = imported(run, ana)
    assert said.exit_code == 0, said.output
    assert "78 imported, 0 there already, 1 refused; sessions recorded: 4, alerts opened: 2." in said.output
    assert families(database) == {
        ("Ana", AlertFamily.SAFETY, AlertClass.P1),
        ("Ana", AlertFamily.MOOD_RELAPSE, AlertClass.P2),
    }
    with database.read() as session:
        opened = session.scalar(select(Alert.opened_at).where(Alert.family == AlertFamily.MOOD_RELAPSE))
    assert opened is not None
    assert datetime(2025, 11, 2, tzinfo=UTC) < opened < datetime(2025, 11, 14, tzinfo=UTC)
    before = everything(database)
    again = imported(run, ana)
    assert "0 imported, 78 there already, 1 refused; sessions recorded: 0, alerts opened: 0." in again.output
    assert everything(database) == before


def test_the_roles_of_the_demo_are_those_a_newcomer_wants_to_try() -> None:
    assert {role for role, _, _ in demo_sign_ins()} == set(Role)
