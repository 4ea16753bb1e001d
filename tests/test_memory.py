"""An API process holds what requests need; what few ask for is made, or loaded, when they ask."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask

from server.app import create_app
from server.settings import Settings

# What jobs, commands and single requests need; drivers of databases and caches that are not in use.
LATE = ("alembic", "apscheduler", "httpx", "icalendar", "lxml", "psycopg", "redis", "requests", "rich")
LATE += ("xml.etree", "xml.sax", "zxcvbn", "server.gateways", "server.simulator")
_LOADED = "import sys, server.commands.serve, server.serve, server.app; print(*sys.modules, sep='\\n')"


def app_of(folder: Path) -> Flask:
    """Return an app nobody has sent anything to."""
    return create_app(Settings(data_dir=folder, password_cost="cheap"))


def test_an_api_process_loads_nothing_that_only_few_need() -> None:
    """With each library comes memory that every process holds for ever."""
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "server.app" in loaded
    assert sorted(loaded.intersection(LATE)) == []


def test_of_the_contract_nothing_is_made_before_somebody_asks(tmp_path: Path) -> None:
    """Our error's schema was made anew for each status there is."""
    app = app_of(tmp_path)
    (registered,) = app.extensions["flask-smorest"]["apis"].values()
    components = registered["ext_obj"].spec.components
    assert not components.responses_lazy
    assert "Problem" not in components.schemas
    answer = app.test_client().get("/v1/openapi.json")
    assert "Problem" in answer.get_json()["components"]["schemas"]


def test_what_the_contract_says_of_a_view_is_held_once(tmp_path: Path) -> None:
    """Every decorator copied it, and each copy stayed."""
    views = app_of(tmp_path).view_functions.values()
    assert any(hasattr(view, "_apidoc") for view in views)
    for view in views:
        told, inner = getattr(view, "_apidoc", None), getattr(view, "__wrapped__", None)
        while inner is not None:
            assert vars(inner).get("_apidoc", told) is told, view
            inner = getattr(inner, "__wrapped__", None)


def test_the_contract_is_the_same_for_all_who_ask_at_once(tmp_path: Path) -> None:
    """They worked on one and the same thing: some were told of a defect of ours."""
    app = app_of(tmp_path)
    together = threading.Barrier(4)

    def ask() -> list[tuple[int, bytes]]:
        together.wait()
        answers = [app.test_client().get("/v1/openapi.json") for _ in range(3)]
        return [(one.status_code, one.data) for one in answers]

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as people:
            asked = [people.submit(ask) for _ in range(4)]
            found = {one for each in asked for one in each.result()}
    finally:
        sys.setswitchinterval(usual)
    assert [status for status, _ in found] == [200]
