"""The second lock: PostgreSQL itself keeps clinics apart, for a role that does not own the tables.

Most of it is about what goes wrong with such a lock: a clinic that is not said, or stays said for whoever
uses the connection next, and roles that pass it by.
"""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, make_url, select, text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from uuid_utils.compat import uuid7

from server.database import Database
from server.isolation import CLINIC, EVERY_CLINIC, Extent, IsolationError, Whose
from server.migrations import rows
from server.models import Account, AuditEvent, Base, Clinic, Patient
from server.services.errors import Conflict
from server.services.messages import operations
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import NOON, ROLE, owner_of, owner_url
from tests.source import sources

# Named by the hash of a secret of 256 bits: there is nothing to guess, so nothing is told by one that exists.
SECRETS = {"calendar_feeds", "invitations", "recoveries", "refresh_tokens", "tickets"}
NOT_ALLOWED = r"permission|must be owner"


# Where a transaction looks past one clinic. A new place is a decision: the API has only doors, and figures.
DOORS = {
    *("server/api/calendar_feed.py", "server/api/invitation.py", "server/api/recovery.py"),
    *("server/api/scheduling_event.py", "server/api/sign_in.py"),
    *("server/commands/erasures.py", "jobs/audit_verify.py", "jobs/demo.py", "jobs/import_diary.py"),
    *("jobs/simulate.py", "server/commands/admin_invite.py"),
    *("jobs/replay.py", "jobs/research_export.py", "jobs/watch_report.py"),
}
ACROSS = {
    # STOP by SMS holds wherever the number is known; of a message that was lost operations may have to hear.
    *("server/api/health.py", "server/api/sms_message.py", "server/api/sms_report.py"),
    *("server/commands/audit.py", "server/commands/backup.py"),
    *("server/commands/ground.py", "server/commands/keys.py"),
    *("server/commands/status.py", "server/commands/work.py"),
    *("jobs/audit_seal.py", "jobs/audit_verify.py", "jobs/backup.py", "jobs/booking_sync.py"),
    *("jobs/deliver.py", "jobs/each_clinic.py", "jobs/ending_list.py", "jobs/erase.py"),
    *("jobs/escalate.py", "jobs/heartbeat.py"),
    *("jobs/policy_replay.py", "jobs/probe.py", "jobs/recover.py"),
    *("jobs/remind.py", "jobs/restore.py", "jobs/retention.py", "jobs/tidy.py"),
}


@pytest.fixture
def guarded(cast: Cast, database: Database) -> Iterator[Database]:
    """The database as the service opens it: with one connection, so that the next one gets the same."""
    if database.is_sqlite:
        pytest.skip("SQLite has no roles: there the condition in every query stands alone")
    assert cast.cyd.clinic_id != cast.ana.clinic_id
    one = Database(database.engine.url.render_as_string(hide_password=False))
    yield one
    one.close()


def names(database: Database, whose: Whose) -> int:
    """Return how many patients there are for ``whose`` where a query forgot its clinic."""
    with database.read(whose) as session:
        return session.scalar(select(func.count()).select_from(Patient)) or 0


def at(connection: Connection, clinic_id: UUID) -> None:
    connection.execute(text(f"SELECT set_config('{CLINIC}', :id, true)"), {"id": str(clinic_id)})


def count(connection: Connection) -> int:
    return connection.scalar(text("SELECT count(*) FROM patients")) or 0


def test_a_query_that_forgot_its_clinic_finds_those_of_the_transactions_clinic(
    guarded: Database, cast: Cast
) -> None:
    everybody = names(guarded, Extent.ALL)
    assert everybody == names(guarded, cast.ana.clinic_id) + names(guarded, cast.cyd.clinic_id)
    assert 0 < names(guarded, cast.cyd.clinic_id) < everybody
    assert names(guarded, uuid7()) == 0


def test_where_no_clinic_was_said_there_are_no_rows(guarded: Database) -> None:
    assert names(guarded, Extent.NONE) == 0
    with guarded.engine.connect() as connection:
        assert count(connection) == 0


def test_our_own_code_can_not_forget_to_say_it(guarded: Database) -> None:
    with guarded.read() as session, pytest.raises(IsolationError, match="Say whose rows"):
        session.scalar(select(func.count()).select_from(Patient))


def test_what_one_transaction_said_is_gone_in_the_next_on_the_same_connection(
    guarded: Database, cast: Cast
) -> None:
    with guarded.write(cast.ana.clinic_id) as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with guarded.engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == pid
        assert connection.scalar(text(f"SELECT current_setting('{CLINIC}', true)")) == ""
        assert count(connection) == 0, "an empty text, and no error either"
    with guarded.read(Extent.ALL) as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) == pid
    assert names(guarded, Extent.NONE) == 0


def test_what_was_said_for_a_glance_holds_for_one_question(guarded: Database, cast: Cast) -> None:
    question = text("SELECT count(*) FROM patients")
    with guarded.glance(cast.ana.clinic_id) as connection:
        assert (connection.scalar(question) or 0) > 0
    with guarded.glance(uuid7()) as connection:
        assert connection.scalar(question) == 0
    with guarded.engine.connect() as connection:
        assert count(connection) == 0


def test_a_transaction_taken_back_leaves_nothing_said(guarded: Database, cast: Cast) -> None:
    with pytest.raises(DataError), guarded.write(cast.ana.clinic_id) as session:
        session.scalar(text("SELECT 1 / 0"))
    assert names(guarded, Extent.NONE) == 0


def test_who_comes_through_the_door_is_held_to_the_clinic_once_it_is_known(
    guarded: Database, cast: Cast
) -> None:
    with guarded.read(Extent.DOOR) as session:
        total = select(func.count()).select_from(Patient)
        before = session.scalar(total) or 0
        Work(session, NOON, system(cast.cyd.clinic_id))
        assert 0 < (session.scalar(total) or 0) < before


def test_a_transaction_never_goes_over_to_another_clinic(database: Database, cast: Cast) -> None:
    with database.read(cast.ana.clinic_id) as session:
        Work(session, NOON, system(cast.ana.clinic_id))
        with pytest.raises(IsolationError, match="somebody else's"):
            Work(session, NOON, system(cast.cyd.clinic_id))
    with database.read(Extent.NONE) as session, pytest.raises(IsolationError):
        Work(session, NOON, system(cast.ana.clinic_id))


def test_nothing_is_written_or_changed_for_another_clinic(guarded: Database, cast: Cast) -> None:
    event = AuditEvent(clinic_id=cast.cyd.clinic_id, id=uuid7(), at=NOON, action="x")
    with pytest.raises(ProgrammingError, match="row-level security"), guarded.write(cast.ana.clinic_id) as s:
        s.add(event)
    with guarded.write(cast.ana.clinic_id) as session:
        changed = session.connection().exec_driver_sql("UPDATE accounts SET disabled_at = now()")
        assert changed.rowcount > 0
    with guarded.read(cast.cyd.clinic_id) as session:
        assert session.scalars(select(Account.disabled_at)).all().count(None) > 0


def test_an_id_that_another_clinic_uses_is_as_free_as_any(guarded: Database, cast: Cast) -> None:
    """A key that did not carry the clinic would answer "taken", and so tell what exists elsewhere."""
    with guarded.write(cast.cyd.clinic_id) as session:
        known = dict(session.execute(select(Patient.__table__)).mappings().all()[0])
        known |= {"id": cast.ana.patient_id, "clinician_id": None}
        session.execute(Patient.__table__.insert(), [known])
    with pytest.raises(IntegrityError), guarded.write(cast.cyd.clinic_id) as session:
        session.execute(Patient.__table__.insert(), [known])


def test_every_key_carries_its_clinic() -> None:
    tables = [table for table in Base.metadata.sorted_tables if "clinic_id" in table.c]
    keys = {
        (table.name, tuple(sorted(key.columns.keys())))
        for table in tables
        for key in (table.primary_key, *(i for i in (*table.constraints, *table.indexes) if _is_unique(i)))
    }
    assert {name for name, columns in keys if "clinic_id" not in columns} <= SECRETS


def _is_unique(one: object) -> bool:
    return getattr(one, "unique", False) or type(one).__name__ == "UniqueConstraint"


def test_every_table_with_a_clinic_is_closed_and_a_new_one_would_be_missed(guarded: Database) -> None:
    with owner_of(guarded).engine.begin() as connection:
        assert rows.open_tables(connection) == []
        connection.execute(text("CREATE TABLE newcomers (clinic_id uuid PRIMARY KEY)"))
        assert rows.open_tables(connection) == ["newcomers"]
        rows.protect(connection)
        assert rows.open_tables(connection) == []
        connection.execute(text("DROP TABLE newcomers"))


@pytest.mark.parametrize(("word", "places"), [("Extent.DOOR", DOORS), ("Extent.ALL", ACROSS)])
def test_the_places_that_look_past_one_clinic_are_known(word: str, places: set[str]) -> None:
    ours = (source for source in sources() if source.path.startswith(("server/", "jobs/")))
    found = {source.path for source in ours if f"({word})" in source.text}
    assert found == places


def test_every_table_says_whose_its_rows_are() -> None:
    free = {table.name for table in Base.metadata.sorted_tables if "clinic_id" not in table.c}
    assert free == {"clinics", "job_runs", "tallies"}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE patients DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_clinic ON patients",
        "TRUNCATE patients",
        "DROP TABLE patients",
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_events",
        "UPDATE alembic_version SET version_num = 'x'",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
    ],
)
def test_the_service_can_not_change_tables_policies_or_what_was_audited(
    guarded: Database, statement: str
) -> None:
    with (
        guarded.write(Extent.ALL) as session,
        pytest.raises(ProgrammingError, match=NOT_ALLOWED),
    ):
        session.connection().exec_driver_sql(statement)


def test_asking_past_the_policies_is_an_error_and_no_answer(guarded: Database) -> None:
    with guarded.write(Extent.ALL) as session:
        session.connection().exec_driver_sql("SET row_security = off")
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.scalar(select(func.count()).select_from(Patient))


def test_the_role_that_owns_the_tables_is_held_to_the_policies_too(guarded: Database, cast: Cast) -> None:
    with owner_of(guarded).engine.connect() as connection:
        connection.execute(text("CREATE ROLE plain_owner"))
        connection.execute(text("ALTER TABLE patients OWNER TO plain_owner"))
        connection.execute(text("SET LOCAL ROLE plain_owner"))
        assert count(connection) == 0
        at(connection, cast.ana.clinic_id)
        assert count(connection) > 0
        connection.rollback()


def test_a_superuser_sees_everything_which_is_why_none_may_run_the_service(guarded: Database) -> None:
    with owner_of(guarded).engine.connect() as connection:
        assert count(connection) == names(guarded, Extent.ALL)


def test_the_setting_for_every_clinic_is_as_short_lived(guarded: Database) -> None:
    assert names(guarded, Extent.ALL) > 0
    with guarded.engine.connect() as connection:
        assert connection.scalar(text(f"SELECT current_setting('{EVERY_CLINIC}', true)")) == ""


def test_clinics_themselves_are_seen_by_their_own(guarded: Database, cast: Cast) -> None:
    with guarded.read(cast.ana.clinic_id) as session:
        assert [clinic.id for clinic in session.scalars(select(Clinic))] == [cast.ana.clinic_id]


def test_the_tests_run_as_the_role_that_the_service_runs_as(guarded: Database, settings: Settings) -> None:
    assert make_url(settings.database_url).username == ROLE
    assert owner_url(settings.database_url) != settings.database_url


def test_who_looks_for_other_clinics_from_within_one_is_told_and_finds_nothing_by_halves(
    database: Database, cast: Cast
) -> None:
    """To be told "nobody is set up" would leave a page unsent, and nobody would know."""
    with database.write(cast.ana.clinic_id) as session:
        for ask in (clinics.operations_id, clinics.every_id, clinics.everyone):
            with pytest.raises(IsolationError, match="looks at every clinic"):
                ask(session)
        with pytest.raises(IsolationError, match="looks at every clinic"):
            operations.page(session, NOON, "poison_delivery", "one")


def test_a_short_name_that_is_taken_is_told_to_who_does_not_see_by_whom(
    database: Database, cast: Cast
) -> None:
    named = {"slug": "elsewhere", "name": "X", "zone": "Europe/Oslo", "country": "NO"}
    with database.write() as session:
        work = Work(session, NOON, system(uuid7()))
        with pytest.raises(Conflict) as caught:
            clinics.create(work, **named)
    assert caught.value.code == "slug-taken"
    assert cast.cyd.get("/clinic").status_code == 200
