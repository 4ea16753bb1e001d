"""What whoever finds no place is told, in the words they talk in; the line itself is tried in F20."""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7
from werkzeug.test import Client, EnvironBuilder

from server.turnstile import TURNED_AWAY, Turnstile
from tests.api.test_metrics import figures
from tests.cast import Cast, entry
from tests.conftest import Clock

SECONDS = "afterglow_request_seconds"
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_how_long_somebody_waited_for_a_turn_is_in_what_their_answer_took(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Under load that is nearly all of it: patients waited for seconds, and no figure showed it."""
    caplog.set_level(logging.INFO, "afterglow.access")
    door = Turnstile(app.wsgi_app, places=1, line=5, seconds=5)
    first = EnvironBuilder("/v1/status").get_environ()
    came = threading.Event()

    def entrance(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        came.set()
        return door(environ, start)

    with ThreadPoolExecutor(1) as others:
        held = door(first, lambda *_: None)  # it has its place until somebody reads the answer
        asked = others.submit(Client(entrance).get, "/docs/")
        assert came.wait(15)
        time.sleep(0.5)
        getattr(held, "close", lambda: None)()
        assert asked.result().status_code == 200
    (took,) = [value for key, value in figures(client, f"{SECONDS}_sum").items() if "/docs/" in key]
    told = [vars(one)["fields"] for one in caplog.records if one.name == "afterglow.access"]
    (line,) = [one for one in told if one["route"] == "/docs/"]
    assert (took >= 0.3, line["ms"] >= 300) == (True, True)
