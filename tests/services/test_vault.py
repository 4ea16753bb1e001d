"""What patients and clinicians write in their own words lies sealed in the database."""

import hashlib
import json
import subprocess
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from schemas.questionnaire_response import ANSWERS, RESPONSE
from server.api.edge import Surroundings
from server.database import Database
from server.isolation import Extent
from server.keys.sealing import SealError, key_id_of, master_keyring
from server.models import Entry, EntryRevision
from server.services import vault
from server.services.journal import entry as entries
from server.services.journal import entry_page as entry_pages
from server.services.journal.entry_page import Range
from server.services.journal.incoming import canonical, plain
from server.settings import Settings
from tests.api.test_entry import new_id
from tests.cast import Cast, as_work, entry
from tests.conftest import Clock, rows_of
from tests.visits import CANARY as VISITS_CANARY
from tests.visits import Visits

CANARY = "canary in the attic"
EVERYTHING = Range(None, None, None, 50)


def raw(database: Database) -> str:
    """Return every row of every table as text."""
    return repr(rows_of(database))


def lying_in(database: Database, settings: Settings) -> bytes:
    """Return all that lies in the database: every row as text and, on SQLite, the files as they are."""
    found = raw(database).encode()
    if database.is_sqlite:
        file = settings.sqlalchemy_url.removeprefix("sqlite:///")
        # By another process: closing a file here would drop the locks that SQLite holds on it in this one.
        found += subprocess.run(["cat", file, f"{file}-wal"], capture_output=True, check=True).stdout
    return found


def write(cast: Cast, clock: Clock, note: str) -> UUID:
    """Let Ana log ``note`` and return the entry's id."""
    name = new_id()
    assert cast.ana.put(f"/entries/{name}", entry(clock.now, note=note)).status_code == 201
    return UUID(name)


def test_a_note_is_nowhere_in_the_database_and_still_comes_back(
    cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    name = write(cast, clock, CANARY)
    path = f"/entries/{name}"
    assert cast.ana.put(path, entry(clock.now, note=f"{CANARY} again"), version=1).status_code == 200
    assert CANARY.encode() not in lying_in(database, settings)
    assert cast.ana.get(path).json["note"] == f"{CANARY} again"
    kept = cast.ana.get(f"{path}/revisions").json["items"]
    assert [revision["content"]["note"] for revision in kept] == [CANARY, f"{CANARY} again"]
    read = cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]
    assert [e["note"] for e in read] == [f"{CANARY} again"]


def test_what_clinicians_write_is_nowhere_in_the_database_and_still_comes_back(
    visits: Visits, cast: Cast, database: Database
) -> None:
    visits.on_treatment()
    path = f"/booking-suggestions/{visits.relapse()}"
    dismissed = cast.bo.post(f"{path}/dismiss", {"reason": CANARY}, version=1)
    assert dismissed.json["decision_reason"] == CANARY
    alert = cast.bo.get("/alerts").json["items"][0]
    body = {"outcome": "contacted", "note": CANARY}
    closed = cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
    assert closed.json["resolution_note"] == CANARY
    assert CANARY not in raw(database)
    assert cast.bo.get(path).json["events"][-1]["detail"] == {"reason": CANARY}
    assert cast.bo.get(f"/alerts/{alert['id']}").json["resolution_note"] == CANARY


def test_the_answers_to_a_scale_are_nowhere_in_the_database_and_still_come_back(
    cast: Cast, clock: Clock, database: Database
) -> None:
    name, answers = new_id(), {**ANSWERS, "q9": 2}
    path, body = f"/questionnaire-responses/{name}", {**RESPONSE, "occurred_at": clock.now.isoformat()}
    body["occurrence"] = f"phq-9:{clock.now.date()}"
    assert cast.ana.put(path, {**body, "answers": answers}).status_code == 201
    again = cast.ana.put(path, {**body, "answers": answers}).json
    assert (again["outcome"], again["notice"]["kind"]) == ("duplicate", "crisis_lines")
    corrected = cast.ana.put(path, {**body, "answers": {**answers, "q8": 3}}, version=1).json
    assert corrected["questionnaire_response"]["answers"]["q8"] == 3
    read = cast.bo.get(f"/patients/{cast.ana.patient_id}/questionnaire-responses").json["items"][0]
    assert (read["answers"]["q9"], read["safety"][0]["item"]) == (2, "q9")
    kept = [r["content"]["answers"]["q8"] for r in cast.ana.get(f"{path}/revisions").json["items"]]
    assert kept == [answers["q8"], 3]
    tables = rows_of(database)
    said = [*tables["questionnaire_responses"], *tables["questionnaire_response_revisions"]]
    # With its quotes, as JSON and Python write it: two letters alone may come out of sealed bytes by chance.
    written = repr([{k: v for k, v in row.items() if k != "missing"} for row in said])
    assert not [quote for quote in ("'q9'", '"q9"') if quote in written]
    assert cast.ana.delete(path, version=2).status_code == 204
    gone = rows_of(database)["questionnaire_responses"][0]
    assert (gone["sealed_answers"], gone["sealed_safety"], gone["total"]) == (None, None, None)
    pulled = cast.ana.post("/sync", {}).json["changes"][0]
    assert (pulled["deleted"], pulled["answers"]) == (True, {})


def test_tags_are_nowhere_in_the_database_and_still_come_back(
    cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    path, tags = f"/entries/{new_id()}", [CANARY, "walk of finches"]
    assert cast.ana.put(path, entry(clock.now, tags=tags[:1])).json["entry"]["tags"] == tags[:1]
    assert cast.ana.put(path, entry(clock.now, tags=tags), version=1).json["entry"]["tags"] == tags
    # Words of this test alone: what another one planted may still lie in a free page of the file.
    lying = lying_in(database, settings)
    assert not any(tag.encode() in lying for tag in tags)
    stale = cast.ana.put(path, entry(clock.now, tags=[]), version=1)
    assert (stale.status_code, stale.json["current"]["tags"]) == (412, tags)
    assert cast.ana.post("/sync", {}).json["changes"][0]["tags"] == tags
    assert cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"][0]["tags"] == tags
    assert cast.ana.delete(path, version=2).status_code == 204
    assert rows_of(database)["entries"][0]["sealed_tags"] is None
    assert cast.ana.post("/sync", {}).json["changes"][0]["tags"] == []


def test_what_an_alert_found_is_nowhere_in_the_database_and_still_comes_back(
    visits: Visits, cast: Cast, clock: Clock, database: Database, settings: Settings
) -> None:
    answers, scale = {**ANSWERS, "q9": 2}, {**RESPONSE, "occurred_at": clock.now.isoformat()}
    cast.ana.put(f"/questionnaire-responses/{new_id()}", {**scale, "answers": answers})
    found = lying_in(database, settings)
    for said in ("plan", "often"):
        assert cast.ana.put(f"/entries/{new_id()}", entry(clock.now, safety=said)).status_code == 201
    visits.relapse()  # its summary and its evidence hold a canary
    found += lying_in(database, settings)
    assert b"mood_relapse" in found, "the family stays readable: the search does see the rows"
    told = (VISITS_CANARY, "The patient reported", "cannot wait", "safety_plan", "phq9_item9", '"q9"')
    assert [words for words in told if words.encode() in found] == []
    shown = {one["family"]: one for one in cast.bo.get("/alerts").json["items"]}
    assert shown["safety"]["codes"] == ["phq9_item9_often", "safety_often", "safety_plan"]
    assert shown["safety"]["summary"] == "The patient reported safety plan."
    relapse = cast.bo.get(f"/alerts/{shown['mood_relapse']['id']}").json
    assert (relapse["summary"], relapse["evidence"]["why"]) == (VISITS_CANARY, VISITS_CANARY)
    log = cast.bo.get(f"/alerts/{shown['safety']['id']}").json["events"]
    assert [line["kind"] for line in log] == ["opened", "worsened", "repeated"]
    assert log[-1]["detail"]["codes"] == ["safety_often"]


def test_keys_wrapped_anew_open_under_the_new_master_key_alone(
    app: Flask, cast: Cast, clock: Clock, settings: Settings
) -> None:
    name = write(cast, clock, CANARY)
    older, newer = b"m" * 32, b"n" * 32
    both = Database(settings.sqlalchemy_url, master_keyring((newer, older)))
    with both.write() as session:
        assert vault.rewrap(as_work(app, cast.bo, session)) == 3, "the data key and two of digests"
        assert vault.rewrap(as_work(app, cast.bo, session)) == 0
    both.close()
    assert cast.ana.get(f"/entries/{name}").json["note"] == CANARY, "who has the keys open goes on"
    fresh = Database(settings.sqlalchemy_url, master_keyring((newer,)))
    with fresh.read(Extent.ALL) as session:
        assert entries.get(as_work(app, cast.ana, session), _ana(cast), name).note == CANARY
        with pytest.raises(SealError, match="which is not here"):
            vault.check(session)  # Cyd's clinic is still under the older one
    fresh.close()


def test_a_note_moved_to_another_entry_does_not_open(app: Flask, cast: Cast, clock: Clock) -> None:
    first, second = write(cast, clock, "mine"), write(cast, clock, "also mine")
    with Surroundings.of(app).database.write() as session:
        notes = dict(session.execute(select(Entry.id, Entry.sealed_note)).all())
        for name, other in ((first, second), (second, first)):
            session.execute(update(Entry).where(Entry.id == name).values(sealed_note=notes[other]))
    with Surroundings.of(app).database.read() as session, pytest.raises(SealError, match="another place"):
        entry_pages.page(as_work(app, cast.ana, session), _ana(cast), EVERYTHING)


def test_an_older_version_put_in_place_of_a_newer_does_not_open(app: Flask, cast: Cast, clock: Clock) -> None:
    name = write(cast, clock, "first")
    cast.ana.put(f"/entries/{name}", entry(clock.now, note="second"), version=1)
    with Surroundings.of(app).database.write() as session:
        older = session.scalar(select(EntryRevision.sealed_content).where(EntryRevision.version == 1))
        session.execute(update(EntryRevision).values(sealed_content=older))
    with Surroundings.of(app).database.read() as session, pytest.raises(SealError, match="another place"):
        entries.revisions(as_work(app, cast.ana, session), _ana(cast), name)


def test_under_a_wrong_master_key_nothing_opens_and_nothing_is_written(
    app: Flask, cast: Cast, clock: Clock, settings: Settings
) -> None:
    name = write(cast, clock, CANARY)
    around = Surroundings.of(app)
    wrong = Database(settings.sqlalchemy_url, master_keyring((b"w" * 32,)))
    app.extensions["afterglow"] = Surroundings(settings, wrong, clock, around.passwords)
    refused = cast.ana.get(f"/entries/{name}")
    assert (refused.status_code, CANARY in refused.text) == (500, False)
    assert cast.ana.put(f"/entries/{new_id()}", entry(clock.now, note=CANARY)).status_code == 500
    with wrong.read(Extent.ALL) as session, pytest.raises(SealError, match="which is not here"):
        vault.check(session)
    wrong.close()
    app.extensions["afterglow"] = around
    assert [e["id"] for e in cast.ana.get("/entries").json["items"]] == [str(name)]


def test_without_a_master_key_a_note_is_refused_not_written_as_it_is(
    app: Flask, cast: Cast, clock: Clock, settings: Settings
) -> None:
    keyless = Database(settings.sqlalchemy_url)
    with keyless.read() as session, pytest.raises(SealError, match="without a master key"):
        vault.seal(as_work(app, cast.ana, session), Entry, ("clinic", "ana", "1"), "note", CANARY)
    keyless.close()


def test_a_text_nobody_opened_can_not_be_mistaken_for_none(app: Flask, cast: Cast, clock: Clock) -> None:
    write(cast, clock, CANARY)
    with Surroundings.of(app).database.read() as session:
        stored = session.scalars(select(Entry)).one()
        with pytest.raises(RuntimeError, match=r"Entry\.note is sealed and was not opened"):
            assert stored.note


def test_a_new_key_seals_from_now_on_and_an_entry_sent_again_is_still_known(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    name, body = new_id(), entry(clock.now, note="before")
    cast.ana.put(f"/entries/{name}", body)
    with Surroundings.of(app).database.write() as session:
        vault.add_key(as_work(app, cast.bo, session))
    assert cast.ana.put(f"/entries/{name}", body).json["outcome"] == "duplicate"
    write(cast, clock, "after")
    with Surroundings.of(app).database.read() as session:
        stored = session.scalars(select(Entry.sealed_note).order_by(Entry.id))
        assert [key_id_of(note) for note in stored if note] == [1, 2]
    assert [e["note"] for e in cast.ana.get("/entries").json["items"]] == ["before", "after"]


def test_a_key_that_was_never_committed_seals_nothing(app: Flask, cast: Cast, clock: Clock) -> None:
    database = Surroundings.of(app).database
    with database.read() as session:  # never commits
        work = as_work(app, cast.ana, session)
        vault.add_key(work)
        sealed = vault.seal(work, Entry, ("clinic", "ana", "1"), "note", CANARY)
        assert sealed is not None
        assert key_id_of(sealed) == 2
    write(cast, clock, CANARY)
    with database.read() as session:
        assert [key_id_of(note) for note in session.scalars(select(Entry.sealed_note)) if note] == [1]


def test_a_key_that_another_process_added_is_found_when_it_is_met(
    app: Flask, cast: Cast, clock: Clock, settings: Settings
) -> None:
    write(cast, clock, "before")  # our process has looked at the keys
    other = Database(settings.sqlalchemy_url, Surroundings.of(app).database.masters)
    with other.write() as session:
        work = as_work(app, cast.ana, session)
        vault.add_key(work)
        stored = session.scalars(select(Entry)).one()
        vault.put(work, stored, "note", "after")
    other.close()
    assert [e["note"] for e in cast.ana.get("/entries").json["items"]] == ["after"]


def test_the_stored_hash_of_an_entry_can_not_be_guessed_from_what_it_says(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    for _ in range(2):
        write(cast, clock, "yes")
    with Surroundings.of(app).database.read() as session:
        hashes = list(session.scalars(select(Entry.content_hash)))
        said = canonical(_content_of(app, cast, session))
    assert len(set(hashes)) == 2, "two entries that say the same must not show it"
    assert hashlib.sha256(said.encode()).hexdigest() not in hashes


def _content_of(app: Flask, cast: Cast, session: Any) -> Any:
    stored = session.scalars(select(EntryRevision)).all()[0]
    content = vault.opened(as_work(app, cast.ana, session), [stored])[0].content
    assert content == json.loads(canonical(content))
    assert set(content) == set(plain({}))
    return content


def _ana(cast: Cast) -> UUID:
    assert cast.ana.patient_id is not None
    return cast.ana.patient_id
