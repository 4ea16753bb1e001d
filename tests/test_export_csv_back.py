"""A CSV of the export comes back to the same content, also in another clinic and under a new name."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from jobs.import_export import Taken, prepare, write
from jobs.problem import Problem
from server.database import Database
from server.diary_import.export_csv import read_csv
from server.diary_import.export_file import ExportError
from server.settings import Settings
from tests.as_said import tell
from tests.cast import Cast, Person, entry, opened_alerts
from tests.conftest import Clock, Scene
from tests.one_shot import runner
from tests.test_export import keep
from tests.visits import Visits

ODD_TAGS = ["a | b", "\\", "|", "=1+1"]
ODD_NOTES = ["'=1+1", "''-x", "'plain'", 'Two\nlines, "and"\r\nthree', "@x"]


def taken_away(person: Person) -> bytes:
    answer = person.get("/me/export?format=csv")
    assert answer.status_code == 200, answer.text
    return answer.get_data()


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def brought_to(database: Database, person: Person, data: bytes, clock: Clock, slug: str) -> Taken:
    assert person.patient_id is not None
    return write(database, prepare(database, (slug, person.patient_id), data, clock.now))


@pytest.fixture
def file(scene: Scene, visits: Visits, cast: Cast, clock: Clock) -> bytes:
    """Ana has kept a diary with everything in it, and words that a table could take for its own."""
    scene(lambda: keep_everything(visits, cast, clock))
    return taken_away(cast.ana)


def keep_everything(visits: Visits, cast: Cast, clock: Clock) -> None:
    keep(visits, cast, clock)
    tell(cast.ana, clock.now)
    for note in ODD_NOTES:
        said: dict[str, Any] = {"note": note, "tags": ODD_TAGS, "circumstances": ["travel"]}
        assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **said)).status_code == 201


def test_a_csv_comes_back_to_the_same_csv_in_another_clinic(
    file: bytes, cast: Cast, clock: Clock, database: Database
) -> None:
    clock.forward(days=100)
    taken = brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert (taken.courses, taken.sessions, taken.zone_changes, taken.refused) == (2, 2, 3, set())
    assert taken_away(cast.other_patient) == file
    assert any("safety_often" in alert.codes for alert in opened_alerts(database))


def test_importing_a_csv_again_or_to_where_it_came_from_changes_nothing(
    file: bytes, cast: Cast, clock: Clock, database: Database
) -> None:
    # Thirty-five versions, two sessions, three zone changes.
    assert brought_to(database, cast.ana, file, clock, "demo") == Taken(there_already=40)
    brought_to(database, cast.other_patient, file, clock, "elsewhere")
    again = brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert again == Taken(there_already=40)


def test_a_csv_that_is_cut_off_or_damaged_is_refused_by_line_and_without_its_words(
    file: bytes, cast: Cast, clock: Clock, database: Database
) -> None:
    head = file.split(b"\r\n", 1)[0]
    for data, said in (
        (file + b"incomplete\r\n", r"line \d+: the file was cut off here"),
        (file + b"secret\r\n", r"line \d+: has fewer fields than the header"),
        (file.replace(b"\r\nend,", b"\r\nsecret,"), r"line \d+: is of no kind that is known"),
        (file.replace(b"\r\nend,", b"\r\nnotice,"), "is not whole"),
        (file + b'treatment_session,"secret\r\n', "is not CSV"),
        (file.replace(b"\r\nend,", b"\r\ntreatment_session,"), r"line \d+: can't be read"),
        (file.replace(b"Z,Europe/Oslo", b",Europe/Oslo", 1), r"line \d+: can't be read"),
        (re.sub(rb"[-:T0-9]+Z,Eu", b"0001-01-01T00:00:00+14:00,Eu", file), r"line \d+: can't be read"),
        (file + b"notice" + b"," * 99 + b"\r\n", "more fields than the header"),
        (head.replace(b"recorded_utc", b"x") + b"\r\n", "has no column recorded_utc"),
        (file.replace(b",Europe/Oslo,", b",Secret,"), "Is no zone"),
    ):
        with pytest.raises(Problem, match=said) as refused:
            brought_to(database, cast.other_patient, data, clock, "elsewhere")
        assert "secret" not in str(refused.value).lower()


def test_a_csv_that_ends_too_soon_is_refused_wherever_that_is(file: bytes) -> None:
    lines = file.split(b"\r\n")
    begun = [b"\r\n".join(lines[:number]) for number in range(1, len(lines) - 1)]
    for cut in (*begun, *(file[:-back] for back in range(3, 2000, 7))):
        with pytest.raises(ExportError):
            read_csv(cut)


def test_a_csv_of_before_has_no_end(file: bytes, cast: Cast, clock: Clock, database: Database) -> None:
    *before, end = rows(file)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [name for name in end if name != "rows"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(before)
    taken = brought_to(database, cast.other_patient, out.getvalue().encode(), clock, "elsewhere")
    assert taken.revisions == sum(row["kind"] in ("entry", "questionnaire_response") for row in before)
    assert taken.refused == set()


def test_the_command_says_what_a_csv_has_no_place_for(
    cast: Cast, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock.now = clock.now.replace(year=2025)
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    path = tmp_path / "export.csv"
    path.write_bytes(taken_away(cast.ana))
    words = ("import-export", path, "--clinic", "elsewhere", "--patient", cast.other_patient.patient_id)
    run = runner(settings, monkeypatch)
    said = run(*words, "--dry-run")
    assert "Not in a file of this format: the check-in plan, name," in said.output
    assert "nothing was changed" in said.output
    assert "1 versions imported, 0 things there already" in run(*words).output
