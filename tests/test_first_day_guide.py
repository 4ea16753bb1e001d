"""A clinic's first day in docs/operations.md: every request is sent, in order, and gets the answer shown."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from server.commands.admin_invitation import administrator
from server.database import Database
from server.services.people import clinic as clinics
from server.services.people import invitation as invitations
from server.services.work import Work, system
from tests.conftest import Clock
from tests.source import ROOT
from tests.test_calendar_guide import parts
from tests.test_mobile_guide import FENCE, filled, shown

TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## A clinic's first day\n")[2]


def opened(database: Database, clock: Clock) -> dict[str, str]:
    """Return what `afterglow clinic-add` prints."""
    with database.write() as session:
        work = Work(session, clock.now, system(uuid7()))
        clinics.create(work, slug="harbour", name="Harbour Clinic", zone="Europe/Oslo", country="NO")
        invited = invitations.invite(work, administrator("Eli", "eli@harbour.example"))
    assert invited.word is not None
    return {"code": invited.code, "word": invited.word}


def examples() -> Iterator[tuple[str, str]]:
    """Yield each request with the answer below it."""
    found = FENCE.findall(TEXT)
    return zip(found[::2], found[1::2], strict=True)


def learned(said: dict[str, Any], enrolled: Iterator[str]) -> dict[str, str]:
    """Return what an answer tells the requests below it."""
    found = {name: value for name, value in said.items() if isinstance(value, str)}
    if "access_token" in said:
        found[next(enrolled)] = said["access_token"]
    if "items" in said:
        found["colleague"] = said["items"][1]["id"]
    return found


def test_every_request_of_the_first_day_gets_the_answer_it_shows(
    app: Flask, client: FlaskClient, database: Database, clock: Clock
) -> None:
    known, enrolled = opened(database, clock), iter(("admin", "clinician", "patient"))
    for asked, answered in examples():
        first, headers, body = parts(filled(asked, known))
        method, path = first.split(" ")
        answer = client.open(path, method=method, headers=headers, json=json.loads(body) if body else None)
        status, _, expected = parts(answered)
        assert answer.status_code == int(status), f"{first}: {answer.text}"
        assert shown(json.loads(filled(expected, known)), answer.json), f"{first}: {answer.text}"
        known |= learned(answer.json, enrolled)
    assert {"admin", "clinician", "patient"} <= known.keys()
