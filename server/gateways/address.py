"""Which addresses outside may be written to. Pure: nothing is resolved or asked here."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
# What resolvers take for an IPv4 address in disguise: 2130706433, 0x7f.1, 127.1, 0177.0.0.1.
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)", re.ASCII)
_PLAIN = re.compile(r"[!-~]+")  # printable ASCII without a space
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
# Addresses that carry an IPv4 address: it decides (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart. ``host`` is in small letters without brackets or a dot at the end."""

    scheme: str
    host: str
    port: int
    path: str


def check_address(url: str, allow_loopback: bool = False) -> None:
    """Raise ValueError, with a reason to show, where ``url`` can never be written to.

    What a name resolves to is judged at every sending, not here.
    """
    place(url, allow_loopback)


def place(url: str, allow_loopback: bool = False) -> Place:
    """Take ``url`` apart; raise ValueError as `check_address` does. The reason never repeats it."""
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise ValueError("must be plain ASCII without spaces")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("must look like https://host/path")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must hold no user name, password or fragment")
    host = parts.hostname.rstrip(".")
    _check_host(host, allow_loopback)
    _check_scheme(parts.scheme, host, allow_loopback)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, parts.port or _PORTS[parts.scheme], path)


def is_allowed(address: str, allow_loopback: bool = False) -> bool:
    """Return whether IP ``address`` is anybody's on the Internet, or, where allowed, this machine's."""
    bare = _unwrapped(ipaddress.ip_address(address))
    if bare.is_loopback:
        return allow_loopback
    if isinstance(bare, ipaddress.IPv6Address) and (bare not in _UNICAST or bare in _SIX_TO_FOUR):
        return False
    return bare.is_global and not bare.is_multicast


def is_loopback(address: str) -> bool:
    """Return whether IP ``address`` is this machine's own."""
    return _unwrapped(ipaddress.ip_address(address)).is_loopback


def _check_host(host: str, allow_loopback: bool) -> None:
    if not _HOST.fullmatch(host):
        raise ValueError("must name a host in ASCII letters, digits, dots and hyphens")
    literal = _literal(host)
    if literal is None and _NUMBER.fullmatch(host):
        raise ValueError("must not write an IP address in an unusual form")
    inside = _is_named_loopback(host) if literal is None else not is_allowed(host)
    own = _is_named_loopback(host) if literal is None else is_loopback(host)
    if inside and not (own and allow_loopback):
        raise ValueError("must not lead into a private network")


def _check_scheme(scheme: str, host: str, allow_loopback: bool) -> None:
    own = _is_named_loopback(host) or (_literal(host) is not None and is_loopback(host))
    if scheme == "http" and not (own and allow_loopback):
        raise ValueError("must start with https://")


def _is_named_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
