"""Addresses lie sealed, are found by a blind index, and come out of their plain past without a gap."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from jobs.reseal import seal_all
from server.api.edge import Surroundings
from server.clinical.vocabulary import Role
from server.database import Database
from server.models import Account, Clinic, ClinicDigestKey
from server.services.errors import Conflict
from server.services.people import account as accounts
from server.services.people import email_address as addresses
from server.services.people.account import NewAccount
from server.settings import Settings
from tests.cast import PASSWORD, Cast, as_work, sign_in
from tests.conftest import Clock
from tests.services.test_vault import lying_in

ANA = "ana@home.example"


def every_account(database: Database) -> dict[str, Any]:
    with database.read() as session:
        return {one.name: one for one in session.scalars(select(Account))}


def before(database: Database) -> None:
    """Let the clinics be as the version before left them: plain addresses, no keys to look up with."""
    found = every_account(database)
    plain = {
        one.id: f"{name.lower()}@{'home' if one.patient_id else 'clinic'}.example"
        for name, one in found.items()
    }
    with database.write() as session:
        session.execute(update(Clinic).values(contacts_sealed=False))
        for account_id, address in plain.items():
            wanted = update(Account).where(Account.id == account_id)
            session.execute(wanted.values(plain_email=address, sealed_email=None, email_index=None))
        session.execute(delete(ClinicDigestKey))
        session.info["clinic_keyrings"].clear()


def test_no_address_lies_in_the_database_and_everybody_signs_in(
    app: Flask, cast: Cast, database: Database, settings: Settings
) -> None:
    found = lying_in(database, settings)
    assert b"home.example" not in found
    assert b"clinic.example" not in found
    assert sign_in(app.test_client(), "demo", ANA)


@pytest.mark.parametrize("typed", ["ana@home.example", "ANA@Home.Example"])
def test_case_does_not_keep_anybody_out(app: Flask, cast: Cast, typed: str) -> None:
    assert sign_in(app.test_client(), "demo", typed)


def test_two_spellings_of_one_address_are_one() -> None:
    composed, apart = "zoë@home.example", "zoe\u0308@home.example"
    assert composed != apart
    assert addresses.normalised(composed) == addresses.normalised(f" {apart.upper()} ")


def test_an_address_is_taken_once_in_a_clinic_and_free_in_another(
    app: Flask, cast: Cast, database: Database
) -> None:
    around = Surroundings.of(app)
    new = NewAccount(Role.CLINICIAN, "Ann", "Ana@HOME.example", PASSWORD)
    with database.write() as session, pytest.raises(Conflict, match="in use"):
        accounts.create(as_work(app, cast.bo, session), new, around.passwords)
    with database.write() as session:
        accounts.create(as_work(app, cast.cyd, session), new, around.passwords)
    indexes = [one.email_index for one in every_account(database).values()]
    assert len(set(indexes)) == len(indexes), "one address has another index in another clinic"


def test_addresses_from_before_are_found_sealed_and_then_forgotten(
    app: Flask, cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    before(database)
    assert sign_in(app.test_client(), "demo", ANA), "nobody waits for it"
    sealed = [seal_all(database, clock.now, one.clinic_id, False) for one in (cast.ana, cast.cyd)]
    assert sealed == [(5, 5), (2, 2)]
    assert every_account(database)["Ana"].plain_email == ANA, "the version before still reads it"
    assert sign_in(app.test_client(), "demo", ANA)
    for who in (cast.ana, cast.cyd):
        assert seal_all(database, clock.now, who.clinic_id, True) == (0, 0)
    assert {one.plain_email for one in every_account(database).values()} == {None}
    assert b"home.example" not in lying_in(database, settings), "nor in the files of SQLite"
    assert sign_in(app.test_client(), "demo", ANA)


def test_who_comes_in_between_is_known_to_both_versions(app: Flask, cast: Cast, database: Database) -> None:
    before(database)
    new = NewAccount(Role.CLINICIAN, "Ivy", "Ivy@Clinic.example", PASSWORD)
    with database.write() as session:
        accounts.create(as_work(app, cast.bo, session), new, Surroundings.of(app).passwords)
    ivy = every_account(database)["Ivy"]
    assert (ivy.plain_email, ivy.email_index is None) == ("ivy@clinic.example", False)
    assert sign_in(app.test_client(), "demo", "ivy@clinic.example")


def test_whoever_the_version_before_adds_after_the_sealing_is_found_and_sealed_at_the_next_run(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    with database.write() as session:
        late = update(Account).where(Account.name == "Dee")
        session.execute(late.values(plain_email="dee@clinic.example", sealed_email=None, email_index=None))
    assert sign_in(app.test_client(), "demo", "Dee@clinic.example")
    assert seal_all(database, clock.now, cast.bo.clinic_id, True) == (1, 0)
    assert sign_in(app.test_client(), "demo", "dee@clinic.example")


def test_of_two_addresses_that_an_index_can_not_tell_apart_the_later_stays_as_it_is(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    before(database)
    with database.write() as session:
        session.execute(update(Account).where(Account.name == "Bo").values(plain_email="straße@x.example"))
        session.execute(update(Account).where(Account.name == "Dee").values(plain_email="strasse@x.example"))
    assert seal_all(database, clock.now, cast.bo.clinic_id, True) == (4, 1)
    assert sign_in(app.test_client(), "demo", "strasse@x.example")
