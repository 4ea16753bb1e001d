"""The one door to addresses that others gave us: a clinic's webhook, a browser's push service.

https only, the name resolved once, no address inside a network, connected to exactly what was checked.
"""

import ssl
from collections.abc import Mapping, Sequence

from server.gateways.address import Place, check_address, is_allowed, is_loopback, place
from server.gateways.exchange import Exchange, Limits, Reply, Request, Resolve, Target, resolve
from server.gateways.message import SendError

__all__ = ["Egress", "check_address"]


class Egress:
    """Writes to strangers and reads their answers.

    ``allow_loopback`` (development, tests) lets it reach this machine, also by http. ``tls`` takes the
    place of the system's authorities, ``resolver`` of its resolver.
    """

    def __init__(
        self,
        allow_loopback: bool = False,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._exchange = Exchange(limits or Limits(), tls)
        self._resolve = resolver

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return the status of the reply; raise `SendError`, `egress_refused` where it must not go there."""
        return self.send(url, Request("POST", headers, body))

    def send(self, url: str, request: Request) -> Reply:
        """Return what came back; raise `SendError`, `egress_refused` where it must not go there."""
        where, end = self.place(url), self._exchange.deadline()
        addresses = self._addresses(where)
        target = Target(where.scheme, where.host, where.port, where.path, addresses)
        return self._exchange.send(target, request, end)

    def place(self, url: str) -> Place:
        """Take ``url`` apart; raise `SendError` where it can never be written to."""
        try:
            return place(url, self._allow_loopback)
        except ValueError:
            raise SendError(True, "egress_refused") from None

    def _addresses(self, where: Place) -> Sequence[str]:
        addresses = self._resolve(where.host, where.port)
        # One bad address among good ones is how a private one would be smuggled in.
        allowed = all(is_allowed(address, self._allow_loopback) for address in addresses)
        if where.scheme == "http":
            allowed = allowed and all(is_loopback(address) for address in addresses)
        if not addresses or not allowed:
            # The name may lead elsewhere tomorrow; the schedule ends it if not.
            raise SendError(False, "egress_refused")
        return addresses
