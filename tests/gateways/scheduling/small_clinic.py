"""A small practice's scheduling system with an HTTP interface: its own words, shapes and rules.

It knows nothing of ours. Requests are signed (HMAC over the body); a visit is `wished`, `in_review`,
`fixed`, `arrived`, `closed`, `missed` or `dropped`, and only a wished one may be dropped from outside.
"""

import contextlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SECRET = "what-the-practice-and-we-know"
SIGNATURE = "X-Practice-Signature"
LIVE = ("wished", "in_review", "fixed", "arrived")

Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Visit:
    """One row of its book."""

    number: str
    label: str  # what the sender calls it
    wish: dict[str, Any]
    phase: str = "wished"
    begins: datetime | None = None
    why: str | None = None
    edition: int = 1
    touched: datetime = field(default_factory=lambda: datetime.now(UTC))

    def shown(self) -> dict[str, Any]:
        """Return it as its interface shows it."""
        ends = None if self.begins is None else self.begins + timedelta(minutes=45)
        when = {"from": self.begins and self.begins.isoformat(), "to": ends and ends.isoformat()}
        return {
            "visit": {
                "ref": {"number": self.number, "yours": self.label},
                "phase": self.phase,
                "why": self.why,
                "when": when if self.begins else None,
                "touched": self.touched.isoformat(),
            }
        }

    def tag(self) -> str:
        """Return its ETag."""
        return f'"{self.number}.{self.edition}"'


@dataclass
class SmallClinic:
    """The practice: its book, and what staff do with it."""

    book: dict[str, Visit] = field(default_factory=dict)
    openings: list[datetime] = field(default_factory=list)
    no_openings: int = 0  # the status it answers with instead of its free times
    honours_keys: bool = False  # of the same Idempotency-Key it takes one visit
    slow: bool = False  # it answers 202 and enters visits when staff come round to it
    waiting: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, wish: dict[str, Any]) -> Visit:
        """Enter a visit."""
        visit = Visit(f"V/{len(self.book) + 1}", str(wish["label"]), wish)
        self.book[visit.number] = visit
        return visit

    def work(self) -> None:
        """Enter what waits."""
        while self.waiting:
            self.enter(self.waiting.pop(0))

    def change(self, number: str, phase: str, begins: datetime | None = None, why: str | None = None) -> None:
        """Do what staff do."""
        visit = self.book[number]
        visit.phase, visit.why = phase, why
        visit.begins = begins or visit.begins
        visit.edition += 1
        visit.touched = datetime.now(UTC)

    def labelled(self, label: str) -> list[Visit]:
        """Return the visits a sender calls so."""
        return [visit for visit in self.book.values() if visit.label == label]

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer a request."""
        self.requests.append((method, target, headers, body))
        wanted = hmac.digest(SECRET.encode(), body, "sha256").hex()
        if not hmac.compare_digest(headers.get(SIGNATURE.lower(), ""), wanted):
            return 401, {"problem": "unsigned"}, {}
        parts = urlsplit(target)
        steps = [unquote(step) for step in parts.path.split("/")[2:]]
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match method, steps:
            case "GET", ["visits"]:
                return self._list(asked)
            case "GET", ["openings"] if self.no_openings:
                return self.no_openings, {"problem": "not now"}, {}
            case "GET", ["openings"]:
                return self._list_openings(asked)
            case "POST", ["visits"]:
                return self._take(headers, json.loads(body))
            case "GET", ["labels", label] if self.labelled(label):
                return _shown(200, self.labelled(label)[0])
            case _, ["visits", number, *rest] if number in self.book:
                return self._one(method, rest, self.book[number], (headers, body))
        return 404, {"problem": "nothing here"}, {}

    def _list(self, asked: dict[str, str]) -> Answer:
        # As many systems do: what it does not know it passes over.
        label = asked.get("label")
        found = [visit for visit in self.book.values() if label in (None, visit.label)]
        return 200, {"page": {"rows": [visit.shown()["visit"]["ref"] for visit in found]}}, {}

    def _list_openings(self, asked: dict[str, str]) -> Answer:
        rows = [
            {"at": at.isoformat(), "key": n, "go": f"https://practice.example/{n}"}
            for n, at in enumerate(self.openings)
        ]
        return 200, {"openings": rows if asked.get("from") else []}, {}

    def _take(self, headers: dict[str, str], wish: dict[str, Any]) -> Answer:
        if not isinstance(wish.get("length"), int) or not wish.get("who"):
            return 422, {"problem": "length and who"}, {}
        key = headers.get("idempotency-key", "") if self.honours_keys else ""
        if key in self.keys:
            return self.keys[key]
        if self.slow:
            self.waiting.append(wish)
        answer: Answer = (202, None, {}) if self.slow else _shown(201, self.enter(wish))
        if key:
            self.keys[key] = answer
        return answer

    def _one(
        self, method: str, rest: list[str], visit: Visit, request: tuple[dict[str, str], bytes]
    ) -> Answer:
        headers, body = request
        if method == "GET":
            return _shown(200, visit)
        if headers.get("if-match", visit.tag()) != visit.tag():
            return 412, {"problem": "somebody was faster"}, {}
        if visit.phase not in ("wished", "in_review"):
            return 409, {"problem": "too late"}, {}
        if rest == ["drop"]:
            self.change(visit.number, "dropped")
        else:
            visit.wish = json.loads(body)
            visit.edition += 1
        return _shown(200, visit)


def _shown(status: int, visit: Visit) -> Answer:
    return status, visit.shown(), {"ETag": visit.tag()}


@contextmanager
def open_for_business(clinic: SmallClinic) -> Iterator[SmallClinic]:
    """Run it on a free loopback port, which it then knows."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with clinic.lock:
                status, answer, more = clinic.answer(self.command, self.path, headers, body)
            said = b"" if answer is None else json.dumps(answer).encode()
            self.send_response_only(status)
            for name, value in {**more, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._do
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        clinic.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield clinic
        finally:
            server.shutdown()
            thread.join()
