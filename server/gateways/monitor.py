"""Tells an outside monitor that we are alive; the monitor alarms when it hears nothing."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0


class MonitorAway(Exception):
    """The monitor did not take the call. The text never holds its address, which is a secret."""


def call(url: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """GET ``url`` (http or https, redirects not followed); raise `MonitorAway` on anything but 2xx."""
    try:
        status = _get(url, timeout)
    except (OSError, HTTPException, ValueError) as error:
        raise MonitorAway(type(error).__name__) from None
    if not 200 <= status <= 299:
        raise MonitorAway(f"answered {status}")


def _get(url: str, timeout: float) -> int:
    parts = urlsplit(url)
    kinds: dict[str, type[HTTPConnection]] = {"http": HTTPConnection, "https": HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise ValueError("not an http address")
    connection = kinds[parts.scheme](parts.hostname, parts.port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers={"User-Agent": "afterglow"})
        return connection.getresponse().status
    finally:
        connection.close()
