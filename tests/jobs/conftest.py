"""What jobs work with in the tests: the test's database, the recording twin of e-mail, a practice."""

from collections.abc import Iterator

import pytest
from flask import Flask

from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.practice import Practice, practice_at


@pytest.fixture
def email() -> RecordingGateway:
    """Where outgoing e-mail lands."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """The surroundings of a job."""
    return Around(database, settings, {Channel.EMAIL: email})


@pytest.fixture
def several(around: Around) -> None:
    """More than one writer at a time."""
    if around.database.is_sqlite:
        pytest.skip("one writer at a time")


@pytest.fixture
def practice(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> Iterator[Practice]:
    """A practice connected to Ana's clinic, and a visit that Bo has approved."""
    with practice_at(app, database, settings, clock, cast) as made:
        made.approve()
        yield made
