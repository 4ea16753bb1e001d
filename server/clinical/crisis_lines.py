"""Crisis lines and emergency numbers by the patient's country (docs/clinical.md, "Red flags").

Static text: it must be there when nothing else works. Each row was reviewed on ``REVIEWED_ON``.
"""

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

REVIEWED_ON = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class CrisisLines:
    """``emergency`` is the number to call in danger; ``lines`` are people to talk to."""

    emergency: str
    lines: tuple[str, ...]


_FALLBACK = CrisisLines("your local emergency number", ("findahelpline.com",))

_BY_COUNTRY = MappingProxyType(
    {
        "US": CrisisLines("911", ("988 (call, text or chat)", "text HOME to 741741")),
        "CA": CrisisLines("911", ("988",)),
        "GB": CrisisLines("999 or 112", ("116 123 (Samaritans)", "text SHOUT to 85258", "NHS 111, option 2")),
        "IE": CrisisLines("999 or 112", ("116 123 (Samaritans)",)),
        "AU": CrisisLines("000", ("13 11 14 (Lifeline)",)),
        "NZ": CrisisLines("111", ("1737",)),
        "FR": CrisisLines("15 or 112", ("3114",)),
        "DE": CrisisLines("112", ("0800 1110111", "0800 1110222")),
        "NL": CrisisLines("112", ("113", "0800-0113")),
        "ES": CrisisLines("112", ("024",)),
        "BE": CrisisLines("112", ("1813", "0800 32 123")),
        "BR": CrisisLines("192", ("188",)),
        "IN": CrisisLines("112", ("14416 (Tele-MANAS)",)),
    }
)


def crisis_lines(country: str) -> CrisisLines:
    """Return the lines of an ISO 3166 country code; an unknown country gets the international directory."""
    return _BY_COUNTRY.get(country, _FALLBACK)


def is_stale(today: date) -> bool:
    """Return whether the last review lies more than 12 months back: a wrong number can cost a life."""
    return (today.year, today.month, today.day) > (REVIEWED_ON.year + 1, REVIEWED_ON.month, REVIEWED_ON.day)
