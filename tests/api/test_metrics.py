"""`/metrics`: figures for Prometheus, and nothing about anybody."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from uuid_utils.compat import uuid7

from jobs.timetable import TIMETABLE
from server.api.edge import EXTENSION
from server.api.metric_table import GAUGES
from server.database import Database
from server.settings import Settings
from tests.api.test_health import all_ran
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag

TOKEN = "t" * 32
LABELS = {"job_name", "channel", "urgency", "state", "route", "method", "le"}
AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{32}")


def samples(client: FlaskClient, name: str = "") -> Iterator[tuple[str, dict[str, str], float]]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    # By now thousands of requests may have been counted: what nobody asks about is not taken apart.
    text = "".join(line for line in answer.text.splitlines(keepends=True) if line.startswith(name))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def figures(client: FlaskClient, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of one metric, by its labels' values in the order of their names."""
    return {
        tuple(labels[label] for label in sorted(labels)): value
        for found, labels, value in samples(client, name)
        if found == name
    }


@pytest.mark.long
def test_the_figures_of_the_watch_are_gauges(
    client: FlaskClient, cast: Cast, database: Database, settings: Settings, clock: Clock
) -> None:
    all_ran(database, settings, clock)
    ana_raises_a_red_flag(cast, clock)
    assert figures(client, "afterglow_database_up") == {(): 1}
    assert figures(client, "afterglow_job_late") == {(job.name,): 0 for job in TIMETABLE}
    assert figures(client, "afterglow_deliveries_waiting") == {("queued", "P0"): 1}
    assert figures(client, "afterglow_probe_ok") == {("email",): 1}
    assert figures(client, "afterglow_alerts") == {("open", "P0"): 1}
    assert figures(client, "afterglow_alerts_left") == {(urgency,): 0 for urgency in ("P0", "P1", "P2", "P3")}
    clock.forward(minutes=4)
    assert figures(client, "afterglow_job_late")["deliver",] == 1
    assert figures(client, "afterglow_oldest_undelivered_seconds") == {("P0",): 240, ("P1",): 0}


def test_a_job_that_never_ran_is_infinitely_old(client: FlaskClient) -> None:
    assert figures(client, "afterglow_job_age_seconds")["deliver",] == float("inf")


@pytest.mark.long
def test_requests_are_counted_by_route_method_and_class_and_never_by_path(
    client: FlaskClient, cast: Cast, clock: Clock
) -> None:
    before = figures(client, "afterglow_requests_total")
    one = uuid7()
    cast.ana.put(f"/entries/{one}", entry(clock.now))
    cast.ana.get(f"/entries/{one}")
    client.get(f"/nowhere/{one}")
    client.open("/v1/status", method="BREW")
    now = figures(client, "afterglow_requests_total")
    grown = {key: value - before.get(key, 0) for key, value in now.items() if "/metrics" not in key}
    assert {key: value for key, value in grown.items() if value} == {
        ("PUT", "/v1/entries/<uuid7:entry_id>", "2xx"): 1,
        ("GET", "/v1/entries/<uuid7:entry_id>", "2xx"): 1,
        ("GET", "none", "4xx"): 1,
        ("other", "none", "4xx"): 1,
    }
    assert figures(client, "afterglow_request_seconds_count")["GET", "none", "4xx"] >= 1


def test_errors_of_ours_are_counted_from_nothing_so_that_the_first_ones_show(client: FlaskClient) -> None:
    app = client.application
    counted = figures(client, "afterglow_requests_total")
    asked = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    asked = {one for one in asked if one[0] not in ("HEAD", "OPTIONS")}
    assert len(asked) > 200
    assert asked == {(method, route) for method, route, state in counted if state == "5xx"}


@pytest.mark.long
def test_no_id_no_name_and_no_other_label_is_ever_told(
    client: FlaskClient, cast: Cast, database: Database, settings: Settings, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    cast.bo.get(f"/patients/{cast.ana.patient_id}/watch")
    all_ran(database, settings, clock)
    told = list(samples(client))
    assert set().union(*(labels for _, labels, _ in told)) == LABELS
    assert {name for name, _, _ in told} >= GAUGES.keys() - {
        "afterglow_deliveries_lost",
        "afterglow_deliveries_waiting",
    }
    text = client.get("/metrics").text
    assert not AN_ID.search(text)
    for secret in (
        cast.ana.patient_id,
        cast.bo.account_id,
        cast.bo.clinic_id,
        "Ana",
        "Bo",
        "demo",
        "example",
    ):
        assert str(secret) not in text


@pytest.mark.parametrize(
    ("environment", "token", "said", "status"),
    [
        ("development", "", "", 200),
        ("production", "", "", 404),
        ("production", TOKEN, f"Bearer {TOKEN}", 200),
        ("production", TOKEN, f"bearer  {TOKEN}", 200),
        ("production", TOKEN, TOKEN, 401),
        ("production", TOKEN, "", 401),
        ("production", TOKEN, "Bearer wrong", 401),
        ("development", TOKEN, "Bearer \u00fc", 401),
        ("production", "", "Bearer ", 404),
    ],
)
def test_production_tells_only_who_has_the_token(
    client: FlaskClient, environment: str, token: str, said: str, status: int
) -> None:
    app = client.application
    here = app.extensions[EXTENSION]
    settings = replace(here.settings, environment=environment, metrics_token=token)
    app.extensions[EXTENSION] = replace(here, settings=settings)
    assert client.get("/metrics", headers={"Authorization": said}).status_code == status
