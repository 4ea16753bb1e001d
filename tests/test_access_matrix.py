"""Who may what: every operation asked for by everybody, against a table that people have read.

The table (`tests/access_matrix.csv`) is data: what is right stands there, with its reason. A route without a
line fails; so does one that answers otherwise than its line. One without a policy does not even start.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.api import route_guard
from server.api.edge import allow
from server.clinical.vocabulary import Role
from server.models import Base
from tests.access_matrix import (
    UNREVIEWED,
    Line,
    Operation,
    after_leaving,
    ask,
    let_in,
    lines,
    made_up,
    observed,
    operations,
)
from tests.access_world import HERS, MEANING, NOBODY, ROLE, WHO, World, built, left
from tests.cast import Cast

FOREIGN = ("cyd", "foreign_admin", "foreign_system", "foreign_patient")
# Ids that every clinic or patient has for themselves: the same one from elsewhere is not the same thing.
OWN_NUMBERS = ("policy_version", "week", "key", "purpose")
# Which the patient must have agreed to; some here have not.
BY_CONSENT = {"POST /v1/me/caregivers"}
# What staff reads of somebody who leaves: the erasure itself, a hold that stops it, what the audit and the
# webhooks told of it (ids and verbs).
OF_LEAVING = (
    *("/v1/patients/{patient_id}/erasure", "/v1/patients/{patient_id}/legal-holds", "/v1/audit-events"),
    "/v1/clinic/webhooks/{webhook_id}/deliveries",
)
PUT_BY_PHONE = {"PUT /v1/entries/{entry_id}", "PUT /v1/questionnaire-responses/{response_id}"}
# Seconds between the slow ends of the two answers: below what an answer itself takes.
SAME_TIME = 0.004
ROUNDS = 150


@pytest.fixture
def world(app: Flask, cast: Cast) -> World:
    """A clinic in which everything exists that a path can name."""
    return built(app, cast)


@pytest.fixture
def asked(served_contract: Any) -> dict[str, Operation]:
    """Every operation, by its name in the table."""
    return {one.name: one for one in operations(served_contract)}


def table() -> dict[str, Line]:
    return {line.name: line for line in lines()}


@pytest.mark.long
def test_everybody_gets_from_every_route_what_the_table_says(
    app: Flask, world: World, asked: dict[str, Operation]
) -> None:
    wrong = {}
    for line in lines():
        found = observed(asked[line.name], app, world)
        if found != line.cells:
            wrong[line.name] = {
                who: (line.cells[who], found[who]) for who in WHO if line.cells[who] != found[who]
            }
    assert wrong == {}, "who gets something else, and what"


def test_once_an_erasure_is_confirmed_staff_get_what_the_table_says(
    app: Flask, cast: Cast, world: World, asked: dict[str, Operation]
) -> None:
    gone = left(cast, world)
    found = {line.name: after_leaving(asked[line.name], app, gone) for line in lines()}
    wrong = {
        line.name: (line.leaving, found[line.name]) for line in lines() if line.leaving != found[line.name]
    }
    assert wrong == {}, "what the table says of who leaves, and what is so"


def test_staff_find_nothing_of_who_leaves_but_what_keeps_the_law(asked: dict[str, Operation]) -> None:
    """A path that names something of hers leads to nothing, and no other answer holds anything of hers."""
    for name, line in table().items():
        if name.partition(" ")[2].startswith(OF_LEAVING) or not asked[name].roles:
            continue
        assert line.leaving != "hers", name
        assert {line.leaving} <= {"404", "-"} or not {*asked[name].parameters} & {*HERS}, name


def test_every_route_has_a_line_and_every_line_a_route(asked: dict[str, Operation]) -> None:
    assert asked.keys() == table().keys(), "python -m tests.access_matrix adds lines; read them, and say why"


def test_every_line_was_read_by_somebody_who_said_why() -> None:
    assert [line.name for line in lines() if line.why.strip() in ("", UNREVIEWED)] == []
    assert len(lines()) == len(table())
    assert MEANING.keys() == set(WHO)


def test_who_is_not_named_is_kept_out(asked: dict[str, Operation]) -> None:
    """The table agrees with the roles of the contract, whatever else it says."""
    for name, line in table().items():
        if not (roles := asked[name].roles):
            continue
        assert {line.cells[NOBODY], line.cells["revoked"]} == {"401"}, name
        refused = {who: line.cells[who] for who, role in ROLE.items() if role.value not in roles}
        assert set(refused.values()) <= {"403"}, (name, refused)
        named = ROLE.keys() - refused.keys()
        assert name in BY_CONSENT or not any(line.cells[who] == "403" for who in named), name


def test_what_belongs_to_another_clinic_is_never_there(asked: dict[str, Operation]) -> None:
    for name, line in table().items():
        named = set(asked[name].parameters) - set(OWN_NUMBERS)
        if named and asked[name].roles and name not in PUT_BY_PHONE:
            assert "ok" not in {line.cells[who] for who in FOREIGN}, name


def test_a_foreign_id_is_answered_in_the_words_of_one_that_never_was(
    app: Flask, world: World, asked: dict[str, Operation]
) -> None:
    nothing, count = made_up(world), 0
    for name, line in table().items():
        for who in (*FOREIGN, "neighbour"):
            if line.cells[who] == "404":
                theirs, nobodys = (ask(world.people[who], app, asked[name], one) for one in (world, nothing))
                assert (theirs.status_code, theirs.json) == (nobodys.status_code, nobodys.json), (name, who)
                assert _told(theirs.headers) == _told(nobodys.headers), (name, who)
                count += 1
    assert count > 80


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("Date", "X-Request-Id")}


# What a body of somebody elsewhere may name of Ana's clinic, with who sends it.
NAMED: list[tuple[str, str, str, Any]] = [
    ("cyd", "POST", "/alerts/hand-over", {"account_id": "bo_id"}),
    (
        "foreign_admin",
        "POST",
        "/clinic/webhooks",
        {"account_id": "bo_id", "url": "https://hooks.example.org/x"},
    ),
    (
        "foreign_admin",
        "POST",
        "/rota/shifts",
        {"account_id": "bo_id", "starts": "2026-03-02T18:00", "ends": "2026-03-03T08:00"},
    ),
    ("cyd", "POST", "/patients", {"name": "X", "zone": "Europe/Oslo", "clinician_id": "bo_id"}),
    ("foreign_admin", "PUT", "/me/contact-points/order", {"ids": ["contact_id"]}),
]


@pytest.mark.parametrize(("who", "method", "path", "body"), NAMED, ids=[line[2] for line in NAMED])
def test_what_a_body_names_of_another_clinic_is_not_there_either(
    world: World, who: str, method: str, path: str, body: dict[str, Any]
) -> None:
    person, nothing = world.people[who], made_up(world)
    assert person is not None
    theirs, nobodys = (person.send(method, path, _named(body, one), version=1) for one in (world, nothing))
    assert 400 <= theirs.status_code < 500, theirs.text
    assert (theirs.status_code, theirs.json) == (nobodys.status_code, nobodys.json)


def _named(body: Any, world: World) -> Any:
    if isinstance(body, dict):
        return {name: _named(value, world) for name, value in body.items()}
    if isinstance(body, list):
        return [_named(value, world) for value in body]
    return world.ids.get(body, body)


def test_a_cursor_from_another_clinic_leads_to_nothing_of_it(world: World) -> None:
    cyd = world.people["cyd"]
    assert cyd is not None
    for path, name in (("/patients", "patient_id"), ("/alerts", "alert_id")):
        theirs, nobodys = (cyd.get(f"{path}?cursor={one}") for one in (world.ids[name], uuid7()))
        assert theirs.status_code == nobodys.status_code
        assert world.ids["patient_id"] not in theirs.text


def test_a_foreign_id_takes_no_longer_than_one_that_never_was(world: World) -> None:
    """By this thread's own work, which other processes on the machine do not disturb, and by the clock."""
    cyd, theirs, nobodys = world.people["cyd"], [], []
    assert cyd is not None
    for number in range(ROUNDS + 10):
        for path, times in ((world.ids["patient_id"], theirs), (str(uuid7()), nobodys)):
            began = time.thread_time(), time.perf_counter()
            assert cyd.get(f"/patients/{path}").status_code == 404
            if number >= 10:
                times.append((time.thread_time() - began[0], time.perf_counter() - began[1]))
    (work, nobodys_work), (clock, nobodys_clock) = zip(_columns(theirs), _columns(nobodys), strict=True)
    assert abs(_p95(work) - _p95(nobodys_work)) < SAME_TIME
    assert abs(statistics.median(clock) - statistics.median(nobodys_clock)) < SAME_TIME


def _columns(times: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [work for work, _ in times], [clock for _, clock in times]


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def test_a_route_without_a_policy_stops_the_start(app: Flask) -> None:
    bare = Flask("bare")
    bare.add_url_rule("/v1/new", "new", lambda: "everything about everybody")
    with pytest.raises(RuntimeError, match="/v1/new has no policy"):
        route_guard.check_routes(bare, "/v1")
    route_guard.check_routes(app, "/v1")


def test_a_route_that_lets_systems_pass_without_a_scope_stops_the_start() -> None:
    bare = Flask("bare")
    bare.add_url_rule("/v1/new", "new", allow(Role.INTEGRATION)(lambda: "whatever they may do"))
    with pytest.raises(RuntimeError, match="/v1/new lets systems pass"):
        route_guard.check_routes(bare, "/v1")


def test_no_column_can_be_written_that_is_no_member_of_the_body(
    app: Flask, world: World, asked: dict[str, Operation]
) -> None:
    """Every column of every table at once, beside a good body: refused by name, all of them.

    FHIR's bodies may hold what we don't read; what we read of them is listed in docs/fhir.md.
    """
    columns = {column.key for table in Base.metadata.sorted_tables for column in table.c}
    count = 0
    for name, operation in asked.items():
        if operation.body is None or operation.is_fhir:
            continue
        who = let_in(operation, table()[name])
        planted = dict.fromkeys(columns - operation.members, "planted")
        answer = ask(world.people[who], app, replace(operation, body={**planted, **operation.body}), world)
        assert answer.status_code == 422, (name, answer.text)
        refused = {error["pointer"].removeprefix("/") for error in answer.json["errors"]}
        assert planted.keys() <= refused, (name, sorted(planted.keys() - refused))
        count += 1
    assert count > 40
