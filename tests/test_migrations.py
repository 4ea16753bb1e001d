"""Migrations go forward and back with rows in the tables, on both databases, and end at the models."""

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import column, create_engine, table, text
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import (
    AlertClass,
    Channel,
    ConsentWay,
    DeliveryState,
    DeliverySubject,
    Language,
    Purpose,
    Role,
    SuggestionState,
)
from server.database import Database
from server.migrations import downgrade, is_current, upgrade
from server.migrations.standing import revision_of
from server.models import (
    Account,
    Alert,
    Base,
    Clinic,
    Consent,
    ContactPoint,
    Delivery,
    Rota,
    Shift,
    SignIn,
)
from tests.conftest import NOON, Watched, owner_url

LATER = NOON + timedelta(hours=1)
CIVIL = datetime.fromisoformat("2026-03-02T18:00")


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without any table, of each kind."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            database = Watched(f"sqlite:///{folder}/bare.db")
            yield database
            database.close()
        return
    url = owner_url(request.getfixturevalue("postgresql_url"))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS bare"))
        connection.execute(text("CREATE DATABASE bare"))
    database = Watched(engine.url.set(database="bare").render_as_string(hide_password=False))
    yield database
    database.close()
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE bare"))
    engine.dispose()


def a_clinic() -> dict[str, Any]:
    known = {"zone": "Europe/Oslo", "country": "NO", "day_start": 4, "asks_safety_question": True}
    return {**known, "id": uuid7(), "slug": "demo", "name": "Demo", "policy_version": 1, "created_at": NOON}


def somebody_on_call(database: Database, clinic_id: UUID) -> None:
    account_id, key = uuid7(), {"clinic_id": clinic_id}
    with database.write() as session:
        person = {"role": "clinician", "name": "Bo", "plain_email": "bo@demo.example", "password_hash": "x"}
        session.add(Account(**key, id=account_id, quiet_from="22:00", created_at=NOON, **person))
        session.flush()
        session.get_one(Rota, clinic_id).fallback_account_id = account_id
        held = {**key, "account_id": account_id, "created_at": NOON}
        session.add(Shift(**held, id=uuid7(), starts=CIVIL, ends=CIVIL.replace(hour=23)))
        reached = {"channel": Channel.SMS, "sealed_address": b"x", "position": 0}
        session.add(ContactPoint(**held, id=uuid7(), **reached))


def put(database: Database, name: str, row: dict[str, Any]) -> None:
    """Write a row of an older version: the models know columns that came later."""
    types = Base.metadata.tables[name].c
    with database.write() as session:
        session.execute(table(name, *(column(key, types[key].type) for key in row)).insert(), [row])


def an_alert_and_its_mail(clinic_id: UUID) -> dict[str, dict[str, Any]]:
    """Return the rows of an acknowledged alert whose message a mail server took, of the first version."""
    key, now = {"clinic_id": clinic_id}, {"created_at": NOON}
    bo = {
        **key,
        **now,
        "id": uuid7(),
        "role": "clinician",
        "name": "Bo",
        "email": "b@x",
        "password_hash": "x",
    }
    ana = {
        **key,
        **now,
        "id": uuid7(),
        "name": "Ana",
        "zone": "Europe/Oslo",
        "country": "NO",
        "bipolar_risk": [],
    }
    ana |= {"change_counter": 0, "next_close_at": NOON, "policy_version": 1, "version": 1}
    sealed = dict.fromkeys(("sealed_codes", "sealed_summary", "sealed_evidence"), b"x")
    alert = {**key, **sealed, "id": uuid7(), "patient_id": ana["id"], "family": "safety", "urgency": "P0"}
    alert |= {
        "state": "acknowledged",
        "level": 0,
        "day": NOON.date(),
        "opened_at": NOON,
        "worsened_at": LATER,
    }
    alert |= {"acknowledged_at": LATER, "acknowledged_by": bo["id"], "version": 2}
    mail = {**key, **now, "id": uuid7(), "key": "k", "account_id": bo["id"], "channel": "email", "attempt": 1}
    mail |= {"template": "patient_needs_review", "subject": "alert", "subject_id": alert["id"]}
    mail |= {"urgency": "P0", "state": "delivered", "due_at": NOON, "finished_at": NOON}
    return {"accounts": bo, "patients": ana, "alerts": alert, "deliveries": mail}


@pytest.mark.long
def test_consent_goes_forward_with_everybody_sharing_and_back_with_caregivers_shut_out(
    bare: Database,
) -> None:
    upgrade(bare, "0001")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    rows = an_alert_and_its_mail(clinic["id"])
    put(bare, "accounts", rows["accounts"])
    put(bare, "patients", rows["patients"])
    upgrade(bare)
    key, patient_id = {"clinic_id": clinic["id"]}, rows["patients"]["id"]
    with bare.write() as session:
        assert session.execute(text("SELECT team_withdrawn_at FROM patients")).scalar() is None
        person = {"name": "Gus", "plain_email": "gus@x", "password_hash": "x", "created_at": NOON}
        gus = Account(**key, id=uuid7(), role=Role.CAREGIVER, **person)
        sign_in = SignIn(**key, id=uuid7(), account_id=gus.id, created_at=NOON, last_used_at=LATER)
        session.add_all([gus])
        session.flush()
        session.add(sign_in)
        said = {"given": False, "version": 0, "at": NOON, "way": ConsentWay.APP}
        session.add(Consent(**key, id=uuid7(), patient_id=patient_id, purpose=Purpose.CARE_TEAM, **said))
    downgrade(bare, "0006")
    with bare.read() as session:
        (found,) = session.execute(text("SELECT role, disabled_at FROM accounts WHERE email = 'gus@x'")).all()
        assert found.role in {"patient", "clinician", "coordinator", "clinic_admin", "integration"}
        assert found.disabled_at is not None
        assert session.execute(text("SELECT revoked_at FROM sign_ins")).scalar() is not None
    upgrade(bare)


@pytest.mark.long
def test_an_alert_and_its_message_from_before_go_forward_and_back(bare: Database) -> None:
    upgrade(bare, "0001")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    for name, row in an_alert_and_its_mail(clinic["id"]).items():
        put(bare, name, row)
    upgrade(bare)
    with bare.read() as session:
        alert, mail = session.query(Alert).one(), session.query(Delivery).one()
        assert (alert.waiting_since, alert.acknowledged_until, alert.snoozed) == (LATER, LATER, False)
        # A mail server's yes only ever meant that it took the message.
        assert (mail.state, mail.level, mail.held) == (DeliveryState.ACCEPTED, 0, False)
        assert session.query(Clinic).one().language is Language.EN
    downgrade(bare, "0001")
    with bare.read() as session:
        assert session.scalar(text("SELECT state FROM deliveries")) == "delivered"
        assert session.scalar(text("SELECT state FROM alerts")) == "acknowledged"
    downgrade(bare, "base")


@pytest.mark.long
def test_a_clinic_from_before_the_rota_gets_one_and_can_go_back(bare: Database) -> None:
    upgrade(bare, "0001")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    upgrade(bare)
    assert is_current(bare)
    with bare.read() as session:
        rota = session.get_one(Rota, clinic["id"])
        assert rota.hours == [[["08:00", "18:00"]]] * 5 + [[], []]
        assert (rota.holidays, rota.steps[0], rota.version) == ([], ["own_clinician"], 1)
        assert (rota.armed_at, rota.fallback_account_id) == (None, None)
    somebody_on_call(bare, clinic["id"])
    downgrade(bare, "0001")
    with bare.read() as session:
        assert session.execute(text("SELECT email FROM accounts")).all() == [("bo@demo.example",)]
    upgrade(bare)
    with bare.read() as session:
        assert session.get_one(Rota, clinic["id"]).fallback_account_id is None
        assert session.query(Clinic).one().slug == "demo"
    downgrade(bare, "base")


@pytest.mark.long
def test_the_newest_tables_are_those_of_the_models(bare: Database) -> None:
    upgrade(bare)
    with bare.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.mark.parametrize("bare", ["sqlite"], indirect=True)  # PostgreSQL goes by steps, beside who uses it
def test_a_migration_of_an_embedded_database_that_fails_on_its_way_changes_nothing(bare: Database) -> None:
    upgrade(bare, "0007")
    with bare.engine.begin() as connection:
        connection.execute(text("CREATE TABLE tallies (of_somebody_else INTEGER)"))
    with pytest.raises(OperationalError, match="tallies already exists"):
        upgrade(bare)
    assert revision_of(bare) == "0007"
    with bare.engine.begin() as connection:
        connection.execute(text("DROP TABLE tallies"))
    upgrade(bare)
    assert is_current(bare)


def test_a_webhook_of_a_system_from_before_hears_of_visits_and_of_no_alert_and_can_go_back(
    bare: Database,
) -> None:
    upgrade(bare, "0003")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    key, now = {"clinic_id": clinic["id"]}, {"created_at": NOON}
    hook = {**key, **now, "channel": "webhook", "sealed_address": b"x", "position": 0}
    for role in ("integration", "clinician"):
        account = {**key, **now, "id": uuid7(), "role": role, "name": role, "email": role}
        put(bare, "accounts", account | {"password_hash": "x"})
        put(bare, "contact_points", hook | {"id": uuid7(), "account_id": account["id"]})
    upgrade(bare)
    with bare.write() as session:
        points = session.query(ContactPoint).order_by(ContactPoint.id)
        assert [[kind.value for kind in point.events] for point in points] == [["visits"], ["alerts"]]
        session.add(an_event(points[0]))
    downgrade(bare, "0003")
    with bare.read() as session:
        assert session.scalar(text("SELECT count(*) FROM contact_points")) == 2
        assert session.scalar(text("SELECT count(*) FROM deliveries")) == 0
    downgrade(bare, "base")


def an_event(point: ContactPoint) -> Delivery:
    return Delivery(
        clinic_id=point.clinic_id,
        id=uuid7(),
        key="k",
        account_id=point.account_id,
        channel=Channel.WEBHOOK,
        contact_id=point.id,
        template="visit_suggestion.sent",
        subject=DeliverySubject.SUGGESTION,
        subject_id=uuid7(),
        urgency=AlertClass.P3,
        state=DeliveryState.QUEUED,
        due_at=NOON,
        attempt=0,
        created_at=NOON,
        event_state=SuggestionState.SENT,
        event_version=3,
    )


@pytest.mark.long
def test_systems_keep_what_they_could_and_a_half_open_sign_in_ends_on_the_way_back(bare: Database) -> None:
    upgrade(bare, "0004")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    key, now = {"clinic_id": clinic["id"]}, {"created_at": NOON}
    ids = {}
    for role in ("integration", "clinician"):
        ids[role] = uuid7()
        account = {**key, **now, "id": ids[role], "role": role, "name": role, "email": role}
        put(bare, "accounts", account | {"password_hash": "x"})
        put(bare, "sign_ins", {**key, **now, "id": uuid7(), "account_id": ids[role], "last_used_at": NOON})
    upgrade(bare)
    with bare.write() as session:
        scopes = {account.id: account.scopes for account in session.query(Account)}
        assert scopes == {ids["integration"]: ["visits"], ids["clinician"]: None}
        waiting, whole = session.query(SignIn).order_by(SignIn.id)
        assert (whole.awaits_factor, whole.authenticated_at) == (False, None)
        waiting.awaits_factor = True
    downgrade(bare, "0004")
    with bare.read() as session:
        ended = session.execute(text("SELECT revoked_at IS NULL FROM sign_ins ORDER BY id")).all()
        assert [bool(row[0]) for row in ended] == [False, True]
    downgrade(bare, "base")


def test_an_address_from_before_it_was_sealed_goes_forward_and_back_and_a_sealed_one_gets_a_stand_in(
    bare: Database,
) -> None:
    upgrade(bare, "0006")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    for name in ("ana", "bo"):
        key = {"clinic_id": clinic["id"], "id": uuid7(), "created_at": NOON}
        person = {"role": "clinician", "name": name, "email": f"{name}@x.example", "password_hash": "x"}
        put(bare, "accounts", {**key, **person})
    upgrade(bare)
    with bare.write() as session:
        assert session.query(Clinic).one().contacts_sealed is False, "the version before still reads them"
        ana, bo = session.query(Account).order_by(Account.name)
        assert (ana.plain_email, ana.email_index) == ("ana@x.example", None)
        bo.plain_email, bo.sealed_email, bo.email_index = None, b"x", "0" * 64
    downgrade(bare, "0006")
    with bare.read() as session:
        left = session.scalars(text("SELECT email FROM accounts ORDER BY name")).all()
        assert left == ["ana@x.example", f"sealed-{'0' * 64}"]
    downgrade(bare, "base")
