"""What asks a container whether it works asks it alone, also where the engine hands containers a proxy."""

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from shutil import which

import pytest

from deploy.rehearsal.plan import DEPLOY, read
from tests.ports import free_port

# As an engine does with the proxy of its own settings; nobody is there.
PROXIES = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
NGINX = [word for word in read({})["nginx"].health if not word.startswith("https:")]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer every request with ``status``; give the port."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/v1/status" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def is_well(words: Sequence[str], port: int) -> bool:
    environment = {"PATH": os.environ["PATH"], "AFTERGLOW_PORT": str(port), **PROXIES}
    return subprocess.run(words, env=environment, capture_output=True, check=False).returncode == 0


def test_an_api_behind_an_engine_with_a_proxy_is_well_while_it_answers() -> None:
    healthy = [str(DEPLOY / "healthy")]
    with answering(200) as port:
        assert is_well(healthy, port)
    with answering(503) as port:
        assert not is_well(healthy, port)
    assert not is_well(healthy, free_port())


@pytest.mark.skipif(which("curl") is None, reason="no curl, with which nginx's container is asked")
def test_so_is_nginx() -> None:
    with answering(200) as port:
        assert is_well([*NGINX, f"http://127.0.0.1:{port}/v1/status"], port)
    with answering(503) as port:
        assert not is_well([*NGINX, f"http://127.0.0.1:{port}/v1/status"], port)
