"""What jobs work with in the tests: the test's database, the recording twin of e-mail."""

import pytest

from jobs.around import Around
from server.database import Database
from server.gateways.email import RecordingEmailGateway
from server.settings import Settings


@pytest.fixture
def email() -> RecordingEmailGateway:
    """Where outgoing e-mail lands."""
    return RecordingEmailGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingEmailGateway) -> Around:
    """The surroundings of a job."""
    return Around(database, settings, email)
