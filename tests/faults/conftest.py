"""A clinic whose messages leave over twins of all four channels."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask

from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.faults.house import House, house
from tests.faults.line import Line, line_to
from tests.faults.ward import Ward
from tests.ports import free_port
from tests.postgresql_server import Server, migrated, server_of_our_own

Twins = Mapping[Channel, RecordingGateway]


@pytest.fixture(scope="session")
def wired() -> Iterator[Server]:
    """A migrated, empty PostgreSQL of our own that is reached over TCP too."""
    with server_of_our_own(("fsync = off",), port=free_port()) as server:
        migrated(server.url)
        yield server


@pytest.fixture
def line(wired: Server) -> Iterator[Line]:
    """A line to it."""
    assert wired.port is not None
    with line_to(wired.port) as found:
        yield found


@pytest.fixture
def home(wired: Server, built_app: Flask, tmp_path: Path) -> Iterator[House]:
    """Ana's clinic on it."""
    with house(wired.url, built_app, tmp_path) as found:
        yield found


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
