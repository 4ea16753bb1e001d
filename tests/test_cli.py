"""The command `afterglow`: real processes on loopback; one clear line for what a person can cause."""

import mailbox
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import token_urlsafe
from urllib.request import urlopen
from uuid import UUID

import click
import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.clinical.vocabulary import AlertClass, AlertFamily, Role
from server.database import Database
from server.isolation import Extent
from server.models import Clinic, Invitation
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.people.secrets import fingerprint
from server.services.work import Work, system
from server.settings import Settings, master_keys, new_master_key
from tests.ports import free_port
from tests.source import read_yaml

Environment = Mapping[str, str]
ROOT = Path(__file__).parents[1]
NEW_CLINIC = {"--slug": "harbour", "--name": "Harbour", "--zone": "Europe/Oslo", "--country": "NO"}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A fresh data folder and a free port."""
    return {"AFTERGLOW_DATA_DIR": str(tmp_path / "var"), "AFTERGLOW_PORT": str(free_port())}


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `afterglow migrate` leaves behind, once for all tests that only need it to be there."""
    folder = tmp_path_factory.mktemp("migrated")
    assert afterglow({"AFTERGLOW_DATA_DIR": str(folder)}, "migrate").exit_code == 0
    return folder


@pytest.fixture
def migrated(environment: Environment, migrated_file: Path) -> Environment:
    """A data folder of its own with a migrated database in it."""
    shutil.copytree(migrated_file, environment["AFTERGLOW_DATA_DIR"])
    return environment


def afterglow(environment: Environment, *arguments: str) -> Result:
    """Run a command that ends by itself."""
    clean = {name: None for name in os.environ if name.startswith("AFTERGLOW_")}
    return CliRunner(env={**clean, **environment}).invoke(main, arguments)


def refusal(environment: Environment, *arguments: str) -> str:
    """Return the one line a command says before it exits with an error."""
    result = afterglow(environment, *arguments)
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


def add_clinic(**changes: str) -> tuple[str, ...]:
    options = {
        **NEW_CLINIC,
        "--admin": "Eli",
        "--admin-email": "eli@clinic.example",
        **{f"--{name}": value for name, value in changes.items()},
    }
    return ("clinic-add", *(part for option in options.items() for part in option))


@contextmanager
def running(environment: Environment, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a process of its own; it is ended at the end whatever happened."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AFTERGLOW_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=15)


def answers(environment: Environment) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{environment['AFTERGLOW_PORT']}/v1/status", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(what: str, environment: Environment, folder: Path | None = None) -> None:
    """Wait until the API answers, or until ``folder`` is there."""
    deadline = time.monotonic() + 20
    while not (folder.exists() if folder else answers(environment)):
        assert time.monotonic() < deadline, f"{what} did not start"
        time.sleep(0.05)


def banner(process: subprocess.Popen[str]) -> str:
    """Read what `up` prints until it is ready; it gives up by itself when it never is."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, timeout=5, check=False)
    return [int(line) for line in found.stdout.split()]


def command_line(pid: int) -> str:
    asked = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


needs_pgrep = pytest.mark.skipif(shutil.which("pgrep") is None, reason="no pgrep to find child processes")


@needs_pgrep
def test_up_starts_both_processes_and_ctrl_c_ends_everything(environment: Environment) -> None:
    with running(environment, "up") as process:
        shown = banner(process)
        assert answers(environment)
        wait_for("the job runner", environment, Path(environment["AFTERGLOW_DATA_DIR"]) / "mailbox" / "new")
        pair = children(process.pid)
        everybody = [*pair, *(pid for child in pair for pid in children(child))]
        assert all("--child" in command_line(pid) for pid in pair)
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        output, _ = process.communicate(timeout=15)
    assert (process.returncode, len(pair)) == (0, 2)
    assert time.monotonic() - stopped < 10
    assert not [pid for pid in everybody if is_alive(pid)]
    assert not answers(environment)
    assert f"http://127.0.0.1:{environment['AFTERGLOW_PORT']}/docs" in shown
    assert "a Maildir" in shown
    assert "Traceback" not in shown + output


def test_up_goes_on_when_the_terminal_closes_of_who_wants_that(migrated: Environment) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does; what is started inherits it
    try:
        with running(migrated, "up") as process:
            banner(process)
            process.send_signal(signal.SIGHUP)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.5)
            assert answers(migrated)
    finally:
        signal.signal(signal.SIGHUP, before)


@needs_pgrep
def test_up_ends_with_an_error_when_one_of_the_two_dies(environment: Environment) -> None:
    with running(environment, "up") as process:
        banner(process)
        pair = children(process.pid)
        everybody = [*pair, *(pid for child in pair for pid in children(child))]
        os.kill(max(pair), signal.SIGKILL)
        output, _ = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "ended by itself; everything is stopped." in output
    assert not [pid for pid in everybody if is_alive(pid)]


@needs_pgrep
def test_a_child_ends_when_its_parent_was_killed_and_said_nothing(migrated: Environment) -> None:
    start = "subprocess.Popen([sys.executable, '-m', 'server.cli', 'work', '--child', str(os.getpid())])"
    code = f"import os, subprocess, sys, time; {start}; time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **migrated})
    wait_for("the job runner", migrated, Path(migrated["AFTERGLOW_DATA_DIR"]) / "mailbox" / "new")
    (child,) = children(parent.pid)
    parent.kill()
    parent.wait(5)
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


@needs_pgrep
def test_children_end_also_when_their_parent_was_killed_before_they_could_look(migrated: Environment) -> None:
    """Left alone they kept the port for ever, and nothing could be started anew."""
    with running(migrated, "up") as process:
        deadline = time.monotonic() + 20
        while len(pair := children(process.pid)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        process.wait(5)
        while (left := [pid for pid in pair if is_alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert left == []


def test_processes_that_share_out_the_work_end_with_the_one_that_was_told_to_stop() -> None:
    command = [sys.executable, "-m", "server.cli", "watch-report", "--simulator", "400"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"diaries: 80 of 800\n"
        process.terminate()
        try:
            # The pipe is at its end when the last of those who can write into it has ended.
            process.communicate(timeout=15)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_serve_and_work_end_cleanly_on_the_signal_of_a_service_manager(migrated: Environment) -> None:
    with running(migrated, "serve") as api, running(migrated, "work") as jobs:
        wait_for("the API", migrated)
        wait_for("the job runner", migrated, Path(migrated["AFTERGLOW_DATA_DIR"]) / "mailbox" / "new")
        time.sleep(0.2)
        for process in (api, jobs):
            process.send_signal(signal.SIGTERM)
        endings = [process.communicate(timeout=15)[0] for process in (api, jobs)]
    assert (api.returncode, jobs.returncode) == (0, 0)
    assert not [ending for ending in endings if "Traceback" in ending]


@pytest.mark.parametrize("command", ["serve", "work"])
@pytest.mark.parametrize("is_file", [True, False])
def test_a_service_manager_hears_when_it_works(
    migrated: Environment, tmp_path: Path, command: str, is_file: bool
) -> None:
    name = str(tmp_path / "notify") if is_file else f"@afterglow-{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name if is_file else f"\0{name[1:]}")
        manager.settimeout(20)
        with running({**migrated, "NOTIFY_SOCKET": name}, command) as process:
            assert manager.recv(100) == b"READY=1"
            assert process.poll() is None
            if command == "serve":
                assert answers(migrated), "who is told that it works may ask at once"


def test_migrate_says_when_it_is_needed_and_does_it_once(environment: Environment) -> None:
    folder = Path(environment["AFTERGLOW_DATA_DIR"])
    folder.mkdir()
    (folder / "afterglow.db").touch()
    said = refusal(environment, "migrate", "--check")
    assert said.startswith("The database is behind. It lacks 0001_first_tables, 0002_rota, ")
    assert said.endswith(". Run: afterglow migrate")
    assert afterglow(environment, "migrate").stdout == "The database is migrated.\n"
    assert afterglow(environment, "migrate").stdout == "The database is up to date.\n"
    assert afterglow(environment, "migrate", "--check").exit_code == 0


@pytest.mark.parametrize("command", [("serve",), ("work",), add_clinic()])
def test_nothing_starts_on_a_database_that_is_not_migrated(
    environment: Environment, command: tuple[str, ...]
) -> None:
    folder = Path(environment["AFTERGLOW_DATA_DIR"])
    folder.mkdir()
    (folder / "afterglow.db").touch()
    assert refusal(environment, *command) == "The database is not migrated. Run: afterglow migrate"


@pytest.mark.parametrize(
    "command",
    [
        *(("status",), ("serve",), ("audit", "verify"), ("demo",), ("migrate", "--check"), add_clinic()),
        ("sms-address",),
    ],
)
def test_a_command_in_another_folder_names_the_one_it_looked_in_and_makes_nothing_there(
    environment: Environment, command: tuple[str, ...]
) -> None:
    """Told to migrate, one had two databases, and an empty one of them was well."""
    folder = environment["AFTERGLOW_DATA_DIR"]
    said = refusal(environment, *command)
    assert said.startswith(f"There is no database in {folder}.")
    assert "AFTERGLOW_DATA_DIR" in said
    assert not Path(folder).exists()


def test_a_port_in_use_is_said_before_anything_starts(migrated: Environment) -> None:
    with socket.create_server(("127.0.0.1", int(migrated["AFTERGLOW_PORT"]))):
        for command in ("serve", "up"):
            said = refusal(migrated, command)
            assert "Address already in use. AFTERGLOW_HOST and AFTERGLOW_PORT set another place." in said


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "many", "AFTERGLOW_PORT must be a whole number"),
        ("PORT", "70000", "AFTERGLOW_PORT must be 1-65535"),
        ("HOST", "no.such.host.invalid", "can't listen"),
        ("COLOUR", "red", "AFTERGLOW_COLOUR is not a setting"),
        ("CRISIS_LINES", "nowhere.toml", "AFTERGLOW_CRISIS_LINES can't be read as a file of text"),
        ("DATABASE_URL", "nonsense", "AFTERGLOW_DATABASE_URL must be an address"),
        ("DATABASE_URL", "oracle+nothing://x:secret@y/z", "AFTERGLOW_DATABASE_URL can't be used"),
        ("DATABASE_URL", "postgresql+psycopg://x:secret@127.0.0.1:9/z", "The database can't be reached"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_clear_line(
    environment: Environment, variable: str, value: str, said: str
) -> None:
    line = refusal({**environment, f"AFTERGLOW_{variable}": value}, "up")
    assert said in line
    assert "secret" not in line


def test_what_needs_no_database_says_too_what_a_setting_lacks_in_one_clear_line(
    environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "key").touch()
    of_key = {**environment, "AFTERGLOW_JWT_KEY_FILE": str(tmp_path / "key")}
    assert refusal(of_key, "sms-address").startswith("AFTERGLOW_JWT_KEY_FILE must be one key or two")
    of_lines = {**environment, "AFTERGLOW_CRISIS_LINES": str(tmp_path / "nowhere.toml")}
    assert refusal(of_lines, "openapi") == "AFTERGLOW_CRISIS_LINES can't be read as a file of text"


def test_a_data_folder_that_is_a_file_is_one_clear_line(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    assert "File exists" in refusal(environment, "migrate")


def test_a_mail_server_address_that_cannot_be_used_is_one_clear_line(migrated: Environment) -> None:
    line = refusal({**migrated, "AFTERGLOW_SMTP_URL": "smtp://:secret@"}, "work")
    assert line.startswith("AFTERGLOW_SMTP_URL must be ")
    assert "secret" not in line


def test_a_new_clinic_gives_a_code_its_administrator_can_enrol_with(migrated: Environment) -> None:
    result = afterglow(migrated, *add_clinic(**{"day-start": "5"}))
    assert result.exit_code == 0, result.output
    code = result.stdout.splitlines()[1].split()[-1]
    database = Database(f"sqlite:///{migrated['AFTERGLOW_DATA_DIR']}/afterglow.db")
    with database.read(Extent.ALL) as session:
        invitation = session.query(Invitation).one()
        assert session.query(Clinic).one().day_start == 5
    database.close()
    assert (invitation.code_hash, invitation.name, invitation.role) == (
        fingerprint(code),
        "Eli",
        "clinic_admin",
    )


def test_a_terminal_without_the_letters_of_a_name_is_told_the_code_all_the_same(
    migrated: Environment,
) -> None:
    known = {**migrated, "PYTHONIOENCODING": "latin-1"}
    with running(known, *add_clinic(admin="\u017baneta")) as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Invitation code of \\u017baneta (valid 72 hours, shown only now): " in said
    with running(known, "openapi") as process:
        contract, _ = process.communicate(timeout=30)
    assert contract == (ROOT / "openapi.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("zone", "Europe/Nowhere", "no time zone 'Europe/Nowhere'"),
        ("zone", "localtime", "no time zone 'localtime'"),
        ("slug", "Not A Slug", "The short name must be"),
        ("slug", "operations", "That short name is the service's own"),
        ("country", "Norway", "The country must be"),
        ("name", " ", "A name has"),
        ("admin", "x" * 201, "A name has"),
    ],
)
def test_a_new_clinic_is_refused_by_the_part_that_is_wrong(
    migrated: Environment, option: str, value: str, said: str
) -> None:
    assert said in refusal(migrated, *add_clinic(**{option: value}))


def test_a_short_name_is_given_once(migrated: Environment) -> None:
    afterglow(migrated, *add_clinic())
    assert "already" in refusal(migrated, *add_clinic())


def test_a_master_key_that_is_not_the_database_s_is_one_clear_line(migrated: Environment) -> None:
    afterglow(migrated, *add_clinic())
    other = {**migrated, "AFTERGLOW_MASTER_KEY": new_master_key()}
    assert refusal(other, "serve") == "AFTERGLOW_MASTER_KEY does not open this database."


@pytest.mark.parametrize("key", ["short", "c2hvcnQ=", f"{'A' * 43}=,", "Slept better."])
def test_a_master_key_that_is_none_is_refused_without_showing_it(environment: Environment, key: str) -> None:
    line = refusal({**environment, "AFTERGLOW_MASTER_KEY": key}, "migrate")
    assert line == "AFTERGLOW_MASTER_KEY must be base64 of 32 bytes"


def test_a_damaged_key_file_is_refused_and_left_as_it_is(migrated: Environment) -> None:
    file = Path(migrated["AFTERGLOW_DATA_DIR"]) / "master.key"
    file.write_text("half a k")
    assert refusal(migrated, "serve") == "AFTERGLOW_MASTER_KEY must be base64 of 32 bytes"
    assert file.read_text() == "half a k"


def test_a_master_key_that_is_gone_is_not_made_anew_beside_its_database(migrated: Environment) -> None:
    file = Path(migrated["AFTERGLOW_DATA_DIR"]) / "master.key"
    key = file.read_text()
    file.unlink()
    for command in (("serve",), ("work",), ("up",), ("migrate",), ("status",), add_clinic()):
        free = {**migrated, "AFTERGLOW_PORT": str(free_port())}
        assert f"{file} is gone, and afterglow.db is there" in refusal(free, *command), command
        assert not file.exists(), command
    assert afterglow({**migrated, "AFTERGLOW_MASTER_KEY": key}, "migrate").exit_code == 0


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_service_does_not_start_on_a_database_that_it_can_not_write(
    migrated: Environment, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(migrated["AFTERGLOW_DATA_DIR"]) / "afterglow.db"
    # To root, who runs many a suite, every file is open: what the system says of others is said here.
    monkeypatch.setattr("os.access", lambda path, mode: (path, mode) != (file, os.W_OK))
    assert refusal(migrated, command).startswith(f"{file} can't be written here")


def test_production_starts_with_a_master_key_of_its_own_only(environment: Environment) -> None:
    production = {
        **environment,
        "AFTERGLOW_ENVIRONMENT": "production",
        "AFTERGLOW_JWT_KEY": "k" * 32,
        "AFTERGLOW_SMTP_URL": "smtp://mail.example",
        "AFTERGLOW_PUBLIC_URL": "https://afterglow.example",
        "AFTERGLOW_PASSWORD_COST": "standard",
    }
    assert refusal(production, "migrate") == "AFTERGLOW_MASTER_KEY must be set in production"


def test_debugging_in_production_is_one_clear_line(
    migrated: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert refusal({**migrated, **in_production()}, "serve") == "FLASK_DEBUG must not be set in production"


def test_what_only_the_api_s_own_process_refuses_is_no_traceback(
    migrated: Environment, tmp_path: Path
) -> None:
    # As where a key's file is changed between the check and the start.
    environment = {**os.environ, **migrated, **in_production(), "FLASK_DEBUG": "1"}
    code = "from server.serve import application; application()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Error: FLASK_DEBUG must not be set in production\n")


def in_production() -> Environment:
    return {
        "AFTERGLOW_ENVIRONMENT": "production",
        "AFTERGLOW_JWT_KEY": token_urlsafe(48),
        "AFTERGLOW_MASTER_KEY": new_master_key(),
        "AFTERGLOW_SMTP_URL": "smtp://mail.example",
        "AFTERGLOW_PUBLIC_URL": "https://afterglow.example",
        "AFTERGLOW_OPERATIONS_EMAIL": "ops@hosting.example",
    }


def test_the_contract_is_printed_without_touching_anything(environment: Environment) -> None:
    result = afterglow(environment, "openapi")
    assert read_yaml(result.stdout)["openapi"] == "3.1.0"
    assert not Path(environment["AFTERGLOW_DATA_DIR"]).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fly",), "No such command 'fly'. See: afterglow --help"),
        (("--wings",), "No such option '--wings'. See: afterglow --help"),
        (("simulate", "--patients", "many"), "Invalid value for '--patients'"),
        (("clinic-add",), "Missing option '--slug'"),
        (
            ("erasures", "erase", "--clinic", "a", "--patient", str(UUID(int=1))),
            "Missing option '--reason'. Choose from: patient_asked, mistake See: afterglow erasures erase",
        ),
        (("serve", "now"), "Got unexpected extra argument (now) See: afterglow serve --help"),
        # A terminal with another encoding: bytes that are no UTF-8 come as such characters.
        (
            ("simulate", "--patients", "9", "--days", "60", "--seed", "1", "--clinic", "b\udcfcrg"),
            "Invalid value for '--clinic': It is not UTF-8 text. See: afterglow simulate --help",
        ),
        (("keys", "smart", "\udcff"), "Invalid value for 'KID': It is not UTF-8 text."),
    ],
)
def test_a_wrong_option_is_one_line(environment: Environment, arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner(env=dict(environment)).invoke(main, arguments, prog_name="afterglow")
    (line,) = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in line


@pytest.mark.parametrize("arguments", [("openapi",), ("status", "--json"), ("status", "--help")])
def test_who_reads_the_first_lines_only_hears_of_no_broken_pipe(
    migrated: Environment, arguments: tuple[str, ...]
) -> None:
    assert unread(migrated, *arguments) == (1, "")


def test_a_command_that_may_be_half_done_says_so_where_nobody_reads_it(migrated: Environment) -> None:
    code, said = unread(migrated, *add_clinic())
    assert (code, said.startswith("Error: Nobody reads what it says any more.")) == (1, True)


def unread(environment: Environment, *arguments: str) -> tuple[int, str]:
    """Run a command into a pipe that nobody reads; return its exit code and what it says besides."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("group", ["keys", "erasures", "audit"])
def test_a_group_without_a_command_shows_its_help(environment: Environment, group: str) -> None:
    result = CliRunner(env=dict(environment)).invoke(main, [group], prog_name="afterglow")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Usage: afterglow {group} [OPTIONS] COMMAND")
    assert "See: " not in result.stderr


def test_every_command_and_option_explains_itself() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.help, name
        options = (option for option in command.params if isinstance(option, click.Option))
        described = [option.help for option in options]
        assert all(described), name


def test_an_alert_in_the_database_reaches_the_local_mailbox(migrated: Environment) -> None:
    data = Path(migrated["AFTERGLOW_DATA_DIR"])
    alert_id = _alert_waiting(Settings(data_dir=data))
    with running(migrated, "work"):
        wait_for("the job runner", migrated, data / "mailbox" / "new")
        deadline = time.monotonic() + 15
        # Another one is the probe, which goes to operations at the same time.
        while len(list((data / "mailbox" / "new").iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    (message,) = (one for one in mailbox.Maildir(data / "mailbox") if one["To"] != "afterglow@localhost")
    assert (message["To"], message["Subject"]) == ("bo@clinic.example", "URGENT: a patient may be in danger")
    text = message.get_payload()
    assert f"/v1/alerts/{alert_id}" in text
    assert "Ana" not in text
    assert "breathing" not in text


def _alert_waiting(settings: Settings) -> UUID:
    """Write a clinic with Bo, Ana and a finding of hers; return the id of its alert."""
    database = Database(settings.sqlalchemy_url, master_keys(settings))
    with database.write() as session:
        work = Work(session, datetime.now(UTC), system(clinics.new_clinic_id()))
        clinics.create(work, slug="demo", name="Demo", zone="Europe/Oslo", country="NO")
        bo = NewAccount(Role.CLINICIAN, "Bo", "bo@clinic.example", "correct horse battery")
        accounts.create(work, bo, Passwords("cheap"))
        ana = patients.create(work, {"name": "Ana", "zone": "Europe/Oslo"})
        found = Finding(
            AlertFamily.SIDE_EFFECT, AlertClass.P0, date(2026, 3, 2), ("breathing_trouble",), "Ana"
        )
        alert = episodes.raise_alert(work, ana, found)
        assert alert is not None
    database.close()
    return alert.id
