"""Fault 29: what is meant as a value is tried as a statement, a wildcard, a path, a line of the log.

Queries and paths are tried everywhere by `tests/test_input_guard.py`; here are headers, searches over FHIR
with what they find, names of columns to sort by, and the source itself.
"""

import ast
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.faults.served import served, status
from tests.fhir_client import Fhir
from tests.source import Source, sources

PROBES = (
    "' OR '1'='1",
    "'; DROP TABLE patients; --",
    "1) UNION SELECT sealed_note FROM entries --",
    "%",
    "_%_",
    "$.items[*].*",
    "{{7*7}}${7*7}",
    "../../../etc/passwd",
    "\x00",
    "\u202eevil",
    "*",
    "9" * 400,
)
HEADERS = (
    *("Accept", "Accept-Language", "Content-Language", "Cookie", "Forwarded", "Host", "Idempotency-Key"),
    *("If-Match", "If-None-Match", "If-Modified-Since", "Origin", "Prefer", "Range", "Referer", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Original-URL", "X-Request-Id"),
)
FAKE = "2026-01-01T00:00:00Z INFO everything is fine"


def test_a_header_is_never_more_than_a_value(app: Flask, cast: Cast, clock: Clock) -> None:
    path = f"/v1/entries/{uuid7()}"
    cast.ana.put(path.removeprefix("/v1"), entry(clock.now))
    good = cast.ana.get(path.removeprefix("/v1")).json
    signed_in = {"HTTP_AUTHORIZATION": f"Bearer {cast.ana.token}"}
    for header in HEADERS:
        for probe in (*PROBES, "DELETE"):
            sent = {f"HTTP_{header.upper().replace('-', '_')}": probe.encode().decode("latin-1")}
            answer = app.test_client().get(path, environ_overrides={**signed_in, **sent})
            assert answer.status_code < 500, (header, probe)
            assert answer.status_code != 200 or answer.json == good, (header, probe)
            assert not probe.startswith("'") or probe not in answer.text, (header, probe)
    assert cast.ana.get(path.removeprefix("/v1")).json == good


def test_a_fhir_search_finds_no_more_for_being_clever(cast: Cast, clock: Clock) -> None:
    for _ in range(3):
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, side_effects={"nausea": 2}))
    bo, cyd, patient = Fhir(cast.bo), Fhir(cast.cyd), cast.ana.patient_id
    everything = {kind: len(bo.found(f"{kind}?patient={patient}")) for kind, _ in searches(bo)}
    assert everything["Observation"] > 3
    for kind, parameter in searches(bo):
        for probe in PROBES:
            for who in (bo, cyd):
                beside = "" if parameter == "patient" else f"&patient={patient}"
                answer = who.get(f"{kind}?{parameter}={quote(probe)}{beside}")
                assert answer.status_code < 500, (kind, parameter, probe)
                found = len(answer.json.get("entry", ())) if answer.status_code == 200 else 0
                assert found <= (everything[kind] if who is bo else 0), (kind, parameter, probe)


def searches(who: Fhir) -> list[tuple[str, str]]:
    """Return every parameter of every resource of a journal, as the facade tells them."""
    (rest,) = who.read("metadata")["rest"]
    return [
        (one["type"], parameter["name"])
        for one in rest["resource"]
        if any(parameter["name"] == "patient" for parameter in one.get("searchParam", ()))
        for parameter in one["searchParam"]
        if one["type"] in ("Observation", "QuestionnaireResponse", "DetectedIssue", "Provenance")
    ]


@pytest.mark.parametrize("name", ["sort", "order_by", "_sort", "fields", "filter", "where", "q"])
def test_nobody_names_a_column_to_sort_or_search_by(name: str, cast: Cast) -> None:
    for path in ("/patients", "/alerts", "/booking-suggestions", "/entries", "/audit-events"):
        who = {"/entries": cast.ana, "/audit-events": cast.admin}.get(path, cast.bo)
        assert who.get(f"{path}?{name}=password_hash").status_code == 422, path
    answer = Fhir(cast.bo).get(f"Observation?patient={cast.ana.patient_id}&_sort=password_hash")
    assert 400 <= answer.status_code < 500


def test_no_header_gets_a_line_of_its_own_into_the_log(settings: Settings, cast: Cast) -> None:
    """Spoken to byte by byte: no library on the way makes it harmless."""
    token = cast.ana.token.encode()
    with served(settings) as api:
        for break_ in (
            b"%0d%0a",
            b"%0a",
            b"\r",
            b"\n ",
            b"\r\n ",
            b"\x85",
            b"\xe2\x80\xa8",
            b"\x1b[2K",
            b"\\n",
        ):
            fake = break_ + FAKE.replace(" ", "%20").encode()
            for line in (b"X-Request-Id: ", b"User-Agent: ", b"X-Forwarded-For: ", b"Authorization: Bearer "):
                known = b"Host: x\r\nConnection: close\r\nAuthorization: Bearer " + token + b"\r\n"
                answer = api.say(b"GET /v1/me HTTP/1.1\r\n" + known + line + b"a" + fake + b"\r\n\r\n")
                assert status(answer) < 500, (break_, line)
            api.say(b"GET /v1/entries/" + fake + b"?q=" + fake + b" HTTP/1.1\r\n" + known + b"\r\n")
    lines = api.log.read_text("utf-8", "replace").splitlines()
    assert [line for line in lines if line.lstrip().startswith(FAKE[:10])] == []
    assert not any(token.decode() in line or "\x1b" in line for line in lines)


# Statements that are put together, of what is a constant of ours; who adds one says of what.
OF_CONSTANTS: Mapping[str, str] = {
    "server/isolation.py": "the names of two settings of a transaction",
    "server/migrations/env.py": "the name of a setting of a transaction",
    "server/migrations/locking.py": "names of tables that a migration names, and how to wait for them",
    "server/migrations/rows.py": "names of tables, policies and roles, when the owner migrates",
    "server/models/booking_suggestion.py": "the ended states, in a condition of an index",
    "server/services/backup_state.py": "the names of two pragmas",
    "server/services/messages/bell.py": "the name of a channel",
}


def test_no_statement_is_put_together_from_what_somebody_sent() -> None:
    found = {source.path for source in sources() for _ in put_together(source)}
    assert found - OF_CONSTANTS.keys() == set()
    assert OF_CONSTANTS.keys() - found == set(), "gone: take it out"


def put_together(source: Source) -> Iterator[int]:
    """Yield the lines in which SQL is made of parts."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            is_whole = isinstance(node.args[0], ast.Constant | ast.Name | ast.Attribute)
            if name in ("text", "exec_driver_sql", "literal_column", "DDL") and not is_whole:
                yield node.lineno
