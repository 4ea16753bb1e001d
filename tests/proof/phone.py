"""One phone of the proof: it sends until it is answered, to whichever API process is there, and pulls."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from uuid_utils.compat import uuid7

from tests.cast import entry
from tests.proof.history import History

_OPS = count(1)
# From its time on, of so many entries one says what can't wait; of so many sendings one is a batch.
RED, BATCH = 3, 6
TIMEOUT = 15.0


@dataclass
class Phone:
    """``patient``: whose it is; ``token``: their sign-in; ``ports``: where APIs listen.

    One that ``is_red`` says what can't wait, again and again, from ``red_after`` (monotonic seconds) on.
    """

    patient: str
    token: str
    ports: Sequence[int]
    history: History
    random: Random
    is_red: bool
    red_after: float = 0.0
    cursor: str | None = None
    sent: int = 0
    waiting: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def live(self, stopping: threading.Event, pause: float) -> None:
        """Send and pull until ``stopping`` is set."""
        while not stopping.is_set():
            self.waiting = [self._new() for _ in range(5 if self.random.randrange(BATCH) == 0 else 1)]
            self.insist(stopping)
            self.pull()
            stopping.wait(self.random.uniform(0, 2 * pause))

    def insist(self, stopping: threading.Event) -> None:
        """Send what waits until it is acknowledged, or ``stopping`` is set."""
        pause = 0.1
        while self.waiting and not self.send() and not stopping.is_set():
            time.sleep(self.random.uniform(pause / 2, pause))
            pause = min(2 * pause, 1.0)

    def send(self) -> bool:
        """Send what waits once; return whether it was acknowledged."""
        ops = [(next(_OPS), entry_id, body) for entry_id, body in self.waiting]
        for op, entry_id, body in ops:
            red = body["safety"] != "no"
            self.history.add("invoke", op=op, entry=entry_id, patient=self.patient, red=red)
        outcomes = self._batch() if len(ops) > 1 else self._single()
        for (op, entry_id, _), (kind, parts) in zip(ops, outcomes, strict=True):
            self.history.add(kind, op=op, entry=entry_id, **parts)
        if all(kind == "ok" for kind, _ in outcomes):
            self.waiting = []
        return not self.waiting

    def pull(self) -> bool:
        """Pull what is new, page by page; return whether all of it came."""
        more = True
        while more:
            answer = self._ask("POST", "/v1/sync", {"items": [], "cursor": self.cursor, "limit": 50})
            if answer is None or answer[0] != 200:
                return False
            more = self._keep(answer[1])
        return True

    def _keep(self, page: dict[str, Any]) -> bool:
        found = [change["id"] for change in page["changes"]]
        self.history.add("pull", patient=self.patient, entries=found)
        self.cursor = page["next_cursor"]
        return bool(page["has_more"])

    def _new(self) -> tuple[str, dict[str, Any]]:
        self.sent += 1
        is_time = time.monotonic() >= self.red_after
        says = "plan" if self.is_red and is_time and self.random.randrange(RED) == 0 else "no"
        return str(uuid7()), entry(datetime.now(UTC), safety=says)

    def _single(self) -> list[tuple[str, dict[str, Any]]]:
        ((entry_id, body),) = self.waiting
        answer = self._ask("PUT", f"/v1/entries/{entry_id}", body)
        if answer is None:
            return [("unknown", {})]
        status, said = answer
        if status in (200, 201):
            return [("ok", {"status": status, "outcome": said["outcome"]})]
        return [("unknown" if status >= 500 or status == 429 else "fail", {"status": status})]

    def _batch(self) -> list[tuple[str, dict[str, Any]]]:
        items = [{"id": one, "kind": "entry", "action": "put", "entry": body} for one, body in self.waiting]
        answer = self._ask("POST", "/v1/sync", {"items": items, "cursor": self.cursor, "limit": 50})
        if answer is None or answer[0] != 200:
            return [("unknown", {"status": answer and answer[0]}) for _ in items]
        self._keep(answer[1])
        return [_verdict(result) for result in answer[1]["results"]]

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        """Return status and body of the answer, None where there is none."""
        port = self.random.choice(self.ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()


def _verdict(result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    known = {"created": "created", "duplicate": "duplicate"}
    if result["verdict"] in known:
        return "ok", {"outcome": known[result["verdict"]]}
    return "unknown" if result["verdict"] == "retry" else "fail", {"outcome": result["verdict"]}
