"""Keys change while everybody works, and a key that was destroyed opens nothing any more."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import sleep
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from jobs.reseal import seal_anew
from server.database import Database
from server.isolation import Extent
from server.keys.keyrings import Keyrings
from server.keys.sealing import Keyring, SealError
from server.models import ClinicDigestKey, ClinicKey, Entry, EntryRevision
from server.services import clinic_key as clinic_keys
from server.services import resealing, vault
from server.services.errors import Conflict
from server.services.people import closing
from server.services.work import Work, system
from server.settings import Settings
from tests.api.test_entry import new_id
from tests.cast import Cast, Person, as_work, entry, sign_in
from tests.conftest import Clock, rows_of

NOTE = "Slept badly."


def write(who: Person, clock: Clock, note: str = NOTE) -> str:
    name = new_id()
    answer = who.put(f"/entries/{name}", entry(clock.now, note=note))
    assert answer.status_code == 201, answer.text
    return name


def add_key(app: Flask, cast: Cast, database: Database) -> None:
    with database.write() as session:
        clinic_keys.add_key(as_work(app, cast.bo, session))


def test_every_sealed_table_carries_its_clinic_first() -> None:
    spots = list(resealing.spots())
    assert len(spots) > 30
    assert {next(iter(spot.table.primary_key)).name for spot in spots} == {"clinic_id"}


def test_what_an_older_key_sealed_is_sealed_anew_and_reads_as_before(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    names = [write(cast.ana, clock) for _ in range(3)]
    cast.bo.post(f"/patients/{cast.ana.patient_id}/precautions", {"code": "pregnancy", "note": NOTE})
    add_key(app, cast, database)
    other = write(cast.ana, clock, "under the new key")
    before = {row["id"]: row["content_hash"] for row in rows_of(database)["entries"]}
    with database.read() as session:
        work = as_work(app, cast.bo, session)
        left = resealing.left(work)
    assert left > 6
    assert seal_anew(database, clock.now, cast.bo.clinic_id) == left
    assert seal_anew(database, clock.now, cast.bo.clinic_id) == 0, "again finds nothing"
    assert {row["id"]: row["content_hash"] for row in rows_of(database)["entries"]} == before
    assert {e["id"]: e["note"] for e in cast.ana.get("/entries").json["items"]} == {
        **dict.fromkeys(names, NOTE),
        other: "under the new key",
    }
    again = cast.ana.put(f"/entries/{names[0]}", entry(clock.now, note=NOTE)).json
    assert again["outcome"] == "duplicate"


def test_where_nothing_is_left_nobody_who_writes_is_kept_waiting(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    """All that was ever sealed is looked through, every day until the older key is dropped."""
    write(cast.ana, clock)
    add_key(app, cast, database)
    seal_anew(database, clock.now, cast.bo.clinic_id)
    with ThreadPoolExecutor() as pool, database.write() as session:
        as_work(app, cast.ana, session).audit("somebody.writes")
        session.flush()
        assert pool.submit(seal_anew, database, clock.now, cast.bo.clinic_id).result(timeout=5) == 0


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    for _ in range(5):
        write(cast.ana, clock)
    add_key(app, cast, database)
    calls = iter([False, True])
    first = seal_anew(database, clock.now, cast.bo.clinic_id, lambda: next(calls))
    with database.read() as session:
        left = resealing.left(as_work(app, cast.bo, session))
    assert left > 0
    assert seal_anew(database, clock.now, cast.bo.clinic_id) == left
    assert first + left > 10


def test_few_rows_at_a_time_are_sealed_anew_each_once(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    for _ in range(5):
        write(cast.ana, clock)
    add_key(app, cast, database)
    (spot,) = [s for s in resealing.spots() if (s.table.name, s.name) == ("entry_revisions", "content")]
    after, sealed = None, []
    while True:
        with database.write() as session:
            work = as_work(app, cast.bo, session)
            step = resealing.reseal(work, spot, resealing.older(work, spot, after, size=2), size=2)
        sealed.append(step.sealed)
        if (after := step.after) is None:
            break
    assert sealed == [2, 2, 1]


def test_a_value_that_somebody_else_wrote_meanwhile_stays_theirs(
    app: Flask, cast: Cast, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(cast.ana, clock)
    add_key(app, cast, database)
    (spot,) = [s for s in resealing.spots() if (s.table.name, s.name) == ("entries", "note")]
    with database.write() as session:
        work = as_work(app, cast.ana, session)
        row = session.scalars(select(Entry)).one()
        stale = session.execute(select(*spot.key, spot.table.c.sealed_note)).one()
        vault.put(work, row, "note", "newer")
        session.flush()
        assert resealing._anew(work, spot, stale, clinic_keys.keyring(work)) is False
    assert cast.ana.get(f"/entries/{name}").json["note"] == "newer"


@dataclass
class Ward:
    """Somebody writes and corrects, somebody reads, all the time; ``wrong`` takes whatever was refused."""

    client: Callable[[], FlaskClient]
    cast: Cast
    clock: Clock
    written: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        client, headers = self.client(), {"Authorization": f"Bearer {self.cast.ana.token}"}
        while not self.stop.is_set():
            path = f"/v1/entries/{new_id()}"
            for more, note in (({}, NOTE), ({"If-Match": '"v1"'}, f"{NOTE} Still.")):
                self.look(client.put(path, json=entry(self.clock.now, note=note), headers=headers | more))
            self.written.append(path)

    def read(self) -> None:
        client, patient = self.client(), self.cast.ana.patient_id
        while not self.stop.is_set():
            for who, path in (
                (self.cast.bo, f"/v1/patients/{patient}/entries"),
                (self.cast.ana, "/v1/entries"),
                (self.cast.ana, "/v1/me/export"),
            ):
                self.look(client.get(path, headers={"Authorization": f"Bearer {who.token}"}))

    def look(self, answer: TestResponse) -> None:
        is_whole = "export" not in answer.request.path or '"counts"' in answer.text
        if answer.status_code >= 300 or not is_whole:
            self.wrong.append(answer.text)

    def wait_for(self, more: int) -> None:
        reached = len(self.written) + more
        while len(self.written) < reached and not self.wrong:
            sleep(0.01)


@contextmanager
def busy(app: Flask, cast: Cast, clock: Clock) -> Iterator[Ward]:
    """Let everybody work, and wait for them at the end."""
    ward = Ward(app.test_client, cast, clock)
    threads = [threading.Thread(target=do) for do in (ward.write, ward.read)]
    for thread in threads:
        thread.start()
    try:
        yield ward
    finally:
        ward.stop.set()
        for thread in threads:
            thread.join()


def test_a_key_is_changed_and_dropped_under_load_without_one_error(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    for _ in range(10):
        write(cast.ana, clock)
    with busy(app, cast, clock) as ward:
        ward.wait_for(3)
        add_key(app, cast, database)
        for _ in range(3):
            seal_anew(database, clock.now, cast.bo.clinic_id)
        ward.wait_for(3)
    assert ward.wrong == []
    seal_anew(database, clock.now, cast.bo.clinic_id)
    with database.write() as session:
        late = Work(session, clock.now + clinic_keys.SETTLES, system(cast.bo.clinic_id))
        assert resealing.left(late) == 0
        assert clinic_keys.drop_older(late) == [1]
    with database.read() as session:
        ours = select(ClinicKey.key_id).where(ClinicKey.clinic_id == cast.bo.clinic_id)
        assert list(session.scalars(ours)) == [2]
    first = cast.ana.get("/entries?limit=200").json["items"]
    assert {e["note"] for e in first} == {NOTE, f"{NOTE} Still."}
    name = first[0]["id"]
    body = entry(clock.now, note=first[0]["note"])
    assert cast.ana.put(f"/entries/{name}", body).json["outcome"] == "duplicate", "digests have their own key"


def test_an_older_key_stays_while_somebody_may_still_write_with_it(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    add_key(app, cast, database)
    with database.write() as session, pytest.raises(Conflict, match="1 h old"):
        clinic_keys.drop_older(as_work(app, cast.bo, session))


def test_a_missing_key_is_named_and_nothing_falls_back_to_plain_text(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    write(cast.ana, clock)
    add_key(app, cast, database)
    with database.write() as session:
        session.execute(
            delete(ClinicKey).where(ClinicKey.key_id == 1, ClinicKey.clinic_id == cast.bo.clinic_id)
        )
    with database.read() as session:
        session.info["clinic_keyrings"].clear()
        stored = session.scalars(select(EntryRevision)).all()
        with pytest.raises(SealError, match="key 1, which is not here"):
            vault.opened(as_work(app, cast.ana, session), stored)


def test_a_clinic_from_before_digests_had_keys_finds_what_it_had(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    name = write(cast.ana, clock)
    with database.write() as session:
        session.execute(delete(ClinicDigestKey).where(ClinicDigestKey.use == "content"))
    with database.read() as session:
        session.info["clinic_keyrings"].clear()
    body = entry(clock.now, note=NOTE)
    assert cast.ana.put(f"/entries/{name}", body).json["outcome"] == "duplicate"


def test_keyrings_are_few_and_soon_forgotten() -> None:
    moment = [0.0]
    known = Keyrings(most=2, seconds=45, clock=lambda: moment[0])
    ring, ids = Keyring({1: b"k" * 32}, 1), [uuid4() for _ in range(3)]
    for clinic_id in ids:
        known.keep(clinic_id, ring)
    assert [known.get(one) is ring for one in ids] == [False, True, True]
    assert len(known) == 2
    moment[0] = 44.9
    assert known.get(ids[2]) is ring
    moment[0] = 45.0
    assert known.get(ids[2]) is None, "within a minute"


def test_a_clinic_whose_keys_were_destroyed_is_closed_and_its_neighbour_works_on(
    app: Flask, cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    write(cast.ana, clock)
    write(cast.other_patient, clock)
    with database.write() as session:
        work = as_work(app, cast.admin, session)
        with pytest.raises(Conflict, match="not the name"):
            closing.erase(work, "Elsewhere")
        assert closing.erase(work, "Demo") == 3
    assert cast.ana.get("/entries").status_code == 401, "also who has a token"
    refused = app.test_client().post(
        "/v1/sign-ins",
        json={"clinic": "demo", "email": "ana@home.example", "password": "correct horse battery"},
    )
    assert refused.status_code == 401
    fresh = Database(settings.sqlalchemy_url, database.masters)
    with fresh.read(Extent.DOOR) as session:
        stored = session.scalars(select(EntryRevision).where(EntryRevision.clinic_id == cast.ana.clinic_id))
        with pytest.raises(SealError, match="no key"):
            vault.opened(as_work(app, cast.ana, session), stored.all())
    fresh.close()
    assert cast.other_patient.get("/entries").json["items"][0]["note"] == NOTE
    assert sign_in(app.test_client(), "elsewhere", "fay@home.example")


def test_a_process_forgets_a_destroyed_key_within_a_minute(
    app: Flask, cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    write(cast.ana, clock)
    other = Database(settings.sqlalchemy_url, database.masters)
    moment = [0.0]
    other._info["clinic_keyrings"] = Keyrings(clock=lambda: moment[0])
    with other.read(Extent.DOOR) as session:
        opened = as_work(app, cast.ana, session)
        assert vault.opened(opened, session.scalars(select(EntryRevision)).all())
    with database.write() as session:
        clinic_keys.destroy(as_work(app, cast.admin, session))
    moment[0] = 59.0
    with other.read(Extent.DOOR) as session, pytest.raises(SealError, match="no key"):
        vault.opened(as_work(app, cast.ana, session), session.scalars(select(EntryRevision)).all())
    other.close()
