"""Whoever is woken by an alarm finds its entry in the runbook: what it means, where to look, what to do."""

import re
from datetime import UTC, datetime, timedelta

import yaml

from server.api import health as api
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.services.health import Health, JobHealth, troubles
from server.services.messages.probe import Probed, Verdict
from tests.source import ROOT
from tests.test_monitoring import rules

PAGE = (ROOT / "docs" / "runbook.md").read_text("utf-8")
PARTS = ("Means", "Look first", "Do")
# Two monitors outside of everything of ours.
OUTSIDE = {"The heartbeat is silent", "The watch from outside fails"}


def entries() -> dict[str, str]:
    """Return the entries of the runbook by their heading."""
    found = re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return dict(found)


def codes() -> set[str]:
    """Return every code by which `afterglow status` and `/readyz` tell of trouble."""
    now = datetime(2026, 3, 2, tzinfo=UTC)
    late = JobHealth("deliver", None, None, late=True)
    probe = Probed(Channel.EMAIL, now, DeliveryState.GIVEN_UP, None, Verdict.FAILED)
    unwell = Health(
        now, migrated=False, jobs=[late], oldest={AlertClass.P0: timedelta(days=1)}, probes=[probe]
    )
    return {one.code for one in troubles(unwell)} | {api._AWAY["code"]}


def test_every_alarm_has_an_entry_and_no_entry_is_without_an_alarm() -> None:
    assert entries().keys() == {rule["alert"] for rule in rules()} | OUTSIDE


def test_every_alarm_is_made_to_ring() -> None:
    """`tests/deploy/test_lint.py` plays them."""
    played = yaml.safe_load((ROOT / "tests/deploy/alarms.yml").read_text("utf-8"))["tests"]
    expected = [one for test in played for one in test["alert_rule_test"] if one.get("exp_alerts")]
    assert {one["alertname"] for one in expected} == {rule["alert"] for rule in rules()}


def test_every_entry_says_what_it_means_where_to_look_and_what_to_do() -> None:
    for name, text in entries().items():
        said = re.findall(r"^- \*\*(.+?)\*\*: \S", text, re.MULTILINE)
        assert tuple(said) == PARTS, name


def test_every_alarm_names_its_entry() -> None:
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_trouble_that_is_told_by_a_code_leads_to_an_entry() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| \[(\w+)\]", PAGE, re.MULTILINE))
    assert rows.keys() == codes()
    assert set(rows.values()) <= entries().keys()
