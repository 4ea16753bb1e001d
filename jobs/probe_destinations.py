"""Where the probe of each channel goes, from the file that the setting names."""

import json
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from jobs.problem import Problem
from server.clinical.vocabulary import Channel
from server.settings import PREFIX, Settings

_NAME = f"{PREFIX}PROBE"
_MEMBERS = {"channel", "to"}


def destinations(settings: Settings) -> Mapping[Channel, str]:
    """Return an address for each channel beside e-mail, which goes to operations.

    None without a file, or with the empty one that `deploy/make-secrets` leaves.

    Raises Problem, which never repeats an address, where the file can't be used.
    """
    if not settings.probe:
        return {}
    try:
        raw = tomllib.loads(Path(settings.probe).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise Problem(f"{_NAME} can't be read as a file of text.") from None
    except tomllib.TOMLDecodeError:
        raise Problem(f"{_NAME} is not TOML.") from None
    if not raw:
        return {}
    rows = raw.get("destination")
    if not isinstance(rows, list) or raw.keys() != {"destination"}:
        raise Problem(f"{_NAME} must hold tables [[destination]] and nothing else.")
    found: dict[Channel, str] = {}
    for number, row in enumerate(rows, 1):
        channel, to = _read(number, row)
        if channel in found:
            raise Problem(f"{_NAME}, destination {number}: there is one for {channel} already.")
        found[channel] = to
    return found


def check(found: Mapping[Channel, str], armed: Collection[Channel]) -> None:
    """Raise Problem where a destination's channel is not armed: its probe would fail for ever."""
    if unarmed := sorted(found.keys() - set(armed)):
        raise Problem(f"{_NAME}: the channel {unarmed[0]} is not set up.")


def untested(found: Mapping[Channel, str], armed: Collection[Channel]) -> list[Channel]:
    """Return the armed channels that no probe goes over."""
    return sorted(set(armed) - found.keys() - {Channel.EMAIL})


def _read(number: int, row: Any) -> tuple[Channel, str]:
    if (
        not isinstance(row, dict)
        or row.keys() != _MEMBERS
        or not all(isinstance(v, str) for v in row.values())
    ):
        raise Problem(f"{_NAME}, destination {number}: must have `channel` and `to`, both text.")
    if row["channel"] == Channel.EMAIL:
        raise Problem(f"{_NAME}, destination {number}: e-mail goes to {PREFIX}OPERATIONS_EMAIL.")
    if row["channel"] not in _IS_ADDRESS:
        raise Problem(f"{_NAME}, destination {number}: the channel must be one of {', '.join(_IS_ADDRESS)}.")
    channel = Channel(row["channel"])
    if not _IS_ADDRESS[channel](row["to"]):
        raise Problem(f"{_NAME}, destination {number}: `to` is no address of {channel}.")
    return channel, row["to"]


def _has(*members: str) -> Callable[[str], bool]:
    def is_address(text: str) -> bool:
        try:
            found = json.loads(text)
        except ValueError:
            return False
        return isinstance(found, dict) and all(found.get(member) for member in members)

    return is_address


_IS_ADDRESS: Mapping[Channel, Callable[[str], bool]] = {
    Channel.SMS: lambda text: text.startswith("+") and text[1:].isdecimal(),
    Channel.PUSH: _has("endpoint", "keys"),
    Channel.WEBHOOK: _has("url", "secrets"),
}
