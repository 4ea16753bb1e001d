"""What tests of one-shot work start with."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.database import Database
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work, system
from server.settings import Settings

Run = Callable[..., Result]
EXAMPLES = Path(__file__).parents[1] / "examples"


def runner(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command of `afterglow` on the test's database."""
    monkeypatch.setenv("AFTERGLOW_DATABASE_URL", settings.sqlalchemy_url)
    monkeypatch.setenv("AFTERGLOW_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", settings.master_key)
    monkeypatch.setenv("AFTERGLOW_PASSWORD_COST", "cheap")
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def river(database: Database, now: datetime) -> UUID:
    """Open the clinic `river` and return its patient, registered long after her diary was written."""
    with database.write() as session:
        work = Work(session, now, system(clinics.new_clinic_id()))
        clinics.create(work, slug="river", name="River", zone="Europe/Berlin", country="DE")
        return patients.create(work, {"name": "Ana", "zone": "Europe/Berlin"}).id


def imported(run: Run, patient_id: UUID, *more: object, diary: Path = EXAMPLES / "diary.csv") -> Result:
    """Import the example (or ``diary``) with the example's map."""
    chart = EXAMPLES / "diary-map.yaml"
    return run("import-diary", diary, "--map", chart, "--patient", patient_id, "--clinic", "river", *more)
