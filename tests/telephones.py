"""Telephones whose number was proven, for tests that are about what is sent there; and their codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel
from server.database import Database
from server.isolation import Extent
from server.models import ContactPoint
from server.services import vault
from server.services.messages import contact_point as contact_points
from server.services.work import Work, system
from tests.cast import Person


def telephone(database: Database, now: datetime, who: Person, number: str) -> str:
    """Give somebody a telephone that is in use; return its id."""
    assert who.account_id is not None
    with database.write() as session:
        work = Work(session, now, system(who.clinic_id))
        return str(contact_points.add(work, who.account_id, Channel.SMS, number).id)


def code_of(around: Surroundings, point: str) -> str:
    """Return the code that was sent to a telephone."""
    with around.database.read(Extent.ALL) as session:
        row = session.scalars(select(ContactPoint).where(ContactPoint.id == UUID(point))).one()
        (opened,) = vault.opened(Work(session, around.clock(), system(row.clinic_id)), [row])
        return str(opened.code)
