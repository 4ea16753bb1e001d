"""Master keys change while a process runs: what is new is taken up, what can't be used changes nothing."""

import base64
import logging
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs.reseal import seal_anew
from server.database import Database
from server.keys.key_command import Asked
from server.keys.masters import OPENS_ON, Masters
from server.keys.sealing import Keyring, SealError, decoded_keys, key_id_of, master_keyring
from server.models import ClinicKey
from server.services import clinic_key as clinic_keys
from server.services import vault
from server.settings import Settings, SettingsError, master_keys
from tests.cast import Cast, as_work, entry
from tests.conftest import MASTER_KEY, NOON

# By the same chance in every run: each process that runs the suite must name its tests alike.
OLD, NEW = (base64.b64encode(Random(number).randbytes(32)).decode() for number in (7, 8))
BOTH, PLACE = f"{NEW},{OLD}", "a place"


class Told:
    """A source that a test changes, with the clock of who asks it; only who asks afresh hears."""

    def __init__(self, text: str) -> None:
        self.text = self.known = text
        self.now, self.fresh = 0.0, 0

    def __call__(self, fresh: bool) -> str:
        self.fresh += fresh
        self.known = self.text if fresh else self.known
        return self.known

    def masters(self) -> Masters:
        return Masters(ring(self.text), self, lambda: self.now)


def ring(text: str) -> Keyring:
    return master_keyring(decoded_keys(text))


def put(file: Path, text: str) -> None:
    """Put a whole new file there, as a secret store does."""
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.replace(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a master key."""
    found = tmp_path / "master"
    put(found, OLD)
    return found


@pytest.fixture
def in_production(file: Path) -> Settings:
    """Settings of production that name it."""
    return Settings(environment="production", master_key_file=str(file))


def test_a_key_that_nobody_has_heard_of_is_asked_for_at_once_and_others_are_not() -> None:
    told = Told(OLD)
    masters = told.masters()
    assert masters.open(ring(OLD).seal("x", PLACE), PLACE) == "x"
    assert told.fresh == 0
    told.text = BOTH
    assert masters.open(ring(NEW).seal("x", PLACE), PLACE) == "x"
    assert told.fresh == 1


def test_what_is_sealed_is_sealed_with_the_newest_key_however_short_ago_it_came() -> None:
    told = Told(OLD)
    masters = told.masters()
    told.text = BOTH
    assert key_id_of(masters.seal("x", PLACE)) == ring(NEW).current == masters.current


def test_a_key_that_was_taken_out_opens_for_an_hour_what_was_read_before_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told(BOTH)
    masters, before = told.masters(), ring(OLD).seal("x", PLACE)
    assert masters.open(before, PLACE) == "x"
    told.text = NEW
    assert masters.current == ring(NEW).current
    told.now = OPENS_ON - 1
    assert [masters.open(before, PLACE) for _ in range(3)] == ["x"] * 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    told.now = OPENS_ON
    with pytest.raises(SealError, match="which is not here"):
        masters.open(before, PLACE)


def test_a_key_that_is_in_no_list_is_missing_as_before() -> None:
    for masters in (Masters(ring(NEW)), Told(NEW).masters()):
        with pytest.raises(SealError, match="which is not here"):
            masters.open(ring(OLD).seal("x", PLACE), PLACE)


@pytest.mark.parametrize("bad", ["half a k", "", f"{OLD},", base64.b64encode(b"w" * 32).decode()])
def test_a_file_changed_to_what_can_not_be_used_changes_nothing_and_is_one_line_without_it(
    bad: str, file: Path, in_production: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    masters = master_keys(in_production)
    sealed = masters.seal("x", PLACE)
    file.write_text(bad)
    assert [masters.open(masters.seal("x", PLACE), PLACE) for _ in range(3)] == ["x"] * 3
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "a key's file was changed to what can't be used; the key before stays"
    put(file, BOTH)
    assert key_id_of(masters.seal("x", PLACE)) == ring(NEW).current
    assert masters.open(sealed, PLACE) == "x"


def test_a_file_that_is_gone_changes_nothing_and_is_one_line(
    file: Path, in_production: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    masters = master_keys(in_production)
    file.unlink()
    assert masters.open(masters.seal("x", PLACE), PLACE) == "x"
    with pytest.raises(SealError):
        masters.open(ring(NEW).seal("x", PLACE), PLACE)
    (record,) = caplog.records
    assert record.getMessage() == "a key's file is not there any more; the key it held stays"
    put(file, BOTH)
    assert masters.open(ring(NEW).seal("x", PLACE), PLACE) == "x"


@pytest.mark.long
def test_without_being_asked_for_a_changed_file_is_noticed_within_a_second_or_so(
    file: Path, in_production: Settings
) -> None:
    masters = master_keys(in_production)
    before = masters.digest("x", PLACE)
    put(file, NEW)
    time.sleep(1.1)
    assert masters.digest("x", PLACE) != before


def test_a_start_with_a_weak_key_in_the_file_is_refused(file: Path, in_production: Settings) -> None:
    put(file, base64.b64encode(bytes(32)).decode())
    with pytest.raises(SettingsError, match="AFTERGLOW_MASTER_KEY_FILE says the same over and over"):
        master_keys(in_production)


def test_a_command_is_asked_again_for_a_key_that_is_missing_but_not_again_and_again(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls, now = tmp_path / "calls", [0.0]
    script = f"open({str(calls)!r}, 'a').write('.'); print(open({str(file)!r}).read())"
    source = Asked(shlex.join([sys.executable, "-c", script]), str.strip, lambda: now[0])
    masters = Masters(ring(OLD), source)
    unknown = ring(NEW).seal("x", PLACE)
    now[0] = 10.0
    for _ in range(5):
        with pytest.raises(SealError):
            masters.open(unknown, PLACE)
    assert calls.read_text() == "..", "once at the start, once for what is missing"
    file.unlink()
    now[0] = 20.0
    with pytest.raises(SealError):
        masters.open(unknown, PLACE)
    assert [record.getMessage() for record in caplog.records] == [
        "a key's command gives nothing that can be used; the key before stays"
    ]
    put(file, BOTH)
    now[0] = 30.0
    assert masters.open(unknown, PLACE) == "x"
    assert calls.read_text() == "...."


def test_a_worker_that_began_before_goes_on_when_keys_were_wrapped_anew_and_the_old_one_is_out(
    app: Flask, cast: Cast, settings: Settings, file: Path
) -> None:
    put(file, MASTER_KEY)
    follows = replace(settings, master_key="", master_key_file=str(file))
    worker = Database(settings.sqlalchemy_url, master_keys(follows))
    assert cast.ana.put(f"/entries/{uuid7()}", entry(NOON, note="Slept badly.")).status_code == 201
    put(file, f"{NEW},{MASTER_KEY}")
    rotating = Database(settings.sqlalchemy_url, master_keys(follows))
    for who in (cast.bo, cast.cyd):
        with rotating.write() as session:
            work = as_work(app, who, session)
            clinic_keys.add_key(work)
            assert vault.rewrap(work) == 3
    rotating.close()
    put(file, NEW)
    assert seal_anew(worker, NOON, cast.bo.clinic_id) > 0
    with worker.write(cast.cyd.clinic_id) as session:
        clinic_keys.add_key(as_work(app, cast.cyd, session))
        wrapped = session.scalars(select(ClinicKey.wrapped)).all()
        assert {key_id_of(one) for one in wrapped} == {ring(NEW).current}
    worker.close()
