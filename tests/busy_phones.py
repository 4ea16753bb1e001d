"""Phones that write and read without a pause, over real connections, while something is changed."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from uuid_utils.compat import uuid7

from server.app import utc_now
from tests.cast import PASSWORD, entry


@dataclass
class Phones:
    """Phones that write a note and read it, again and again, over a real connection.

    ``wrong`` takes whatever went wrong.
    """

    port: int
    password: str = PASSWORD
    written: int = 0
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, clinic: str, email: str) -> None:
        """Sign in and write until told to stop."""
        try:
            while not self.stop.is_set():
                self.turn(clinic, email)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append(repr(error))

    def turn(self, clinic: str, email: str) -> None:
        """Sign in, write five notes and read each."""
        who = {"clinic": clinic, "email": email, "password": self.password}
        token = self.ask("POST", "/v1/sign-ins", who).get("access_token", "")
        for number in range(5):
            path, note = f"/v1/entries/{uuid7()}", f"Slept badly, {number}."
            self.ask("PUT", path, entry(utc_now(), note=note), token)
            found = self.ask("GET", path, None, token)
            if found.get("note") != note:
                self.wrong.append(f"another note: {found}")
            self.written += 1

    def read(self, clinic: str, email: str) -> None:
        """Sign in and read the newest entries."""
        who = {"clinic": clinic, "email": email, "password": self.password}
        token = self.ask("POST", "/v1/sign-ins", who).get("access_token", "")
        self.ask("GET", "/v1/entries?limit=200", None, token)

    def ask(self, method: str, path: str, body: Any, token: str = "") -> dict[str, Any]:
        """Send one request and return what its answer says."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = line.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
        line.close()
        if answer.status >= 300:
            self.wrong.append(f"{method} {answer.status} {said.get('code')}")
        return said

    def wait_for(self, more: int) -> None:
        """Wait until so many more were written."""
        reached, until = self.written + more, monotonic() + 30
        while self.written < reached and not self.wrong and monotonic() < until:
            sleep(0.01)
        assert self.written >= reached or self.wrong


@contextmanager
def busy(port: int, who: tuple[str, str], password: str = PASSWORD) -> Iterator[Phones]:
    """Let three phones of ``who`` (clinic and address) write meanwhile."""
    phones = Phones(port, password)
    threads = [threading.Thread(target=phones.run, args=who) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield phones
    finally:
        phones.stop.set()
        for thread in threads:
            thread.join(30)
