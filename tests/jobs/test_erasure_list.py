"""The list of erasures knows of everybody, whole lines alone, whatever disk it lies on and whoever erased."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from jobs import anchor_file, ending_list, erase, erasure_list
from jobs.around import Around
from jobs.erasure_list import Erased
from jobs.problem import Problem
from server.database import Database
from server.services.audit.anchor import Anchor
from server.services.people import closing
from server.settings import Settings
from tests.cast import Cast, as_work, new_patient
from tests.conftest import NOON, Clock


@contextmanager
def disk_for(size: int) -> Iterator[None]:
    """Let a file have ``size`` bytes and no more, as on a full disk."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    file, lines = tmp_path / "list.jsonl", ["the first line", "the second line"]
    erasure_list.append_lines(file, lines[:1])
    with disk_for(20), pytest.raises(OSError):
        erasure_list.append_lines(file, lines[1:])
    assert file.read_text("utf-8").splitlines() == lines[:1]
    with file.open("a", encoding="utf-8") as cut:
        cut.write("the sec")  # as a power cut leaves it
    erasure_list.append_lines(file, lines[1:])
    assert file.read_text("utf-8").splitlines() == [lines[0], "the sec", lines[1]]


def test_nor_does_one_in_the_file_of_noted_ends(tmp_path: Path) -> None:
    file, end = tmp_path / "ends", Anchor(NOON, UUID(int=1), 1, "0" * 64, None)
    with disk_for(20), pytest.raises(OSError):
        anchor_file.append(file, [end])
    anchor_file.append(file, [end])
    assert list(anchor_file.batches(file)) == [(end.clinic_id, [end])]


def test_a_list_that_is_not_whole_is_not_begun(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    with disk_for(80), pytest.raises(OSError):
        erasure_list.begin(file, NOON, [Erased(UUID(int=1), UUID(int=2), NOON)])
    assert file.read_text("utf-8") == "", "that it knows of all would be a lie"


def test_a_line_that_is_no_text_is_named_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    erasure_list.begin(file, NOON)
    with file.open("ab") as damaged:
        damaged.write(b"\x84\xff\n")
    for read in (erasure_list.read, ending_list.read):
        with pytest.raises(Problem, match=r"^Line 2 of the list"):
            read(file)


def test_a_clinic_that_was_closed_where_the_list_is_not_is_noted_by_the_job(
    cast: Cast, clock: Clock, around: Around, database: Database, settings: Settings, app: Flask
) -> None:
    erase.run(around, clock.now)
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    for _ in range(2):
        erase.run(around, clock.forward(minutes=1))
        (closed,) = erasure_list.read(erasure_list.file_of(settings))
        assert (closed.clinic_id, closed.patient_id) == (cast.admin.clinic_id, None)
        assert len(erasure_list.file_of(settings).read_text("utf-8").splitlines()) == 2


def test_each_runner_s_own_list_knows_of_whom_another_one_erased(
    cast: Cast, clock: Clock, around: Around, tmp_path: Path
) -> None:
    """Each says in its first line that it knows of all, and a restore believes it."""
    other = replace(around, settings=replace(around.settings, erasure_list=str(tmp_path / "other.jsonl")))
    for one in (around, other):
        erase.run(one, clock.now)
    path = f"/patients/{cast.ana.patient_id}/erasure"
    version = cast.admin.post(path, {"reason": "patient_asked"}).json["version"]
    assert cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=version).status_code == 200
    assert erase.run(around, clock.forward(minutes=1)) == 1
    for _ in range(2):
        assert erase.run(other, clock.forward(minutes=1)) == 0
    lists = [erasure_list.read(erasure_list.file_of(one.settings)) for one in (around, other)]
    assert [one.patient_id for one in lists[0]] == [cast.ana.patient_id]
    assert lists[0] == lists[1]
    lines = erasure_list.lines_of(erasure_list.file_of(other.settings))
    assert len(lines) == 2, "its beginning, and one line"


def test_who_stood_in_a_line_that_was_taken_out_is_written_again_whoever_was_erased_since(
    app: Flask, cast: Cast, clock: Clock, around: Around
) -> None:
    una = new_patient(app, cast.ana.clinic_id, "Una", None)
    erase.run(around, clock.now)
    for hours, (name, patient_id) in enumerate((("Ana", cast.ana.patient_id), ("Una", una.patient_id))):
        path = f"/patients/{patient_id}/erasure"
        version = cast.admin.post(path, {"reason": "patient_asked"}).json["version"]
        confirmed = cast.admin.post(f"{path}/confirm", {"patient_name": name}, version=version)
        assert confirmed.status_code == 200
        assert erase.run(around, clock.now + timedelta(hours=2 * hours)) == 1
    file = erasure_list.file_of(around.settings)
    begun, _of_ana, of_una = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text(begun + of_una, "utf-8")
    for minutes in (1, 2):
        erase.run(around, clock.now + timedelta(hours=2, minutes=minutes))
        assert [one.patient_id for one in erasure_list.read(file)] == [una.patient_id, cast.ana.patient_id]
        assert len(file.read_text("utf-8").splitlines()) == 3


def test_a_damaged_list_is_noticed_by_the_job_and_who_is_gone_is_written_down_all_the_same(
    cast: Cast, clock: Clock, around: Around
) -> None:
    erase.run(around, clock.now)
    file = erasure_list.file_of(around.settings)
    with file.open("a", encoding="utf-8") as cut:
        cut.write("the sec")  # as a power cut leaves it
    with pytest.raises(Problem, match=r"^Line 2 of the list"):
        erase.run(around, clock.forward(minutes=1))
    path = f"/patients/{cast.ana.patient_id}/erasure"
    version = cast.admin.post(path, {"reason": "patient_asked"}).json["version"]
    assert cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=version).status_code == 200
    with pytest.raises(Problem, match=r"^Line 2 of the list"):
        erase.run(around, clock.forward(minutes=1))
    assert str(cast.ana.patient_id) in file.read_text("utf-8")
