"""The files of `deploy/` agree with the code and with each other."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.rehearsal.plan import DEPLOY, Service, read
from server.settings import PREFIX, variables
from tests.source import ROOT

SERVICES = read({})
UNITS = {file.name: file.read_text("utf-8") for file in (DEPLOY / "systemd").rglob("*.*") if file.is_file()}
OWNER = "AFTERGLOW_MIGRATION_URL"
IPV4 = ("0.0.0.0:", "127.0.0.1:")
SECRETS = {
    *(OWNER, "AFTERGLOW_DATABASE_URL", "AFTERGLOW_SMTP_URL", "AFTERGLOW_SMS_URL", "AFTERGLOW_JWT_KEY"),
    *("AFTERGLOW_MASTER_KEY", "AFTERGLOW_BACKUP_KEY", "AFTERGLOW_METRICS_TOKEN", "AFTERGLOW_VAPID_KEY"),
    "AFTERGLOW_LIMITS_URL",
}
PIN = re.compile(r"^([a-z0-9][\w.-]*)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def manifests() -> Iterator[dict[str, Any]]:
    """Yield every object of the manifests."""
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text("utf-8"))


def pods() -> dict[str, dict[str, Any]]:
    """Return what each kind of pod consists of, by its container's name."""
    found: dict[str, dict[str, Any]] = {}
    for one in manifests():
        spec = one.get("spec", {})
        pod = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec")
        if pod is not None:
            found[pod["containers"][0]["name"]] = pod
    return found


def shown(pod: dict[str, Any]) -> dict[str, str]:
    """Return the secrets that a pod is shown: the file's name and the secret's key."""
    sources = next(one["projected"]["sources"] for one in pod["volumes"] if one["name"] == "secrets")
    return {item["path"]: item["key"] for source in sources for item in source["secret"]["items"]}


def ours() -> dict[str, Service]:
    """Return the services that run our image."""
    return {name: one for name, one in SERVICES.items() if one.image.startswith("afterglow:")}


def pins(lock: str) -> dict[str, str]:
    """Return the versions of a lock file."""
    return dict(PIN.findall((ROOT / lock).read_text("utf-8")))


def test_every_setting_that_is_named_exists() -> None:
    for file in (file for file in DEPLOY.rglob("*") if file.is_file() and "secrets" not in file.parts):
        text = file.read_bytes().decode("utf-8", "ignore")
        named = set(re.findall(r"\bAFTERGLOW_[A-Z_]*[A-Z]\b", text)) - {"AFTERGLOW_"}
        assert named <= variables().keys(), file


def test_no_secret_is_written_in() -> None:
    said = [set(one.environment) for one in SERVICES.values()]
    said += [set(one["data"]) for one in manifests() if one["kind"] == "ConfigMap"]
    said += [set(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE)) for text in UNITS.values()]
    assert [names & SECRETS for names in said if names & SECRETS] == []
    assert [one for one in manifests() if one["kind"] == "Secret"] == []


def test_only_who_makes_tables_is_shown_the_owner_s_address() -> None:
    makers = {"migrate", "restore"}
    assert {name for name, one in SERVICES.items() if OWNER in one.secrets} == makers
    assert {name for name, pod in pods().items() if OWNER in shown(pod)} == makers
    units = {"afterglow-migrate.service", "afterglow-restore@.service"}
    assert {name for name, text in UNITS.items() if OWNER in text} == units


def test_who_restores_has_the_key_the_backups_and_what_is_kept_outside_and_never_starts_by_itself() -> None:
    restore, pod = SERVICES["restore"], pods()["restore"]
    assert restore.on_demand
    backups, kept = "/backups", "/var/lib/afterglow"
    assert restore.mounts == {
        backups: SERVICES["backup"].mounts[backups],
        kept: SERVICES["worker"].mounts[kept],
    }
    claims = {
        one["name"]: one["persistentVolumeClaim"]["claimName"]
        for one in pod["volumes"]
        if "persistentVolumeClaim" in one
    }
    places = {one["mountPath"]: claims.get(one["name"]) for one in pod["containers"][0]["volumeMounts"]}
    assert (places[backups], places[kept]) == ("afterglow-backups", "afterglow-kept")
    assert "AFTERGLOW_BACKUP_KEY" in restore.secrets
    assert "AFTERGLOW_BACKUP_KEY:" in UNITS["afterglow-restore@.service"]
    together = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))
    assert "restore.yaml" not in together["resources"]
    assert "[Install]" not in UNITS["afterglow-restore@.service"]


def test_a_container_a_pod_and_a_unit_start_the_same() -> None:
    composed = {one.command[1:3] for name, one in ours().items() if name != "mail"}
    in_pods = {tuple(pod["containers"][0]["args"][:2]) for pod in pods().values()}
    started = set(re.findall(r"^ExecStart=\S+/with-secrets (\S+) (\S+)", "\n".join(UNITS.values()), re.M))
    assert in_pods == composed
    # Where backups go is another place on a machine than in a container.
    backups = {("back-up", "/backups")}
    assert started - {("back-up", "/var/backups/afterglow")} == composed - backups


def test_a_container_and_a_pod_are_shown_the_same_secrets() -> None:
    for name, pod in pods().items():
        ours_only = {
            target for target in SERVICES[name].secrets if target.startswith(("AFTERGLOW_", "probe"))
        }
        assert ours_only - {"AFTERGLOW_METRICS_TOKEN"} == shown(pod).keys() - {"AFTERGLOW_METRICS_TOKEN"}, (
            name
        )


def test_a_unit_of_a_job_runner_is_shown_where_probes_go() -> None:
    """Its account may not enter the folder of secrets: named there, the file stopped every job runner."""
    unit = UNITS["afterglow-worker@.service"]
    assert "LoadCredential=probe.toml:/etc/afterglow/secrets/probe.toml" in unit
    assert f"Environment={PREFIX}PROBE=%d/probe.toml" in unit


def test_two_of_each_run_and_neither_is_root_nor_writes_on_its_own_disk() -> None:
    assert {name: one.replicas for name, one in SERVICES.items() if one.replicas > 1} == {
        "api": 2,
        "worker": 2,
    }
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
        assert pod["containers"][0]["resources"]["limits"]
    assert "\nUSER 10001:10001\n" in (DEPLOY / "Dockerfile").read_text("utf-8")


def test_no_service_of_the_cluster_passes_for_a_setting_of_ours() -> None:
    """Of each service it makes variables for every pod, and one that nobody knows stops a start."""
    services = [one["metadata"]["name"] for one in manifests() if one["kind"] == "Service"]
    made = [name.upper().replace("-", "_") for name in services]
    assert [name for name in made if name.startswith(PREFIX)], "nothing is made that could be mistaken"
    assert {name for name, pod in pods().items() if pod.get("enableServiceLinks", True)} == set()


def test_no_load_balancer_asks_whether_the_watch_is_alive() -> None:
    container = pods()["api"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/status"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert "/v1/status" in (DEPLOY / "healthy").read_text("utf-8")


def test_nobody_gets_past_the_proxy_and_the_api_reads_of_it_where_a_request_comes_from() -> None:
    said = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert {name for name, one in said.items() if "ports" in one} == {"nginx", "grafana"}
    # An engine hands IPv6 on from an address of its own: whoever guesses there makes all others wait.
    assert [port for one in said.values() for port in one.get("ports", ()) if not port.startswith(IPV4)] == []
    assert SERVICES["api"].environment["AFTERGLOW_TRUSTED_PROXIES"] == "1"
    assert "\nEnvironment=AFTERGLOW_TRUSTED_PROXIES=1\n" in UNITS["afterglow-api@.service"]
    assert {"name": "AFTERGLOW_TRUSTED_PROXIES", "value": "1"} in pods()["api"]["containers"][0]["env"]


def test_the_log_of_the_database_quotes_no_parameters() -> None:
    quiet = {"log_parameter_max_length=0", "log_parameter_max_length_on_error=0"}
    assert quiet <= set(SERVICES["db"].command)
    pooler = (DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text("utf-8")
    assert "SET log_parameter_max_length_on_error = 0" in pooler


def test_a_restart_comes_back_when_the_process_works() -> None:
    for name in ("afterglow-api@.service", "afterglow-worker@.service"):
        assert "\nType=notify\n" in UNITS[name]


def test_a_restart_of_the_database_is_over_when_it_is() -> None:
    settings = ConfigParser()
    settings.read(DEPLOY / "pgbouncer" / "pgbouncer.ini", "utf-8")
    assert settings["pgbouncer"].getint("server_login_retry") <= 2


def test_images_of_others_are_pinned_by_their_version() -> None:
    others = {one.image for one in SERVICES.values()} - {one.image for one in ours().values()}
    assert {
        image for image in others if not re.search(r":v?\d+[\w.-]*$|^afterglow-pgbouncer:", image)
    } == set()


def test_whoever_goes_through_the_pooler_is_told_of_it_and_it_need_not_be_a_new_one() -> None:
    settings = ConfigParser()
    settings.read(DEPLOY / "pgbouncer" / "pgbouncer.ini", "utf-8")
    assert settings["pgbouncer"]["pool_mode"] == "transaction"
    assert "max_prepared_statements" not in settings["pgbouncer"]  # the distribution's does not know it
    told = [one.environment["AFTERGLOW_DATABASE_POOLER"] for name, one in ours().items() if name != "mail"]
    assert set(told) == {"transaction"}


def test_an_upgrade_or_a_database_that_comes_up_late_stops_nobody_on_a_machine_with_systemd() -> None:
    for name in ("afterglow-api@.service", "afterglow-worker@.service"):
        assert "Requires=" not in UNITS[name]
        assert re.search(r"^Wants=.*\bafterglow-migrate.service$", UNITS[name], re.MULTILINE)
        assert re.search(r"^After=.*\bafterglow-migrate.service\b", UNITS[name], re.MULTILINE)
    assert "\nRestart=on-failure\n" in UNITS["afterglow-migrate.service"]


def test_the_compose_file_hands_on_what_the_outside_needs_to_notice_a_silent_watch() -> None:
    assert {"AFTERGLOW_HEARTBEAT_URL", "AFTERGLOW_PROBE"} <= SERVICES["worker"].environment.keys()
    assert {"AFTERGLOW_SMS_URL", "AFTERGLOW_VAPID_KEY"} <= SERVICES["worker"].secrets.keys()


def test_the_image_s_lock_holds_what_the_service_needs_in_the_suite_s_versions() -> None:
    run, suite = pins("requirements-run.lock"), pins("requirements.lock")
    assert run.items() <= suite.items()
    needed = ConfigParser()
    needed.read(ROOT / "setup.cfg", "utf-8")
    lines = needed["options"]["install_requires"].split()
    assert {re.split(r"[\[<>=;]", line)[0] for line in lines} <= run.keys()
    assert "pytest" not in run


def test_without_its_tool_no_secret_is_left_empty(tmp_path: Path) -> None:
    """What is there stays: empty ones would stay for ever."""
    for tool in ("sh", "mkdir", "chmod", "cat", "dirname", "tr"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or pytest.skip(f"{tool} is not installed"))
    words = ["sh", DEPLOY / "make-secrets", tmp_path / "secrets"]
    said = subprocess.run(words, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (1, "make-secrets needs openssl\n")
    assert not (tmp_path / "secrets").exists()


def test_a_command_on_a_machine_with_systemd_gets_what_the_units_get(tmp_path: Path) -> None:
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may become another account")
    subprocess.run([DEPLOY / "make-secrets", tmp_path / "secrets"], check=True)
    said = ["AFTERGLOW_MAIL_FROM=Afterglow <afterglow@afterglow.example>", 'AFTERGLOW_LOG="json"', "# & none"]
    said += ["AFTERGLOW_HEARTBEAT_URL=https://monitor.example/ping?a=1&b=$2", "", "a word"]
    said += [" AFTERGLOW_DATA_DIR=/var/lib/here \t", "http_proxy=http://proxy.example", "AFTERGLOW_PORT=8000"]
    (tmp_path / "environment").write_text("\n".join(said), "utf-8")
    given = {**os.environ, "SETTINGS_DIRECTORY": str(tmp_path), "ACCOUNT": "nobody"}
    words = [DEPLOY / "as-service", "sh", "-c", "id -un; env"]
    lines = subprocess.run(words, env=given, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "nobody"
    assert {line.replace('"', "").strip() for line in said if "=" in line} <= set(lines)
    for name, file in (("DATABASE_URL", "direct-url"), ("MASTER_KEY", "AFTERGLOW_MASTER_KEY")):
        assert f"AFTERGLOW_{name}={(tmp_path / 'secrets' / file).read_text('utf-8')}" in lines
