"""Another password, in place, for whoever knows the one they have."""

from collections.abc import Mapping
from typing import Any, ClassVar

from schemas.base import Body
from schemas.fields import Text
from schemas.invitation import PASSWORD_LONGEST, Password


class PasswordChangeBody(Body):
    """The password you have, and the one to take its place."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "current_password": "four words are fine",
        "new_password": "four other words are fine",
    }

    current_password = Text(
        longest=PASSWORD_LONGEST,
        shortest=1,
        required=True,
        load_only=True,
        metadata={"format": "password", "example": "four words are fine"},
    )
    new_password = Password()
