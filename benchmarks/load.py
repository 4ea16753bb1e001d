"""The load: wrk where it is there, else a small client of our own; both send requests made beforehand.

Whatever is not answered with 2xx ends the benchmark: a fast refusal is no speed.
"""

import json
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.serving import Served

CONNECTIONS = 16
_LUA = """
local requests, n = {}, 0
local file = io.open("REQUESTS", "rb")
while true do
  local size = file:read("*line")
  if not size then break end
  requests[#requests + 1] = file:read(tonumber(size))
end
file:close()
request = function()
  n = n + 1
  if n > #requests then n = CYCLES and 1 or error("too few requests were made") end
  return requests[n]
end
done = function(summary, latency)
  local e = summary.errors
  local told = "\\n{\\"seconds\\": %f, \\"requests\\": %d, \\"bad\\": %d, \\"p50\\": %f, \\"p99\\": %f}\\n"
  io.write(string.format(told, summary.duration / 1e6, summary.requests,
    e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Request:
    """One request, made beforehand."""

    method: str
    path: str
    token: str = ""
    body: bytes = b""

    def headers(self) -> dict[str, str]:
        """Return its headers."""
        found = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return found | ({"Content-Type": "application/json"} if self.body else {})

    def raw(self) -> bytes:
        """Return it as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: bench", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Load:
    """What came of one round: requests a second, milliseconds, milliseconds of processor time a request.

    ``own_cpu`` is what the load generator itself used a request.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    own_cpu: float


def json_body(value: Any) -> bytes:
    """Return ``value`` as a body."""
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Pace:
    """For how long, over how many connections; ``cycle``: the same requests again and again."""

    seconds: int = 3
    connections: int = CONNECTIONS
    cycle: bool = False


def drive(served: Served, requests: Sequence[Request], pace: Pace) -> Load:
    """Send ``requests`` as fast as they are answered."""
    before, own = served.cpu(), _own_cpu()
    tell = _wrk if shutil.which("wrk") else _python
    told = tell(served.port, requests, pace)
    if told["bad"]:
        raise SystemExit(f"{told['bad']} of {told['requests']} requests were not answered with 2xx")
    done = max(told["requests"], 1)
    cpu, own_cpu = (
        1000 * (after - begun) / done for after, begun in ((served.cpu(), before), (_own_cpu(), own))
    )
    return Load(done / told["seconds"], told["p50"], told["p99"], cpu, own_cpu)


def median(rounds: Sequence[Load]) -> Load:
    """Return the median of each figure."""
    names = ("rate", "p50", "p99", "cpu", "own_cpu")
    return Load(*(statistics.median(getattr(one, name) for one in rounds) for name in names))


def _own_cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _wrk(port: int, requests: Sequence[Request], pace: Pace) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        made, script = Path(folder, "requests"), Path(folder, "load.lua")
        with made.open("wb") as file:
            for raw in (request.raw() for request in requests):
                file.write(b"%d\n" % len(raw) + raw)
        script.write_text(_LUA.replace("REQUESTS", str(made)).replace("CYCLES", str(pace.cycle).lower()))
        command = ["wrk", "-t1", f"-c{pace.connections}", f"-d{pace.seconds}", "--timeout", "30"]
        command += ["-s", str(script), f"http://127.0.0.1:{port}"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=pace.seconds + 60)
    if told.returncode or "{" not in told.stdout:
        raise SystemExit(told.stdout + told.stderr)
    found: Mapping[str, Any] = json.loads(told.stdout[told.stdout.rindex("{") :])
    return found


def _python(port: int, requests: Sequence[Request], pace: Pace) -> Mapping[str, Any]:
    times: list[float] = []
    bad, begun, apart = [0], time.monotonic(), pace.connections
    until = begun + pace.seconds
    threads = [
        threading.Thread(target=_send, args=(port, requests[n::apart], until, times, bad))
        for n in range(apart)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(pace.seconds + 60)
    times.sort()
    took = time.monotonic() - begun
    p50, p99 = (times[int(len(times) * part)] * 1000 for part in (0.5, 0.99))
    return {"seconds": took, "requests": len(times), "bad": bad[0], "p50": p50, "p99": p99}


def _send(port: int, requests: Sequence[Request], until: float, times: list[float], bad: list[int]) -> None:
    connection, sent = HTTPConnection("127.0.0.1", port, timeout=30), 0
    while time.monotonic() < until:
        request, begun = requests[sent % len(requests)], time.perf_counter()
        connection.request(request.method, request.path, request.body, request.headers())
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - begun)
        bad[0] += answer.status >= 300
        sent += 1
    connection.close()
