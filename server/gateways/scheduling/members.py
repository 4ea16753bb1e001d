"""A connection's settings, read member by member. A ValueError names the member and never its value."""

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from server.gateways.address import check_address

_LONGEST = 2000  # characters of a text


class Members:
    """The members of one object of the settings; ``where`` is the way to it, as `suggest.path`."""

    def __init__(self, raw: object, where: str = "") -> None:
        self._where = where
        if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in raw):
            raise ValueError(f"{where or 'the settings'}: must be an object")
        self._raw: Mapping[str, Any] = raw

    def __contains__(self, name: str) -> bool:
        """Return whether the member is there."""
        return name in self._raw

    def names(self) -> list[str]:
        """Return the names of all members."""
        return list(self._raw)

    def way(self, name: str) -> str:
        """Return the way to a member."""
        return f"{self._where}.{name}" if self._where else name

    def fail(self, name: str, reason: str) -> NoReturn:
        """Raise the ValueError of a member."""
        raise ValueError(f"{self.way(name)}: {reason}")

    def only(self, *known: str) -> None:
        """Refuse any other member: a slip of the pen must not pass in silence."""
        for name in self._raw:
            if name not in known:
                self.fail(name[:50], f"is not known; there are {', '.join(known)}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without ``default`` it must be there and not be empty."""
        value = self._raw.get(name, default)
        if not isinstance(value, str) or len(value) > _LONGEST:
            self.fail(name, f"must be a text of at most {_LONGEST} characters")
        if default is None and not value.strip():
            self.fail(name, "must not be empty")
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number above 0, or None where it is not there."""
        value = self._raw.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(name, "must be a whole number above 0")
        return value

    def choice(self, name: str, words: Collection[str], default: str | None = None) -> str:
        """Return one of ``words``."""
        value = self._raw.get(name, default)
        if value not in words:
            self.fail(name, f"must be one of {', '.join(words)}")
        return str(value)

    def address(self, name: str, allow_loopback: bool) -> str:
        """Return an address that may be written to, without query and without a slash at its end."""
        value = self.text(name)
        try:
            check_address(value, allow_loopback)
        except ValueError as refusal:
            self.fail(name, str(refusal))
        if "?" in value:
            self.fail(name, "must hold no query")
        return value.rstrip("/")

    def inside(self, name: str) -> "Members":
        """Return the members of the object ``name``."""
        return Members(self._raw.get(name), self.way(name))

    def value(self, name: str, default: object = None) -> Any:
        """Return a member as it stands."""
        return self._raw.get(name, default)
