"""GNU Health 5, a real one in an environment of its own (`make peers`), on loopback, and staff who use it."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.source import ROOT

HOME = ROOT / ".peers" / "gnuhealth"
# Making a database takes half a minute, so it is made once; every run has a copy.
MADE = HOME / "made.sqlite"
DATABASE = "gnuhealth"
ADMIN, ADMIN_PASSWORD = "admin", "secret-of-the-clinic"
USER, PASSWORD = "afterglow", "secret-of-afterglow"
PUID = "ANA123ANA"
LONGEST_START = 30.0
LONGEST_MAKING = 300.0

CONFIGURATION = """
[database]
uri = sqlite://
path = {folder}

[web]
listen = 127.0.0.1:{port}
"""


def is_here() -> bool:
    """Return whether it is installed and its database is made."""
    return MADE.exists()


@dataclass
class GnuHealth:
    """A running server, seen by the clinic's admin: asked over its own protocol, past our adapter."""

    port: int
    patient: int = 0
    provider: int = 0
    institution: int = 0
    _session: str = field(default="", repr=False)

    def sign_in(self) -> None:
        """Sign the admin in."""
        number, key = self._ask("common.db.login", ADMIN, {"password": ADMIN_PASSWORD})
        self._session = base64.b64encode(f"{ADMIN}:{number}:{key}".encode()).decode()

    def ask(self, model: str, method: str, *args: Any) -> Any:
        """Call a model's method."""
        return self._ask(f"model.{model}.{method}", *args, {})

    def appointments(self, text: str) -> list[dict[str, Any]]:
        """Return the appointments whose comments hold ``text``."""
        fields = ["state", "comments", "appointment_date", "name", "patient", "healthprof", "institution"]
        fields += ["urgency", "appointment_type", "visit_type"]
        wanted = [["comments", "like", f"%{text}%"]]
        found: list[dict[str, Any]] = self.ask(
            "gnuhealth.appointment", "search_read", wanted, 0, None, None, fields
        )
        return found

    def change(self, external_id: str | None, **values: Any) -> None:
        """Change an appointment as staff do."""
        self.ask("gnuhealth.appointment", "write", [int(external_id or 0)], values)

    def end(self, session: str) -> None:
        """Sign a session out, whoever's it is."""
        own, self._session = self._session, session
        self._ask("common.db.logout")
        self._session = own

    def settle_in(self) -> None:
        """Make a patient, a health professional, and a user at the front desk for us."""
        self.sign_in()
        ana = self._person("Ana", PUID, is_patient=True)
        bo = self._person("Bo", "BOO456BOO", is_healthprof=True)
        (self.patient,) = self.ask("gnuhealth.patient", "create", [{"party": ana}])
        (self.provider,) = self.ask("gnuhealth.healthprofessional", "create", [{"party": bo}])
        house = self._person("Practice", "PRA789CTI", is_institution=True, is_person=False)
        values = {"party": house, "code": "PRACTICE", "institution_type": "clinic", "public_level": "private"}
        (self.institution,) = self.ask("gnuhealth.institution", "create", [values])
        desk = self.ask("res.group", "search", [["name", "=", "Health Front Desk"]], 0, None, None)
        user = {"name": "Afterglow", "login": USER, "password": PASSWORD, "groups": [["add", desk]]}
        self.ask("res.user", "create", [user])

    def _person(self, name: str, puid: str, **kinds: bool) -> int:
        person = {"name": name, "ref": puid, "is_person": True, "gender": "f", "fed_country": "NOR", **kinds}
        (made,) = self.ask("party.party", "create", [person])
        return int(made)

    def _ask(self, method: str, *params: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        try:
            body = json.dumps({"id": 1, "method": method, "params": params})
            connection.request("POST", f"/{DATABASE}/", body, headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert "error" not in answer, answer
        return answer["result"]


@contextmanager
def running(folder: Path) -> Iterator[GnuHealth]:
    """Run it on a copy of the database, with a patient in it."""
    shutil.copyfile(MADE, folder / f"{DATABASE}.sqlite")
    clinic = GnuHealth(free_port())
    command = [*_program("trytond"), *_configured(folder, clinic.port), "-d", DATABASE]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_until_up(clinic)
            clinic.settle_in()
            yield clinic
        finally:
            process.kill()  # the database is a copy
            process.wait(5)


def make() -> None:
    """Make the database that the runs copy."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text(ADMIN_PASSWORD)
        (folder / f"{DATABASE}.sqlite").touch()
        wanted = ["-d", DATABASE, "-u", "health", "--activate-dependencies", "-p"]
        command = [
            *_program("trytond-admin"),
            *_configured(folder, 0),
            *wanted,
            "--email",
            "a@clinic.example",
        ]
        environment = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
        subprocess.run(command, check=True, env=environment, timeout=LONGEST_MAKING)
        shutil.copyfile(folder / f"{DATABASE}.sqlite", MADE.with_suffix(".new"))
        MADE.with_suffix(".new").replace(MADE)


def _program(name: str) -> list[str]:
    return [str(HOME / "bin" / "python"), str(HOME / "bin" / name)]


def _configured(folder: Path, port: int) -> list[str]:
    configuration = folder / "trytond.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    return ["-c", str(configuration)]


def _wait_until_up(clinic: GnuHealth) -> None:
    end = time.monotonic() + LONGEST_START
    while time.monotonic() < end:
        try:
            clinic.sign_in()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("GNU Health did not start")


if __name__ == "__main__":
    make()
    sys.stdout.write(f"made {MADE.relative_to(ROOT)}\n")
