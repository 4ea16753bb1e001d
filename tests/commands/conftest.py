"""What the tests of commands share."""

import pytest

from server.database import Database
from server.settings import Settings
from tests.one_shot import Run, runner


@pytest.fixture
def run(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of `afterglow` on the test's database."""
    return runner(settings, monkeypatch)
