"""What jobs work with in the tests: the test's database, the recording twin of e-mail."""

import pytest

from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings


@pytest.fixture
def email() -> RecordingGateway:
    """Where outgoing e-mail lands."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """The surroundings of a job."""
    return Around(database, settings, {Channel.EMAIL: email})
