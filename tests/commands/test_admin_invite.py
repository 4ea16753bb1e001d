"""`afterglow admin-invite`: the way back for a clinic whose only administrator is gone or can't get in."""

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.api.edge import Surroundings
from server.database import Database
from server.isolation import Extent
from server.models import AuditEvent, Clinic
from server.services.people import totp
from tests.cast import PASSWORD, Cast
from tests.conftest import Clock
from tests.one_shot import Run

ELI = {"clinic": "demo", "email": "eli@clinic.example", "password": PASSWORD}
MAX = {"--clinic": "demo", "--admin": "Max", "--admin-email": "max@clinic.example"}


def invited(run: Run, **changes: str) -> Any:
    words = {**MAX, **{f"--{name}": value for name, value in changes.items()}}
    return run("admin-invite", *(part for option in words.items() for part in option))


def comes_in(client: FlaskClient, said: str) -> dict[str, str]:
    """Enrol with what was printed; return the header of who came in."""
    code, word = (line.rpartition(": ")[2] for line in said.splitlines())
    body = {"code": code, "email": MAX["--admin-email"], "proof": word, "password": PASSWORD}
    answer = client.post("/v1/enrolments", json=body)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def test_a_clinic_whose_only_administrator_has_lost_everything_goes_on(
    run: Run, cast: Cast, client: FlaskClient, clock: Clock, database: Database
) -> None:
    made = cast.admin.post("/me/factors/totp", {"name": "lost telephone"}).json
    shown = {"totp": totp.code_at(made["secret"], clock.now)}
    assert cast.admin.post(f"/me/factors/totp/{made['id']}/confirm", shown).status_code == 200
    clock.now = datetime.now(UTC)
    assert client.post("/v1/sign-ins", json=ELI).json["code"] == "second-factor-required"
    said = invited(run)
    assert said.exit_code == 0, said.output
    max_ = comes_in(client, said.stdout)
    factors = f"/v1/clinic/accounts/{cast.admin.account_id}/factors"
    assert client.delete(factors, headers=max_).status_code == 204
    assert client.post("/v1/sign-ins", json=ELI).status_code == 201
    with database.read(Extent.ALL) as session:
        assert "invitation.create" in set(session.scalars(select(AuditEvent.action)))


NO_ADDRESS = "The administrator's address must be one of e-mail, in ASCII characters."


def test_what_can_not_be_is_said_in_one_line(run: Run, cast: Cast, app: Flask, clock: Clock) -> None:
    with Surroundings.of(app).database.write(Extent.ALL) as session:
        session.scalars(select(Clinic).where(Clinic.slug == "elsewhere")).one().erased_at = clock.now
    for changes, words in (
        ({"clinic": "nowhere"}, "There is no clinic nowhere to administer."),
        ({"clinic": "elsewhere"}, "There is no clinic elsewhere to administer."),
        ({"clinic": "operations"}, "There is no clinic operations to administer."),
        ({"admin-email": ELI["email"]}, "This e-mail is in use at this clinic."),
        ({"admin-email": "max"}, NO_ADDRESS),
        ({"admin-email": "jürgen@clinic.example"}, NO_ADDRESS),  # no sign-in would take it
        ({"admin-email": "max @clinic.example"}, NO_ADDRESS),
        ({"admin-email": "max@clinic.example\nBcc: x@y.example"}, NO_ADDRESS),
        ({"admin": "  "}, "A name has 1-200 characters."),
        ({"admin": "Max\nMustermann"}, "A name is one line of text, without control characters."),
    ):
        said = invited(run, **changes)
        assert (said.exit_code, said.stderr) == (1, f"Error: {words}\n"), changes
    said = invited(run, admin="M\udcfcller")  # of a terminal with another encoding
    assert (said.exit_code, "It is not UTF-8 text." in said.stderr) == (2, True)
