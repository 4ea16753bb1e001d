"""The master key changes while a real server works: no restart, and not one error."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.app import create_app, utc_now
from server.database import Database
from server.isolation import Extent
from server.keys.sealing import decoded_keys, key_id_of, master_keyring
from server.models import ClinicDigestKey, ClinicKey
from server.services import vault
from server.services.people import clinic as clinics
from server.services.work import Work, system
from server.settings import Settings
from tests.busy_phones import Phones, busy
from tests.cast import entry, sign_in
from tests.keys.test_masters import put
from tests.one_shot import runner
from tests.ports import free_port
from tests.real_server import serving

OLD, NEW, LAST = (base64.b64encode(Random(number).randbytes(32)).decode() for number in (1, 2, 3))
ANA, FAY = ("demo", "ana@home.example"), ("elsewhere", "fay@home.example")


@pytest.fixture
def followed(settings: Settings, database: Database, tmp_path: Path) -> Iterator[Settings]:
    """A real server whose master key is in a file."""
    file = tmp_path / "master"
    put(file, OLD)
    named = replace(settings, master_key="", master_key_file=str(file), port=free_port())
    more = {"MASTER_KEY_FILE": str(file), "DATABASE_URL": settings.database_url}
    with serving(named, **more, PASSWORD_COST="cheap", REQUESTS_PER_MINUTE="0"):
        yield named


def test_the_master_key_changes_under_load_without_a_restart_and_without_one_error(
    followed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, run = Path(followed.master_key_file), runner(followed, monkeypatch)
    monkeypatch.delenv("AFTERGLOW_MASTER_KEY")
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY_FILE", str(file))
    with busy(followed.port, ANA) as phones:
        phones.wait_for(10)
        put(file, f"{NEW},{OLD}")
        done = run("keys", "rotate")
        assert done.exit_code == 0, done.output
        put(file, NEW)
        phones.read(*FAY)  # of a clinic that the server has opened nothing of
        phones.wait_for(10)
        file.write_text("half a k")
        phones.wait_for(10)
        put(file, NEW)
        change_at_once(followed, phones, (NEW, LAST, OLD))
        phones.wait_for(10)
    assert phones.wrong == []
    assert wrapped_by(followed) == {master_keyring(decoded_keys(OLD)).current}


def change_at_once(settings: Settings, phones: Phones, keys: Sequence[str]) -> None:
    """Change from key to key within a moment each: nobody has looked at the file meanwhile."""
    app, file = create_app(settings), Path(settings.master_key_file)
    client, database = app.test_client(), Surroundings.of(app).database
    headers = {"Authorization": f"Bearer {sign_in(client, *ANA)['access_token']}"}
    for before, after in pairwise(keys):
        put(file, f"{after},{before}")
        rotate(database)
        body = entry(utc_now(), note="from another process, under a key of now")
        assert client.put(f"/v1/entries/{uuid7()}", json=body, headers=headers).status_code == 201
        put(file, after)
        phones.read(*ANA)  # a clinic's key it has not seen, wrapped by one it has not heard of
    database.close()


def rotate(database: Database) -> None:
    """Do what `afterglow keys rotate` does, without its start."""
    with database.read(Extent.ALL) as session:
        ids = [clinic.id for clinic in clinics.everyone(session)]
    for clinic_id in ids:
        with database.write() as session:
            work = Work(session, utc_now(), system(clinic_id))
            vault.add_key(work)
            vault.rewrap(work)


def wrapped_by(settings: Settings) -> set[int]:
    """Return the ids of the master keys that wrap the clinics' keys."""
    database = Database(settings.sqlalchemy_url)
    with database.read(Extent.ALL) as session:
        rows = [
            *session.scalars(select(ClinicKey.wrapped)),
            *session.scalars(select(ClinicDigestKey.wrapped)),
        ]
    database.close()
    return {key_id_of(one) for one in rows}
