"""How a device shows that an account was signed in on it before: signed, bound to clinic and e-mail.

It opens nothing. It only lets the device try its password however many others fail elsewhere.
"""

from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from server.api import tokens


def issue(clinic: str, email: str, sign_in_id: UUID) -> str:
    """Return what the device of a sign-in sends with its next one."""
    return str(_signer(clinic, email).dumps(str(sign_in_id)))


def read(token: str | None, clinic: str, email: str) -> str | None:
    """Return which sign-in ``token`` was given to, None where it is none or another account's."""
    if token is None:
        return None
    try:
        return str(_signer(clinic, email).loads(token))
    except BadData:
        return None


def _signer(clinic: str, email: str) -> URLSafeSerializer:
    whose = f"device-1\n{clinic}\n{email.lower()}"
    return URLSafeSerializer([*reversed(tokens.keys())], salt=whose)  # the last of them signs
