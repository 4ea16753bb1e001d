"""Tampering, as somebody with all rights over the database would do it: the first bad row is named."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from server.database import Database
from server.models import ClinicKey
from server.services.audit.verifying import Fault, Found
from tests.conftest import NOON
from tests.services.audit.ledger import (
    A_DAY,
    an_event,
    event_at,
    fault,
    happen,
    open_clinic,
    put_in,
    ruling,
    seal_all,
)


@pytest.fixture
def river(database: Database) -> UUID:
    """A clinic with twelve events in its chain, sealed three at a time."""
    clinic_id = open_clinic(database)
    happen(database, clinic_id, 10)
    assert seal_all(database, clinic_id) == 12
    assert fault(database, clinic_id) is None
    return clinic_id


def run(connection: Connection, statement: str, **values: object) -> None:
    """Run ``statement``; ids are stored as SQLite or PostgreSQL stores them."""
    native = connection.dialect.name == "postgresql"
    plain = {k: (v if native or not isinstance(v, UUID) else v.hex) for k, v in values.items()}
    assert connection.execute(text(statement), plain).rowcount > 0


@pytest.mark.parametrize(
    "change",
    [
        "action = 'patient.list'",
        "object_id = NULL",
        "object_id = ''",
        "patient_id = NULL",
        "account_id = patient_id",
        "at = '2026-03-02 12:00:00.000001'",
    ],
)
def test_a_changed_event_is_named(database: Database, river: UUID, change: str) -> None:
    event = event_at(database, river, 7)
    with ruling(database) as connection:
        run(connection, f"UPDATE audit_events SET {change} WHERE id = :id", id=event)
    assert fault(database, river) == Found(Fault.CHANGED, 7, event)


def test_a_removed_event_is_named(database: Database, river: UUID) -> None:
    event = event_at(database, river, 5)
    with ruling(database) as connection:
        run(connection, "DELETE FROM audit_seals WHERE event_id = :id", id=event)
        run(connection, "DELETE FROM audit_events WHERE id = :id", id=event)
    assert fault(database, river) == Found(Fault.MISSING, 5)


def test_a_removed_event_whose_gap_was_closed_is_found_at_its_place(database: Database, river: UUID) -> None:
    event, after = event_at(database, river, 5), event_at(database, river, 6)
    with ruling(database) as connection:
        run(connection, "DELETE FROM audit_seals WHERE event_id = :id", id=event)
        run(connection, "DELETE FROM audit_events WHERE id = :id", id=event)
        for position in range(6, 13):
            run(
                connection,
                "UPDATE audit_seals SET position = :n WHERE position = :m",
                n=position - 1,
                m=position,
            )
    assert fault(database, river) == Found(Fault.CHANGED, 5, after)


def test_events_that_have_changed_places_are_named(database: Database, river: UUID) -> None:
    third, ninth = event_at(database, river, 3), event_at(database, river, 9)
    swap = "UPDATE audit_seals SET event_id = :id WHERE position = :n"
    with ruling(database) as connection:
        spare = an_event(river, NOON)["id"]
        for n, event in ((9, spare), (3, ninth), (9, third)):
            run(connection, swap, id=event, n=n)
    assert fault(database, river) == Found(Fault.REORDERED, 3, ninth)


def test_an_event_put_into_the_middle_is_named(database: Database, river: UUID) -> None:
    strange = an_event(river, NOON)
    put_in(database, strange)
    with ruling(database) as connection:
        for position in range(12, 6, -1):
            run(
                connection,
                "UPDATE audit_seals SET position = :n WHERE position = :m",
                n=position + 1,
                m=position,
            )
        run(
            connection,
            "INSERT INTO audit_seals (clinic_id, position, event_id, digest) "
            "SELECT clinic_id, 7, :id, digest FROM audit_seals WHERE position = 6",
            id=strange["id"],
        )
    assert fault(database, river) == Found(Fault.INSERTED, 7, strange["id"])


def test_an_event_put_in_with_an_old_date_is_told_and_not_chained(database: Database, river: UUID) -> None:
    strange = an_event(river, NOON - 2 * A_DAY)
    put_in(database, strange)
    assert seal_all(database, river) == 0
    assert fault(database, river) == Found(Fault.INSERTED, None, strange["id"])


def test_a_tail_cut_off_in_the_middle_of_a_run_shows_without_any_anchor(
    database: Database, river: UUID
) -> None:
    with ruling(database) as connection:
        run(connection, "DELETE FROM audit_seals WHERE position > 10")
    assert fault(database, river) == Found(Fault.CUT, 11)


def test_a_chain_hashed_anew_without_our_key_shows_without_any_anchor(
    database: Database, river: UUID
) -> None:
    with ruling(database) as connection:
        run(connection, "UPDATE audit_events SET action = 'nothing'")
        run(connection, "DELETE FROM audit_seals")
    seal_all(database, river)  # by us it would be proven; by somebody without the key it is not
    with ruling(database) as connection:
        run(connection, "UPDATE audit_seals SET proof = NULL")
    assert fault(database, river) == Found(Fault.REPLACED, 1)
    with ruling(database) as connection:
        run(connection, "UPDATE audit_seals SET proof = 'guessed' WHERE position IN (6, 12)")
    assert fault(database, river) == Found(Fault.REPLACED, 1)


def test_a_clinic_whose_keys_were_destroyed_keeps_a_chain_without_proofs(
    database: Database, river: UUID
) -> None:
    with database.write() as session:
        session.query(ClinicKey).delete()
        session.info["clinic_keyrings"].clear()
    happen(database, river)
    assert seal_all(database, river) == 1
    assert fault(database, river) is None
