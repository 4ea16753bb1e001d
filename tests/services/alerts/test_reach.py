"""Whom no message reaches is on the care team's list."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliveryState, DeliverySubject
from server.database import Database
from server.models import Account, Delivery, Patient
from tests.cast import Cast
from tests.conftest import Clock

HAL = {"name": "Hal", "zone": "America/New_York"}


def sent(
    database: Database, cast: Cast, clock: Clock, failure: str | None, sealed_to: bytes | None = None
) -> str:
    """Store what became of one more message to Ana, and return the moment; time moves on.

    ``sealed_to``: it goes to another address, and is only kept under her account.
    """
    done = DeliveryState.GIVEN_UP if failure else DeliveryState.DELIVERED
    at = clock.forward(hours=1)
    with database.write() as session:
        session.add(
            Delivery(
                clinic_id=cast.ana.clinic_id,
                id=uuid7(),
                key=at.isoformat(),
                account_id=cast.ana.account_id,
                channel="email",
                template="reminder",
                subject=DeliverySubject.REMINDER,
                subject_id=uuid7(),
                urgency=AlertClass.P3,
                state=done,
                due_at=at,
                attempt=1,
                failure=failure,
                created_at=at,
                finished_at=at,
                sealed_to=sealed_to,
            )
        )
    return at.isoformat()


def since(cast: Cast, patient_id: UUID | str | None) -> str | None:
    """Return since when the list says that messages don't reach a patient."""
    listed = cast.bo.get("/patients").json["items"]
    (found,) = [one["unreachable_since"] for one in listed if one["id"] == str(patient_id)]
    moment: str | None = found
    return moment


def test_a_patient_is_unreachable_from_the_first_refusal_until_a_message_arrives(
    cast: Cast, clock: Clock, database: Database
) -> None:
    ana = cast.ana.patient_id
    sent(database, cast, clock, None)
    assert since(cast, ana) is None
    for harmless in ("expired", "not_needed", "unreachable"):
        sent(database, cast, clock, harmless)
    assert since(cast, ana) is None, "that says nothing about her address"
    first = sent(database, cast, clock, "refused_550")
    sent(database, cast, clock, "address")
    assert since(cast, ana) == first
    sent(database, cast, clock, None)
    assert since(cast, ana) is None
    assert since(cast, ana) != (again := sent(database, cast, clock, "refused_550"))
    assert since(cast, ana) == again


def test_what_became_of_a_message_to_another_address_says_nothing_about_hers(
    cast: Cast, clock: Clock, database: Database
) -> None:
    """Her caregiver's, mistyped; or the one that she has left."""
    ana = cast.ana.patient_id
    sent(database, cast, clock, "refused_550", b"somebody else's")
    assert since(cast, ana) is None
    first = sent(database, cast, clock, "refused_550")
    sent(database, cast, clock, None, b"somebody else's")
    assert since(cast, ana) == first


def test_nobody_can_write_to_a_patient_without_a_working_account(
    cast: Cast, clock: Clock, database: Database
) -> None:
    hal = cast.bo.post("/patients", HAL).json["id"]
    assert since(cast, hal) is None, "not enrolled yet"
    with database.write() as session:
        session.get_one(Patient, (cast.bo.clinic_id, UUID(hal))).enrolled_at = clock.now
        account = session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id))
        account.disabled_at = clock.now + timedelta(hours=1)
    assert since(cast, hal) == clock.now.isoformat()
    assert since(cast, cast.ana.patient_id) == (clock.now + timedelta(hours=1)).isoformat()


def test_the_list_asks_as_often_for_many_patients_as_for_one(cast: Cast, database: Database) -> None:
    asked: list[str] = []

    def note(*about: Any) -> None:
        asked.append(about[2])

    event.listen(database.engine, "before_cursor_execute", note)
    counts = []
    for _ in range(2):
        asked.clear()
        assert cast.bo.get("/patients").status_code == 200
        counts.append(sum("SELECT" in statement for statement in asked))
        cast.bo.post("/patients", HAL)
    event.remove(database.engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
