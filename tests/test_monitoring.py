"""What operations are told to watch is what the code tells: metrics, alert rules, dashboard, runbook."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from server.api.metric_table import GAUGES
from server.api.metrics import Requests
from tests.source import ROOT

METRIC = re.compile(r"\bafterglow_[a-z0-9_]+")
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def section(heading: str) -> str:
    """Return the text below ``heading`` up to the next one."""
    return re.split(r"^##+ ", PAGE.partition(f"### {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics() -> dict[str, tuple[tuple[str, ...], str]]:
    """Return labels and meaning of every metric, by the name the table gives it."""
    known = {name: (gauge.labels, gauge.help) for name, gauge in GAUGES.items()}
    requests = Requests()
    for own in (requests.count, requests.seconds):
        (family,) = own.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        known[name] = (("route", "method", "state"), family.documentation)
    return known


def told() -> set[str]:
    """Return every name under which Prometheus stores something of ours."""
    histogram = {f"afterglow_request_seconds_{part}" for part in ("bucket", "sum", "count")}
    return {*metrics(), *histogram} - {"afterglow_request_seconds"}


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    found: dict[str, Any] = json.loads((ROOT / "docs" / "dashboard.json").read_text("utf-8"))
    return found


def expressions() -> Iterator[str]:
    """Yield every query of the dashboard."""
    return (target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])


def test_the_table_of_metrics_is_the_code_s() -> None:
    rows = {
        f"| `{name}` | {', '.join(f'`{label}`' for label in labels) or 'none'} | {text} |"
        for name, (labels, text) in metrics().items()
    }
    assert {line for line in section("Metrics").splitlines() if line.startswith("| `")} == rows


def test_no_label_but_these_is_used() -> None:
    labels = {label for own, _ in metrics().values() for label in own}
    assert labels == {"job_name", "channel", "urgency", "state", "route", "method"}


def test_no_label_is_one_that_prometheus_writes_itself() -> None:
    # It would call ours `exported_job`, and every rule would ask about itself.
    assert {label for own, _ in metrics().values() for label in own}.isdisjoint({"job", "instance"})


def test_every_alert_rule_asks_for_metrics_that_exist_and_says_how_urgent_it_is() -> None:
    assert len(rules()) > 8
    for rule in rules():
        named = set(METRIC.findall(rule["expr"]))
        assert named, rule["alert"]
        assert named <= told(), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "look"), rule["alert"]


def test_every_query_of_the_dashboard_asks_for_metrics_that_exist_and_every_metric_is_on_it() -> None:
    named = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert named <= told()
    assert {name.removesuffix("_bucket") for name in named} == set(metrics())


def test_rules_and_dashboard_use_only_labels_their_metric_has() -> None:
    known = {label for labels, _ in metrics().values() for label in labels} | {"le"}
    for expression in (*expressions(), *(rule["expr"] for rule in rules())):
        grouped = re.findall(r"\bby \(([^)]*)\)", expression)
        matched = re.findall(r"(\w+)=~?\"", expression)
        used = {label.strip() for group in grouped for label in group.split(",")} | set(matched)
        assert used <= known, expression


def test_the_dashboard_s_panels_have_ids_and_places_of_their_own() -> None:
    panels = dashboard()["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len({panel["id"] for panel in panels}) == len(panels) == len(set(places))
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
