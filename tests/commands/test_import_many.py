"""`afterglow import-many` as a person meets it, on SQLite: what several processes do is in tests/jobs."""

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from server.database import Database
from server.models import Base
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work, system
from tests.conftest import NOON
from tests.one_shot import EXAMPLES, Run, river

MAP = EXAMPLES / "diary-map.yaml"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is printed does not depend on the database."""
    return sqlite_url


@pytest.fixture
def people(database: Database) -> Sequence[UUID]:
    """Three patients of the clinic `river`."""
    ana = river(database, NOON)
    with database.write() as session:
        clinic = clinics.by_slug(session, "river")
        assert clinic is not None
        work = Work(session, NOON, system(clinic.id))
        more = [patients.create(work, {"name": name, "zone": "Europe/Berlin"}).id for name in ("Eva", "Ida")]
    return [ana, *more]


def listed(folder: Path, *lines: str) -> Path:
    file = folder / "list.csv"
    file.write_text("\n".join(("patient,file,map", *lines, "")))
    return file


def everything(database: Database) -> dict[str, int]:
    with database.read() as session:
        tables = Base.metadata.tables.items()
        return {n: session.scalar(select(func.count()).select_from(t)) or 0 for n, t in tables}


def test_a_list_of_diaries_is_imported_and_recognised_the_second_time(
    run: Run, database: Database, people: Sequence[UUID], tmp_path: Path
) -> None:
    lines = [f"{one},{EXAMPLES / 'diary.csv'},{MAP}" for one in people[:2]]
    lines.append(f"{people[2]},{EXAMPLES / 'daylio.csv'},daylio")
    file = listed(tmp_path, *lines)
    refused = run("import-many", file, "--clinic", "river")
    assert refused.exit_code == 1
    assert "line 3: The diary is that of line 2, of another patient." in refused.stdout
    alone = run("import-many", listed(tmp_path, lines[1]), "--clinic", "river")
    assert "line 2: The diary says what stands in that of another patient" in alone.stdout
    listed(tmp_path, *lines)
    said = run("import-many", file, "--clinic", "river", "--same-person")
    assert said.exit_code == 0, said.output
    assert "\n3 patients: 78 imported" in said.stdout
    before = everything(database)
    again = run("import-many", file, "--clinic", "river", "--same-person")
    assert "3 patients: 0 imported" in again.stdout
    assert everything(database) == before


def test_a_file_that_cannot_be_taken_is_named_and_keeps_nobody_else_out(
    run: Run, people: Sequence[UUID], tmp_path: Path
) -> None:
    lines = (f"{people[0]},nowhere.csv,{MAP}", f"{people[1]},{EXAMPLES / 'diary.csv'},{MAP}")
    said = run("import-many", listed(tmp_path, *lines, f"{UUID(int=1)},list.csv,"), "--clinic", "river")
    assert said.exit_code == 1
    assert "line 2: " in said.stdout
    assert "line 4: There is no patient" in said.stdout
    assert "1 patients: 78 imported, 0 there already, 1 refused; " in said.stdout
    assert "files that can't be taken: 2." in said.stdout
    assert "line 3: its line " in said.stdout, "what was left out is named"
    assert "Traceback" not in said.output


def test_an_export_whose_course_can_not_be_keeps_nobody_else_out(
    run: Run, people: Sequence[UUID], tmp_path: Path
) -> None:
    course = {
        "id": str(UUID(int=7)),
        "route": "intravenous",
        "condition": "depression",
        "phase": "maintenance",
    }
    course |= {"started_on": "2026-01-01", "ended_on": None, "min_interval_days": 40, "max_interval_days": 10}
    (tmp_path / "wrong.json").write_text(json.dumps({"courses": [course]}))
    lines = (f"{people[0]},wrong.json,", f"{people[1]},{EXAMPLES / 'diary.csv'},{MAP}")
    said = run("import-many", listed(tmp_path, *lines), "--clinic", "river")
    assert said.exit_code == 1
    assert "line 2: " in said.stdout
    assert "1 patients: 78 imported" in said.stdout
    assert "Traceback" not in said.output


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("ana,a.csv,daylio",), "line 2: the patient is no id"),
        ((f"{UUID(int=1)},,daylio",), "line 2: there is no file"),
        ((f"{UUID(int=1)},a.csv,", f"{UUID(int=1)},b.csv,"), "line 3: the patient of line 2 again"),
        ((f"{UUID(int=1)},a.csv,", "", "ana,b.csv,"), "line 4: the patient is no id"),
        ((f"{UUID(int=1)},a.csv,moodpath",), "no map of ours has this name"),
        ((f"{UUID(int=1)},a\0.csv,",), "line 2: there is no file"),
        ((f"{UUID(int=1)},{'a' * 200_000},",), "no CSV that can be read"),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(
    run: Run, database: Database, people: Sequence[UUID], tmp_path: Path, lines: Sequence[str], problem: str
) -> None:
    before = everything(database)
    said = run("import-many", listed(tmp_path, *lines), "--clinic", "river")
    assert said.exit_code != 0
    assert problem in said.output
    assert everything(database) == before


def test_a_list_needs_its_columns(run: Run, people: Sequence[UUID], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("who,what\n")
    assert "needs the columns patient,file,map" in run("import-many", file, "--clinic", "river").output
