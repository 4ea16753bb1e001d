"""What every answer says of itself: not to be kept, guessed at or framed."""

import base64
import hashlib
import re
from collections.abc import Callable

from flask import Flask, Response

_YEAR = 365 * 24 * 3600
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The page of the contract loads itself and the contract. Its library sets styles on elements.
_PAGE = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def register(app: Flask, is_production: bool) -> None:
    """Give every answer its headers."""
    app.after_request(_hardened(is_production))


def _hardened(is_production: bool) -> Callable[[Response], Response]:
    fixed = {
        # Health data must not stay in a proxy or a browser.
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if is_production:
        fixed["Strict-Transport-Security"] = f"max-age={_YEAR}"

    def harden(answer: Response) -> Response:
        said = {name.lower() for name, _ in answer.headers}  # looked through once, not for each name
        for name, value in fixed.items():
            if name.lower() not in said:
                answer.headers.add(name, value)
        if "content-security-policy" not in said:
            answer.headers.add("Content-Security-Policy", _policy(answer))
        return answer

    return harden


def _policy(answer: Response) -> str:
    if answer.mimetype != "text/html" or answer.is_streamed:
        return _NOTHING
    hashes = (hashlib.sha256(script).digest() for script in _SCRIPT.findall(answer.get_data()))
    return _PAGE.format(scripts="".join(f" 'sha256-{base64.b64encode(one).decode()}'" for one in hashes))
