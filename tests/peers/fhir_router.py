"""Medplum's FHIR router, a real one, on loopback: started once, stopped by its id; and a clinic in it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tests.fhir.definitions import PEERS, Resource
from tests.source import ROOT

SCRIPT = ROOT / "tests" / "peers" / "fhir_router.mjs"
INSTALLED = PEERS / "node_modules" / "@medplum" / "fhir-router"
ABSENT = "Medplum's FHIR router is not installed: `make peers`"
_NAMES = count()


def is_here() -> bool:
    """Return whether the router and what runs it are installed."""
    return shutil.which("node") is not None and INSTALLED.exists()


@contextmanager
def router() -> Iterator[int]:
    """Run the router and give its port."""
    command = [str(shutil.which("node")), str(SCRIPT), str(PEERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
            process.wait(5)


@dataclass(frozen=True)
class FhirClinic:
    """One clinic's store in the router, empty at first, and what its staff do there with their own client."""

    port: int
    name: str = field(default_factory=lambda: f"clinic-{next(_NAMES)}")

    @property
    def base_url(self) -> str:
        """Where the clinic's FHIR system is."""
        return f"http://127.0.0.1:{self.port}/{self.name}"

    def all(self, kind: str, suggestion: UUID | None = None) -> list[Resource]:
        """Return every resource of a kind, or those with our identifier."""
        token = {} if suggestion is None else {"identifier": f"urn:afterglow:suggestion|{suggestion}"}
        found = self._asked("GET", f"{kind}?{urlencode({'_count': '100', **token})}")
        return [entry["resource"] for entry in found.get("entry", [])]

    def only(self, kind: str) -> Resource:
        """Return the one resource of a kind that there is."""
        (found,) = self.all(kind)
        return found

    def make(self, resource: Resource) -> Resource:
        """Put a new resource there."""
        return self._asked("POST", resource["resourceType"], resource)

    def change(self, there: Resource, **members: Any) -> Resource:
        """Change a resource as it is."""
        return self._asked("PUT", f"{there['resourceType']}/{there['id']}", {**there, **members})

    def remove(self, there: Resource) -> None:
        """Delete a resource."""
        self._asked("DELETE", f"{there['resourceType']}/{there['id']}")

    def book(self, there: Resource, starts_at: datetime, minutes: int = 90) -> Resource:
        """Give an appointment its time."""
        end = starts_at + timedelta(minutes=minutes)
        return self.change(there, status="booked", start=starts_at.isoformat(), end=end.isoformat())

    def _asked(self, method: str, path: str, body: Resource | None = None) -> Resource:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(
                method, f"/{self.name}/{path}", sent, {"Content-Type": "application/fhir+json"}
            )
            response = connection.getresponse()
            answer: Resource = json.loads(response.read())
        finally:
            connection.close()
        assert 200 <= response.status <= 299, answer
        return answer
