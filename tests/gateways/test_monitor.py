"""The call to the outside monitor against a real HTTP server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from server.gateways import monitor
from tests.ports import free_port


class _Monitor(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.removeprefix("/")))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where a monitor listens that answers with the status named in the path."""
    with HTTPServer(("127.0.0.1", 0), _Monitor) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_monitor_that_answers_is_told(address: str) -> None:
    monitor.call(f"{address}/204")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_a_good_one_is_a_failure(address: str, status: int) -> None:
    with pytest.raises(monitor.MonitorAway, match=str(status)):
        monitor.call(f"{address}/{status}")


@pytest.mark.parametrize("url", ["file:///etc/hosts", "http://", "nonsense"])
def test_only_web_addresses_are_called(url: str) -> None:
    with pytest.raises(monitor.MonitorAway):
        monitor.call(url)


def test_a_monitor_that_is_away_is_a_failure_that_does_not_name_it() -> None:
    with pytest.raises(monitor.MonitorAway) as caught:
        monitor.call(f"http://127.0.0.1:{free_port()}/secret-path", timeout=1)
    assert str(caught.value) == "ConnectionRefusedError"
