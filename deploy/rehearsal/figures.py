"""Prometheus as the machine has it, with the settings and rules of its container: does it get our figures?"""

import json
import re
import shutil
import urllib.request
from typing import Any
from urllib.parse import urlencode

from deploy.rehearsal.place import LOOPBACK, Place
from deploy.rehearsal.plan import DEPLOY
from deploy.rehearsal.running import RehearsalError, Running

PROGRAM = "prometheus"
A_JOB = "deliver"


def why_none() -> str | None:
    """Return why no Prometheus can be started, or None."""
    return None if shutil.which(PROGRAM) else "Prometheus is not installed"


def start(running: Running, place: Place) -> None:
    """Start it on a loopback port; it looks every second, so that nobody waits for the first figures."""
    service = place.services[PROGRAM]
    folder = place.folder / "prometheus"
    shutil.copytree(DEPLOY / "prometheus", folder)
    settings = folder / "prometheus.yml"
    settings.write_text(_settings(place, settings.read_text("utf-8")), "utf-8")
    words = [place.here(service, 0, word) for word in service.command]
    words = [f"--config.file={settings}" if word.startswith("--config.file=") else word for word in words]
    running.start(PROGRAM, [PROGRAM, *words], place.environment(service, 0))


def _settings(place: Place, text: str) -> str:
    apis = ", ".join(f'"{LOOPBACK}:{port}"' for port in place.ports["api"])
    text = re.sub(r"dns_sd_configs: .*", f"static_configs: [{{targets: [{apis}]}}]", text)
    text = re.sub(r"_interval: \d+s", "_interval: 1s", text)
    return place.here(place.services[PROGRAM], 0, text)


def wait(running: Running, place: Place) -> int:
    """Wait until every API is scraped and each job has figures of its own; return how many rules there are.

    Raises `RehearsalError`.
    """
    wanted = len(place.ports["api"])
    running.wait(PROGRAM, lambda: _scraped(place) == wanted)
    running.wait(PROGRAM, lambda: A_JOB in _jobs(place))
    groups = _ask(place, "rules")["groups"]
    wrong = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
    if wrong:
        raise RehearsalError(f"Prometheus can't work out {wrong[0]}.")
    return sum(len(group["rules"]) for group in groups)


def _scraped(place: Place) -> int:
    try:
        targets = _ask(place, "targets")["activeTargets"]
    except OSError:
        return 0
    return sum(target["health"] == "up" for target in targets)


def _jobs(place: Place) -> set[str]:
    query = urlencode({"query": "max by (job_name) (afterglow_job_late)"})
    return {one["metric"].get("job_name", "") for one in _ask(place, f"query?{query}")["result"]}


def _ask(place: Place, what: str) -> Any:
    address = f"http://{LOOPBACK}:{place.ports[PROGRAM][0]}/api/v1/{what}"
    with urllib.request.urlopen(address, timeout=5) as answer:
        return json.loads(answer.read())["data"]
