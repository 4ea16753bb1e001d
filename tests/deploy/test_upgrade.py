"""Containers are upgraded: nothing is stopped before the migration is through and something newer answers."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.rehearsal.plan import DEPLOY

# In place of docker: it notes what it was told, and knows of two APIs, and of two more once it was asked.
_ENGINE = """#!/bin/sh
said=$(echo "$*" | sed 's|--file .*/deploy/compose.yaml |FILE |')
echo "$said" >>"$FOLDER/said"
case "$said" in
  *"run --rm migrate") exit "$MIGRATED" ;;
  *"--scale api=4 api") touch "$FOLDER/more" ;;
  *"ps --quiet api") echo "old-1\nold-2" && [ ! -e "$FOLDER/more" ] || echo "new-3\nnew-4" ;;
  inspect*) echo "$HEALTH\n$HEALTH" ;;
esac
"""
_BEFORE = ["compose FILE build", "compose FILE run --rm migrate"]
_BESIDE = [
    "compose FILE up --detach worker valkey",
    "compose FILE ps --quiet api",
    "compose FILE up --detach --no-recreate --scale api=4 api",
    "compose FILE ps --quiet api",
]
_AFTER = [
    *("stop --time 30 old-1 old-2", "rm old-1 old-2", "compose FILE up --detach"),
    # Never by the engine's own `kill`: what it has sent a signal to stays away when the machine starts again.
    *(f"compose FILE exec -T {name} sh -c kill -HUP 1" for name in ("nginx", "prometheus")),
]


def upgraded(folder: Path, migrated: int = 0, health: str = "healthy") -> tuple[int, list[str]]:
    """Return how the script ended, and what it told the engine but for its looks at the health."""
    for name, text in (("docker", _ENGINE), ("sleep", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    where = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "FOLDER": str(folder)}
    surroundings = {**where, "MIGRATED": str(migrated), "HEALTH": health}
    ended = subprocess.run([DEPLOY / "upgrade"], env=surroundings, capture_output=True, check=False)
    told = (folder / "said").read_text().splitlines()
    return ended.returncode, [line for line in told if not line.startswith("inspect")]


def test_who_runs_goes_on_until_somebody_newer_answers(tmp_path: Path) -> None:
    assert upgraded(tmp_path) == (0, _BEFORE + _BESIDE + _AFTER)


def test_where_the_migration_fails_everybody_goes_on(tmp_path: Path) -> None:
    assert upgraded(tmp_path, migrated=1) == (1, _BEFORE)


def test_where_the_new_apis_do_not_answer_the_old_ones_go_on_alone(tmp_path: Path) -> None:
    ends = ["logs --tail 20 new-3", "logs --tail 20 new-4", "rm --force new-3 new-4"]
    assert upgraded(tmp_path, health="unhealthy") == (1, _BEFORE + _BESIDE + ends)


def test_two_apis_that_still_start_keep_no_request_from_those_that_answer() -> None:
    said = (DEPLOY / "nginx" / "afterglow.conf").read_text("utf-8")
    assert "\n  proxy_next_upstream_tries 4;\n" in said


@pytest.mark.parametrize("name", yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"])
def test_no_log_fills_the_disk_that_the_database_is_on(name: str) -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"][name]
    assert {"max-size", "max-file"} == service.get("logging", {}).get("options", {}).keys()
