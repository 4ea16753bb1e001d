"""A new password for whoever forgot theirs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from schemas.base import Body
from schemas.fields import Email, Text
from schemas.invitation import Password
from schemas.short_name import ShortName


class RecoveryBody(Body):
    """Where somebody wants back in."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"clinic": "demo", "email": "ana@demo.example"}

    clinic = ShortName(required=True)
    email = Email(required=True)


class NewPasswordBody(Body):
    """The code behind the `#` of the link, and a new password."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "code": "what stands behind the # of the link",
        "password": "four other words are fine",
    }

    code = Text(longest=128, shortest=1, required=True, load_only=True)
    password = Password()
