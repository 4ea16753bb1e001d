"""Whether a web address that somebody gives may be written to: syntax, and one setting for development."""

from schemas.public_url import refusal
from server.api.edge import here
from server.services.errors import Invalid


def check(url: str, pointer: str) -> str:
    """Return ``url``, as a schema's `WebUrl` let it through; raise Invalid where we may not write to it.

    ``pointer`` names the member of the body (a JSON pointer). Addresses of this machine are taken, also by
    http, where `AFTERGLOW_ALLOW_LOOPBACK_EGRESS` says yes. What a name leads to is judged at every sending.
    """
    why = refusal(url, own_machine=here().settings.allow_loopback_egress == "yes")
    if why is not None:
        raise Invalid(pointer, why)
    return url
