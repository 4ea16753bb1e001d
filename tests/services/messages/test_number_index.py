"""STOP finds a number by its blind index, and loses none that has no index yet or whose key is gone."""

from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from jobs import reseal
from jobs.around import Around
from jobs.reseal import index_numbers, seal_all
from server.clinical.vocabulary import Channel
from server.database import Database
from server.isolation import Extent
from server.models import ClinicDigestKey, ContactPoint
from server.services import clinic_key as clinic_keys
from server.services.messages import contact_point as contact_points
from server.services.messages import number_index, sms_stop
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast, Person
from tests.conftest import NOON, Clock
from tests.telephones import telephone

NUMBER, OTHER = "+4712345678", "+4787654321"


def point(database: Database, contact_id: str) -> ContactPoint:
    with database.read(Extent.ALL) as session:
        return session.scalars(select(ContactPoint).where(ContactPoint.id == UUID(contact_id))).one()


def index(database: Database, contact_id: str) -> str | None:
    return point(database, contact_id).address_index


def looked_at(database: Database, who: Person, number: str = NUMBER) -> int:
    """Return how many rows of somebody's clinic STOP opens for ``number``."""
    with database.read() as session:
        Work(session, NOON, system(who.clinic_id))
        rows = select(ContactPoint).where(number_index.may_be(session, who.clinic_id, number))
        return len(session.scalars(rows).all())


def stopped(database: Database, clock: Clock, number: str = NUMBER) -> int:
    with database.write(Extent.ALL) as session:
        return sms_stop.stop(session, clock.now, number).people


def before(database: Database, contact_id: str) -> None:
    """Let a number be as the version before writes it: without an index."""
    set_to(database, contact_id, None)


def set_to(database: Database, contact_id: str, value: str | None) -> None:
    with database.write(Extent.ALL) as session:
        row = update(ContactPoint).where(ContactPoint.id == UUID(contact_id))
        session.execute(row.values(address_index=value))


def test_stop_opens_the_numbers_it_is_about_and_no_other(
    cast: Cast, clock: Clock, database: Database
) -> None:
    same = [telephone(database, clock.now, who, NUMBER) for who in (cast.ana, cast.bo)]
    other = telephone(database, clock.now, cast.coordinator, OTHER)
    assert [looked_at(database, cast.bo, number) for number in (NUMBER, OTHER, "+4711111111")] == [2, 1, 0]
    assert stopped(database, clock) == 2
    assert [point(database, one).retired_why for one in (*same, other)] == ["stopped", "stopped", None]


def test_one_number_has_another_index_in_another_clinic_and_none_of_them_is_its_digest(
    cast: Cast, clock: Clock, database: Database
) -> None:
    points = [telephone(database, clock.now, who, NUMBER) for who in (cast.ana, cast.bo, cast.cyd)]
    ana, bo, cyd = (point(database, one) for one in points)
    assert ana.address_index == bo.address_index != cyd.address_index
    assert len({one.digest for one in (ana, bo, cyd)} | {bo.address_index, cyd.address_index}) == 5
    assert stopped(database, clock) == 3


@pytest.mark.parametrize("written", ["004712345678", "+47 123 45 678", "+47-12-34-56-78"])
def test_a_number_is_one_however_it_is_set_apart(
    cast: Cast, clock: Clock, database: Database, written: str
) -> None:
    telephone(database, clock.now, cast.bo, NUMBER)
    assert number_index.normalised(written) == NUMBER
    assert stopped(database, clock, written) == 1


def test_a_device_has_no_such_index_and_a_number_none_once_it_is_taken_away(
    cast: Cast, clock: Clock, database: Database
) -> None:
    number = telephone(database, clock.now, cast.bo, NUMBER)
    with database.write() as session:
        work = Work(session, clock.now, system(cast.bo.clinic_id))
        device = '{"endpoint": "https://push.example/1"}'
        push = str(contact_points.add(work, cast.bo.account_id, Channel.PUSH, device).id)
        assert contact_points.retire(session, work.clinic_id, UUID(number), work.now, "gone")
    assert [index(database, one) for one in (number, push)] == [None, None]


def test_a_number_from_before_is_stopped_at_once_and_needs_no_job(
    cast: Cast, clock: Clock, database: Database
) -> None:
    before(database, telephone(database, clock.now, cast.bo, NUMBER))
    telephone(database, clock.now, cast.ana, NUMBER)
    assert stopped(database, clock) == 2


def test_the_daily_job_indexes_numbers_from_before_and_again_does_nothing(
    cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    around = Around(database, settings, {})
    number, other = (telephone(database, clock.now, cast.bo, one) for one in (NUMBER, OTHER))
    kept = [index(database, one) for one in (number, other)]
    for one in (number, other):
        before(database, one)
    assert looked_at(database, cast.bo) == 2
    assert [reseal.run(around, clock.now) for _ in range(2)] == [2, 0]
    assert [index(database, one) for one in (number, other)] == kept
    assert looked_at(database, cast.bo) == 1


def test_the_command_that_seals_addresses_indexes_numbers_too(
    cast: Cast, clock: Clock, database: Database
) -> None:
    number = telephone(database, clock.now, cast.bo, NUMBER)
    before(database, number)
    seal_all(database, clock.now, cast.bo.clinic_id, False)
    assert index(database, number) is not None


def test_what_the_version_before_took_away_loses_its_index(
    cast: Cast, clock: Clock, database: Database
) -> None:
    number = telephone(database, clock.now, cast.bo, NUMBER)
    left = index(database, number)
    assert cast.bo.delete(f"/me/contact-points/{number}").status_code == 204
    set_to(database, number, left)
    assert index_numbers(database, clock.now, cast.bo.clinic_id) == 1
    assert index(database, number) is None


def test_more_numbers_than_a_batch_and_one_that_does_not_open_keep_nobody_waiting(
    cast: Cast, clock: Clock, database: Database
) -> None:
    points = [telephone(database, clock.now, cast.bo, f"+471234567{end}") for end in range(3)]
    for one in points:
        before(database, one)
    with database.write() as session:
        Work(session, clock.now, system(cast.bo.clinic_id))
        row = update(ContactPoint).where(ContactPoint.id == UUID(points[0]))
        session.execute(row.values(sealed_address=b"x" * 40))
    after, steps = None, []
    for _ in range(4):
        with database.write() as session:
            work = Work(session, clock.now, system(cast.bo.clinic_id))
            after, done = number_index.fill_some(work, after, 1)
        steps.append(done)
    assert (steps, after) == ([0, 1, 1, 0], None)
    assert stopped(database, clock, "+4712345672") == 1


def test_without_the_key_to_look_up_with_every_number_is_opened_and_no_stop_is_lost(
    cast: Cast, clock: Clock, database: Database
) -> None:
    telephone(database, clock.now, cast.bo, NUMBER)
    telephone(database, clock.now, cast.coordinator, OTHER)
    with database.write(Extent.ALL) as session:
        session.execute(delete(ClinicDigestKey))
        session.info["clinic_keyrings"].clear()
    assert looked_at(database, cast.bo) == 2
    assert stopped(database, clock) == 1


def test_a_new_data_key_leaves_the_index_as_it_is(cast: Cast, clock: Clock, database: Database) -> None:
    number = telephone(database, clock.now, cast.bo, NUMBER)
    kept = index(database, number)
    with database.write() as session:
        clinic_keys.add_key(Work(session, clock.now, system(cast.bo.clinic_id)))
    assert (
        index(database, number) == kept == index(database, telephone(database, clock.now, cast.ana, NUMBER))
    )
    assert stopped(database, clock) == 2


def test_a_clinic_whose_keys_were_destroyed_keeps_no_other_from_being_stopped(
    cast: Cast, clock: Clock, database: Database
) -> None:
    numbers = [telephone(database, clock.now, who, NUMBER) for who in (cast.bo, cast.cyd)]
    with database.write() as session:
        clinic_keys.destroy(Work(session, clock.now, system(cast.cyd.clinic_id)))
    with database.read() as session:
        work = Work(session, clock.now, system(cast.cyd.clinic_id))
        assert number_index.index_of(session, work.clinic_id, NUMBER) is None, "nobody can try numbers out"
    assert stopped(database, clock) == 1
    assert [point(database, one).retired_why for one in numbers] == ["stopped", None]
    before(database, numbers[1])
    assert index_numbers(database, clock.now, cast.cyd.clinic_id) == 0
