"""A database keeps every text only where its encoding is UTF-8; a server without a locale makes others."""

from typing import Any

WANTED = "UTF8"


class EncodingError(Exception):
    """The database's encoding is another one: what patients write could be refused or come back garbled."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database's encoding is {found}. Make one with UTF-8: "
            "CREATE DATABASE afterglow ENCODING 'UTF8' TEMPLATE template0."
        )


def check(connection: Any) -> None:
    """Raise EncodingError where the database of the driver's ``connection`` is not in UTF-8."""
    found = connection.info.parameter_status("server_encoding")
    if found != WANTED:
        raise EncodingError(found)
