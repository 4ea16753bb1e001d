"""A caregiver who comes in while they are ended is in or is not: no account stays of whom nobody lets in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text

from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.vocabulary import Purpose, Role
from server.isolation import Extent
from server.models import Account
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import caregiver as caregivers
from server.services.people import caregiver_invitation as caregiver_invitations
from server.services.people import invitation as invitations
from server.services.people.invitation import Enrolment
from server.services.work import Actor
from tests.cast import PASSWORD, Cast, Person, new_patient
from tests.conftest import Clock
from tests.consents import GUS, WORD, caregiver, invited, mailed_code, withdraw
from tests.jobs.leaving import Leaving

pytestmark = pytest.mark.usefixtures("several")


@pytest.fixture
def ana(around: Around, clock: Clock, cast: Cast) -> Leaving:
    """Ana, who has let somebody look after her diary."""
    return Leaving(around, clock, cast.ana)


def its_account(ana: Leaving) -> tuple[str, bool]:
    """Return the name and whether it is open of the only account of a caregiver."""
    with ana.around.database.read(Extent.ALL) as session:
        account = session.scalars(select(Account).where(Account.role == Role.CAREGIVER)).one()
        return account.name, account.disabled_at is None


def is_ended(cast: Cast) -> None:
    (gus,) = cast.ana.get("/me/caregivers").json["items"]
    assert cast.ana.delete(f"/me/caregivers/{gus['id']}").status_code == 204


WAYS: dict[str, Callable[[Cast, Leaving], None]] = {
    "end": lambda cast, _: is_ended(cast),
    "withdraw": lambda cast, _: withdraw(cast, Purpose.CAREGIVER),
    "erase": lambda _, ana: ana.begin(),
}


def somebody_waits(engine: Engine) -> None:
    """Return when a transaction waits for another one."""
    until = monotonic() + 10
    with engine.connect() as connection:
        while not connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert monotonic() < until, "nobody waits"
            sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
def test_who_comes_in_while_they_are_ended_has_no_account_afterwards(
    ana: Leaving, cast: Cast, app: Flask, way: str
) -> None:
    coming = Enrolment(code=invited(cast)["code"], email=GUS["email"], proof=WORD, password=PASSWORD)
    passwords = Surroundings.of(app).passwords
    with ThreadPoolExecutor() as pool:
        with ana.around.database.write(Extent.DOOR) as session:
            assert invitations.enrol(session, ana.clock.now, coming, passwords) is not None
            session.flush()
            ending = pool.submit(WAYS[way], cast, ana)
            somebody_waits(ana.around.database.engine)
        ending.result()
    assert its_account(ana) == ("", False)


def test_who_was_ended_a_moment_ago_does_not_come_in(ana: Leaving, cast: Cast, app: Flask) -> None:
    coming = Enrolment(code=invited(cast)["code"], email=GUS["email"], proof=WORD, password=PASSWORD)
    passwords = Surroundings.of(app).passwords
    for end in (WAYS["end"], WAYS["erase"]):
        end(cast, ana)
        with ana.around.database.write(Extent.DOOR) as session, pytest.raises(NotSignedIn):
            invitations.enrol(session, ana.clock.now, coming, passwords)


def invites(jo: Person, cast: Cast) -> str:
    """Let another patient invite Gus; return the code."""
    jo.post("/me/consents/caregiver", {"given": True, "version": 1})
    assert jo.post("/me/caregivers", {**GUS, "scopes": ["log"]}).status_code == 201
    return mailed_code(cast.ana.client)


def test_an_account_that_ended_a_moment_ago_looks_after_nobody_else(
    ana: Leaving, cast: Cast, app: Flask
) -> None:
    caregiver(cast)
    code = invites(new_patient(app, cast.ana.clinic_id, "Jo", None), cast)
    with ana.around.database.read(Extent.ALL) as session:
        account_id = session.scalars(select(Account.id).where(Account.role == Role.CAREGIVER)).one()
    gus = Actor(cast.ana.clinic_id, account_id, Role.CAREGIVER)
    with ana.beside(gus) as work:
        known = accounts.get(work)
        is_ended(cast)
        with pytest.raises(NotSignedIn):
            caregiver_invitations.join(work, code, WORD)
        assert known.disabled_at is None, "as it was read"
        assert not caregivers.cared_for(work)


def test_who_comes_in_again_does_not_wait_for_their_coming_in_elsewhere(
    cast: Cast, app: Flask, ana: Leaving
) -> None:
    gus = caregiver(cast)
    code = invites(cast.ana, cast)
    with ana.around.database.read(Extent.ALL) as session:
        account_id = session.scalars(select(Account.id).where(Account.role == Role.CAREGIVER)).one()
    who = Actor(cast.ana.clinic_id, account_id, Role.CAREGIVER)
    with ThreadPoolExecutor() as pool, ana.beside(who) as work:
        assert accounts.held(work, account_id) is not None
        coming = pool.submit(gus.post, "/cared-for", {"code": code, "proof": WORD})
        assert coming.result(timeout=10).status_code == 200
