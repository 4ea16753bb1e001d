"""A clinic whose messages leave over twins of all four channels."""

from collections.abc import Mapping

import pytest
from flask import Flask

from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.faults.ward import Ward

Twins = Mapping[Channel, RecordingGateway]


@pytest.fixture
def twins() -> Twins:
    """The recording twin of every channel."""
    return {channel: RecordingGateway(channel) for channel in Channel}


@pytest.fixture
def around(database: Database, settings: Settings, twins: Twins) -> Around:
    """The surroundings of a job; a test puts a real gateway in a twin's place."""
    return Around(database, settings, dict(twins))


@pytest.fixture
def ward(app: Flask, cast: Cast, clock: Clock, around: Around) -> Ward:
    """Ana's clinic, and what the tests do in it."""
    return Ward(app, cast, clock, around)
