"""Everything may happen at once: the database decides, and what was acknowledged is there once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from threading import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.database import Database
from server.models import Account, Alert, AuditEvent, Delivery, Entry, EntryRevision, Patient, RefreshToken
from tests.cast import PASSWORD, Cast, entry, sign_in
from tests.conftest import Clock

AT_ONCE = 6


def at_once(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run ``actions`` in as many threads, started together."""
    start = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        start.wait(10)
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def count(app: Flask, table: type[Any]) -> int:
    with Surroundings.of(app).database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_one_entry_sent_by_six_connections_at_once_is_stored_once(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, safety="plan")
    answers = at_once([lambda: cast.ana.put(path, body)] * AT_ONCE)
    assert Counter(a.json["outcome"] for a in answers) == {"created": 1, "duplicate": AT_ONCE - 1}
    assert all(a.json["notice"]["kind"] == "emergency" for a in answers)
    assert [count(app, t) for t in (Entry, EntryRevision, Alert, Delivery)] == [1, 1, 1, 1]


def test_six_red_flags_at_once_are_one_episode(app: Flask, cast: Cast, clock: Clock) -> None:
    body = entry(clock.now, safety="often")
    answers = at_once([lambda: cast.ana.put(f"/entries/{uuid7()}", body) for _ in range(AT_ONCE)])
    assert {a.status_code for a in answers} == {201}
    assert [count(app, t) for t in (Entry, Alert, Delivery)] == [AT_ONCE, 1, 1]


def test_changes_of_one_patient_are_numbered_without_gap_or_double(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    at_once([lambda: cast.ana.put(f"/entries/{uuid7()}", entry(clock.now)) for _ in range(AT_ONCE)])
    with Surroundings.of(app).database.read() as session:
        numbers = sorted(session.scalars(select(Entry.sequence)))
        counter = session.scalar(select(Patient.change_counter).where(Patient.id == cast.ana.patient_id))
    assert numbers == list(range(1, AT_ONCE + 1))
    assert counter == AT_ONCE


def test_who_reads_is_on_record_before_the_answer_also_where_many_read_at_once(
    app: Flask, database: Database, cast: Cast, clock: Clock
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    before = count(app, AuditEvent)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        with database.write() if database.is_sqlite else nullcontext():
            asked = [threads.submit(cast.ana.get, "/entries") for _ in range(AT_ONCE)]
            done, _ = wait(asked, 0.2 if database.is_sqlite else 10)
            assert bool(done) is not database.is_sqlite, "an embedded database has one writer"
        assert [one.result(10).status_code for one in asked] == [200] * AT_ONCE
    assert count(app, AuditEvent) == before + AT_ONCE


def test_two_corrections_of_one_version_have_one_winner(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    notes = [f"version {n}" for n in range(AT_ONCE)]
    answers = at_once(
        [lambda note=note: cast.ana.put(path, entry(clock.now, note=note), version=1) for note in notes]
    )
    statuses = Counter(a.status_code for a in answers)
    assert statuses == {200: 1, 412: AT_ONCE - 1}
    winner = next(a.json["entry"]["note"] for a in answers if a.status_code == 200)
    assert cast.ana.get(path).json["note"] == winner


def test_a_refresh_token_used_by_fifty_at_once_gives_all_the_same_successor(app: Flask, cast: Cast) -> None:
    token = sign_in(app.test_client(), "demo", "ana@home.example", PASSWORD)["refresh_token"]
    before = count(app, RefreshToken)

    def refresh() -> tuple[int, str]:
        answer = app.test_client().post("/v1/sign-ins/refresh", json={"refresh_token": token})
        return answer.status_code, answer.json["refresh_token"]

    answers = Counter(at_once([refresh] * 50))
    assert len(answers) == 1
    assert count(app, RefreshToken) == before + 1
    ((status, successor),) = answers
    assert status == 200
    assert refresh_with(app, successor) == 200


def refresh_with(app: Flask, token: str) -> int:
    return app.test_client().post("/v1/sign-ins/refresh", json={"refresh_token": token}).status_code


def test_an_invitation_used_by_six_at_once_makes_one_account(app: Flask, cast: Cast) -> None:
    invitee = {"role": "clinician", "name": "Gus", "email": "gus@clinic.example"}
    invited = cast.admin.post("/clinic/invitations", invitee).json
    body = {"code": invited["code"], "proof": invited["word"], "email": invitee["email"]}

    def enrol() -> int:
        client = app.test_client()
        return client.post("/v1/enrolments", json={**body, "password": PASSWORD}).status_code

    before = count(app, Account)
    statuses = Counter(at_once([enrol] * AT_ONCE))
    assert statuses == {201: 1, 401: AT_ONCE - 1}
    assert count(app, Account) == before + 1
