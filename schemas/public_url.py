"""Web addresses we may send to: https, a public name, nothing hidden in them.

This is syntax only. What the name leads to is looked at when something is sent. Whether an address of this
machine is taken too is a setting, so the edge asks `refusal` (`server.api.web_address`) for a `WebUrl`.
"""

import re
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError, fields, validate

LONGEST_URL = 2000
_PLAIN = re.compile(r"[!-~]+", re.ASCII)
_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# What is anybody's in IPv6. The rest carries IPv4 addresses (RFC 6052) or is nobody's.
_UNICAST = ip_network("2000::/3")
# Names that never lead out of a house (RFC 6761, RFC 6762, RFC 8375 and usage).
_INNER = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "test", "invalid")


class WebUrl(fields.String):
    """A web address in plain ASCII, without user name, password or fragment. The edge judges where to."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"format": "uri", "example": "https://hooks.example.org/alerts"}
        metadata |= kwargs.pop("metadata", {})
        super().__init__(validate=validate.Length(max=LONGEST_URL), metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _PLAIN.fullmatch(text) or "\\" in text:
            raise ValidationError("Must be a web address in plain ASCII characters.")
        try:
            parts, _ = _split(text)
        except ValueError:
            raise ValidationError("Must be a web address.") from None
        _check(parts)
        return text


class PublicUrl(WebUrl):
    """An https address of a public host, whatever is set."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if (why := refusal(text)) is not None:
            raise ValidationError(why)
        return text


def refusal(url: str, own_machine: bool = False) -> str | None:
    """Say why a `WebUrl` can't be written to, or None where it can.

    ``own_machine``: an address of this machine is fine too, also by http.
    """
    parts, host = _split(url)
    if own_machine and _is_own(host):
        return None
    if parts.scheme != "https":
        return "Must start with https://."
    return None if _is_public(host) else "Must lead to a public host."


def _split(text: str) -> tuple[SplitResult, str]:
    """Return the address in parts and its host; raises ValueError where it is none."""
    parts = urlsplit(text)
    if parts.port == 0 or not parts.hostname:
        raise ValueError("no such port, or no host")
    return parts, parts.hostname.removesuffix(".")


def _check(parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https"):
        raise ValidationError("Must start with https://.")
    if "@" in parts.netloc:
        raise ValidationError("Must not hold a user name or a password.")
    if parts.fragment:
        raise ValidationError("Must not have a part after #.")


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_public(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        # A last label of digits would be read as an IPv4 address in one of its older forms.
        inner = any(host == name or host.endswith(f".{name}") for name in _INNER)
        return bool(_NAME.fullmatch(host)) and len(host) <= 253 and not inner
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast
