"""What lies in `deploy/` is what the programs that read it will take: each format has its own judge."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.rehearsal import proxy
from deploy.rehearsal.place import Place
from deploy.rehearsal.plan import read
from tests.source import ROOT

DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
MANIFESTS = sorted(file for file in (DEPLOY / "kubernetes").glob("*.yaml") if file.stem != "kustomization")
SCRIPTS = [
    *(DEPLOY / name for name in ("with-secrets", "back-up", "make-secrets", "as-service", "upgrade")),
    DEPLOY / "postgresql/roles.sh",
]
# systemd's own measure, from 0 to 10: below 2 it smiles.
LEAST_EXPOSED = 2.0


def judged(*words: object, env: dict[str, str] | None = None) -> str:
    """Run a judge and return what it said; the test fails where it finds something."""
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, env=env, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ours(name: str) -> Path:
    """Return a judge that came with the extra `test`; the test skips where this platform has none."""
    program = PROGRAMS / name
    if not program.exists():
        pytest.skip(f"{name} is not installed")
    return program


def installed(name: str) -> str:
    """Return a judge that the machine has, or skip."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def test_yaml_is_tidy() -> None:
    judged(ours("yamllint"), "--strict", "--config-file", DEPLOY / ".yamllint.yaml", DEPLOY)


def test_the_compose_file_follows_its_specification() -> None:
    check = ours("check-jsonschema")
    judged(check, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_the_manifests_are_kubernetes_s(version: str) -> None:
    judged(ours("kubernetes-validate"), "--strict", "--kubernetes-version", version, *MANIFESTS)


def test_the_manifests_join() -> None:
    made = judged(installed("kubectl"), "kustomize", DEPLOY / "kubernetes")
    assert made.count("namespace: afterglow") >= len(MANIFESTS)
    assert "image: afterglow\n" not in made


def test_the_container_files_follow_good_practice() -> None:
    judged(ours("hadolint"), DEPLOY / "Dockerfile", DEPLOY / "pgbouncer" / "Dockerfile")


def test_the_scripts_hold_what_a_shell_can_trip_over() -> None:
    judged(ours("shellcheck"), *SCRIPTS)


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units as on a machine: instances of the templates, and the programs where they are said to be."""
    program = tmp_path / "bin/with-secrets"  # a unit would split the path of a clone at its blanks
    program.parent.mkdir()
    program.symlink_to(SCRIPTS[0])
    for source in (DEPLOY / "systemd").rglob("*.*"):
        if source.is_file():
            name = source.relative_to(DEPLOY / "systemd").as_posix()
            target = tmp_path / name.replace("api@", "api@8000").replace("worker@", "worker@1").replace(
                "restore@", "restore@x"
            )
            target.parent.mkdir(exist_ok=True)
            text = source.read_text("utf-8").replace("/opt/afterglow/deploy/with-secrets", str(program))
            target.write_text(text, "utf-8")
    return [file for file in tmp_path.iterdir() if file.is_file()]


def test_the_units_hold_nothing_that_systemd_does_not_know(units: list[Path]) -> None:
    where = {"SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    judged(installed("systemd-analyze"), "verify", "--man=no", "--recursive-errors=yes", *units, env=where)


def test_the_units_can_do_little_else_than_their_work(units: list[Path]) -> None:
    services = [file for file in units if file.suffix == ".service"]
    where = {"SYSTEMD_UNIT_PATH": f"{units[0].parent}:"}
    words = ("security", "--offline=yes", "--no-pager", *[file.name for file in services])
    said = judged(installed("systemd-analyze"), *words, env=where)
    levels = [float(level) for level in re.findall(r"exposure level for \S+: ([\d.]+)", said)]
    assert len(levels) == len(services) == 5
    assert max(levels) < LEAST_EXPOSED


def test_what_the_guide_enables_comes_back_when_the_machine_starts_again(tmp_path: Path) -> None:
    where = tmp_path / "etc/systemd/system"
    shutil.copytree(DEPLOY / "systemd", where)
    guide = (ROOT / "docs/deploying.md").read_text("utf-8")
    (enabled,) = re.findall("^systemctl enable --now (.+)$", guide, re.MULTILINE)
    judged(installed("systemctl"), f"--root={tmp_path}", "enable", *enabled.split())
    wanted = ["multi-user.target", "timers.target"]  # what a machine starts by itself
    for target in wanted:
        wanted += [one.name for one in (where / f"{target}.wants").glob("*")]
    services = {f"afterglow-{name}.service" for name in ("api@8000", "api@8001", "worker@1", "worker@2")}
    assert {*services, "afterglow-backup.timer"} <= set(wanted)


def test_prometheus_takes_its_settings_and_its_rules(tmp_path: Path) -> None:
    program, token = installed("promtool"), tmp_path / "token"
    token.write_text("a token", "utf-8")
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus")
    settings = tmp_path / "prometheus" / "prometheus.yml"
    text = settings.read_text("utf-8").replace("/run/secrets/AFTERGLOW_METRICS_TOKEN", str(token))
    settings.write_text(text, "utf-8")
    judged(program, "check", "config", settings)


def test_the_alarms_ring_when_they_should_and_only_then() -> None:
    judged(installed("promtool"), "test", "rules", ROOT / "tests" / "deploy" / "alarms.yml")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with secrets, where nginx finds its settings as they are here."""
    installed("openssl")
    if (why := proxy.why_none()) is not None:
        pytest.skip(why)
    return Place(tmp_path, read({}))


def test_nginx_takes_its_settings_in_a_container(place: Place) -> None:
    judged(proxy.program(), "-t", "-q", "-c", proxy.settle(place))


def test_nginx_takes_its_settings_on_a_machine(place: Place) -> None:
    folder = proxy.settle(place).parent
    machine = folder / "machine.conf"
    text = machine.read_text("utf-8").replace("/etc/afterglow/secrets", str(place.secrets))
    machine.write_text(text, "utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{kind}_temp_path {place.folder}/{kind};" for kind in kinds)
    whole = f"{paths} include {machine}; include {folder}/afterglow.conf;"
    main = folder / "nginx.conf"
    main.write_text(f"pid {place.folder}/nginx.pid; events {{}} http {{ {whole} }}", "utf-8")
    judged(proxy.program(), "-t", "-q", "-c", main)
