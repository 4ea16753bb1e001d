"""What whoever finds no place is told, in the words they talk in; the line itself is tried in F20."""

import pytest
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from server.turnstile import TURNED_AWAY
from tests.cast import Cast, entry
from tests.conftest import Clock

NO_PLACE = {TURNED_AWAY: True}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_they_are_told_when_to_come_again_and_nothing_of_theirs_is_stored(cast: Cast, clock: Clock) -> None:
    path = f"/v1/entries/{uuid7()}"
    known = {"Authorization": f"Bearer {cast.ana.token}"}
    answer = cast.ana.client.put(path, json=entry(clock.now), headers=known, environ_overrides=NO_PLACE)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert (answer.headers["Retry-After"], answer.headers["Connection"]) == ("5", "close")
    assert "X-Request-Id" in answer.headers
    assert cast.ana.client.put(path, json=entry(clock.now), headers=known).status_code == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_sends_no_body_keeps_the_connection_and_who_talks_fhir_is_told_in_fhir(
    client: FlaskClient,
) -> None:
    answer = client.get("/fhir/R4/metadata", environ_overrides=NO_PLACE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["resourceType"] == "OperationOutcome"
    assert "Connection" not in answer.headers
