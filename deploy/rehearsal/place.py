"""Where a container's paths, addresses and secrets lie on this machine."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.rehearsal.plan import DEPLOY, Service

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"
_SECRETS = "/run/secrets"
_DATA = "/var/lib/afterglow"


@dataclass
class Place:
    """A folder, with the secrets in it, and the loopback ports that stand for the services' own.

    ``ports``: of each service one a replica.
    """

    folder: Path
    services: Mapping[str, Service]
    ports: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.chmod(0o755)  # the database runs under an account of its own
        for name, service in self.services.items():
            if service.port is not None:
                self.ports[name] = [_free_port() for _ in range(service.replicas)]
        subprocess.run([DEPLOY / "make-secrets", self.secrets], check=True)

    @property
    def secrets(self) -> Path:
        """Where the secrets lie, as `deploy/make-secrets` makes them."""
        return self.folder / "secrets"

    @property
    def unwritten(self) -> Path:
        """The data folder of who has none: a container's own disk is read-only, so nobody may make it."""
        return self.folder / "unwritten"

    def secret(self, name: str) -> str:
        """Return a secret, with the addresses in it as they are here."""
        return self.reachable((self.secrets / name).read_text("utf-8"))

    def handed(self, service: Service, number: int) -> Path:
        """Return the folder of the secrets that one replica of ``service`` is handed."""
        folder = self.folder / "run" / f"{service.name}-{number}"
        if folder.exists():
            return folder  # never written anew under the eyes of who reads
        folder.mkdir(parents=True)
        for target, source in service.secrets.items():
            (folder / target).write_text(self.secret(source), "utf-8")
        return folder

    def environment(self, service: Service, number: int) -> dict[str, str]:
        """Return the environment of one replica: the container's, and what finds our programs."""
        ours = {name: self.here(service, number, value) for name, value in service.environment.items()}
        if service.port is not None and "AFTERGLOW_PORT" in ours:
            ours["AFTERGLOW_PORT"] = str(self.ports[service.name][number])
        programs = os.pathsep.join([str(Path(sys.executable).parent), str(DEPLOY), os.environ["PATH"]])
        found = {"PATH": programs, "SECRETS_DIRECTORY": str(self.handed(service, number))}
        return {**found, "LANG": "C.UTF-8", **ours}

    def here(self, service: Service, number: int, text: str) -> str:
        """Return ``text`` of a container with its paths and addresses as they are on this machine."""
        places = {_DATA: self.unwritten}
        places |= {target: self._on_disk(source) for target, source in service.mounts.items()}
        places[_SECRETS] = self.handed(service, number)
        for target in sorted(places, key=len, reverse=True):
            text = re.sub(rf"{re.escape(target)}(?=/|$)", str(places[target]), text)
        if service.port is not None:
            own = str(self.ports[service.name][number])
            text = re.sub(rf"({EVERY_ADDRESS}|{LOOPBACK}):{service.port}\b", f"{LOOPBACK}:{own}", text)
            text = text.replace(f"'{LOOPBACK}', {service.port}", f"'{LOOPBACK}', {own}")
        return self.reachable(text).replace(EVERY_ADDRESS, LOOPBACK)

    def reachable(self, text: str) -> str:
        """Return ``text`` with the services' addresses as they are here."""
        for name, ports in self.ports.items():
            text = re.sub(rf"\b{name}:{self.services[name].port}\b", f"localhost:{ports[0]}", text)
        return text

    def _on_disk(self, source: str) -> Path:
        if source.startswith("."):
            return (DEPLOY / source).resolve()
        folder = self.folder / "volumes" / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
