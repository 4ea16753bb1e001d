"""Where a request comes from, as far as that can be told."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from flask import request

# One household or one machine has a whole network of these to itself (RFC 6177).
_IPV6_PREFIX = 64


def client_address() -> str:
    """Return the network address that the request is counted under: IPv4 whole, IPv6 its /64.

    What a client says in `X-Forwarded-For` counts only as far as proxies of ours wrote it: `create_app`
    reads the header from the right, by the number of them.
    """
    return _counted(request.remote_addr or "")


@lru_cache(maxsize=1024)
def _counted(said: str) -> str:
    try:
        address = ip_address(said.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        kept = int(address) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)
        return f"{IPv6Address(kept)}/{_IPV6_PREFIX}"
    return str(address)
