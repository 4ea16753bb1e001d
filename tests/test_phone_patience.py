"""A phone that is told to come later comes later, with all it had, and shows what cannot wait at once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from examples.phone import Later, Phone, Server, Store, patiently
from server.database import Database
from server.settings import Settings, master_keys
from tests.cast import PASSWORD, opened_alerts
from tests.conftest import JWT_KEY, MASTER_KEY
from tests.ports import free_port
from tests.real_server import serving

WHO = {"clinic": "demo", "email": "ana@home.example", "password": PASSWORD}


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Settings]:
    """A real server that takes thirty requests a minute of a device."""
    keys = {"jwt_key": JWT_KEY, "master_key": MASTER_KEY}
    settings = Settings(data_dir=tmp_path, password_cost="cheap", port=free_port(), **keys)
    with serving(settings, MASTER_KEY=MASTER_KEY, REQUESTS_PER_MINUTE="30"):
        yield settings


def test_an_entry_that_comes_too_fast_is_shown_its_notice_and_sent_again(
    strict: Settings, tmp_path: Path
) -> None:
    shown: list[Any] = []
    store = Store(str(tmp_path / "phone.db"))
    send = Server(store, f"http://127.0.0.1:{strict.port}", WHO).send
    phone = Phone(store, send, shown.append)
    phone.sync()
    with pytest.raises(Later):
        _ask_for_ever(send)
    now = datetime.now(UTC).isoformat()
    phone.log({"occurred_at": now, "zone": "Europe/Oslo", "items": {"mood": 2}, "safety": "plan"})
    with pytest.raises(Later) as later:
        phone.sync()
    assert later.value.seconds >= 1
    assert shown[0]["crisis_lines"]
    assert store.count("waiting", "sent") == 1
    begun = time.monotonic()
    patiently(phone.sync, tries=5, first_pause=0.01)
    assert time.monotonic() - begun >= 0.9
    assert store.count("waiting", "sent") == 0
    database = Database(strict.sqlalchemy_url, master_keys(strict))
    assert len(opened_alerts(database)) == 1, "told once, at the refusal, and joined by the entry itself"
    database.close()


def _ask_for_ever(send: Any) -> None:
    while True:
        send("GET", "/v1/me", None)
