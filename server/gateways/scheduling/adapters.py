"""Which adapter speaks to which kind of scheduling system."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from server.clinical.vocabulary import ConnectionKind
from server.gateways.scheduling import calendar, fhir, gnuhealth, http, inbox
from server.gateways.scheduling.port import Config, Outside, SchedulingPort

T = TypeVar("T")

_ADAPTERS: Mapping[ConnectionKind, Callable[[Config, Outside], SchedulingPort]] = MappingProxyType(
    {
        ConnectionKind.INBOX: inbox.InboxScheduling,
        ConnectionKind.GNUHEALTH: gnuhealth.GnuHealthScheduling,
        ConnectionKind.HTTP: http.HttpScheduling,
        ConnectionKind.FHIR: fhir.FhirScheduling,
        ConnectionKind.CALENDAR: calendar.CalendarScheduling,
    }
)
_CHECKS: Mapping[ConnectionKind, Callable[[Config, bool], None]] = MappingProxyType(
    {
        ConnectionKind.INBOX: inbox.check,
        ConnectionKind.GNUHEALTH: gnuhealth.check,
        ConnectionKind.HTTP: http.check,
        ConnectionKind.FHIR: fhir.check,
        ConnectionKind.CALENDAR: calendar.check,
    }
)


def adapter(kind: ConnectionKind, config: Config, outside: Outside) -> SchedulingPort:
    """Return the adapter for a connection; raise ValueError where its settings can't be used."""
    return _of(_ADAPTERS, kind)(config, outside)


def check(kind: ConnectionKind, config: Config, allow_loopback: bool = False) -> None:
    """Raise ValueError, with a reason that names the member, where ``config`` can't be used.

    ``allow_loopback`` (development, tests): an address of this machine will do.
    """
    _of(_CHECKS, kind)(config, allow_loopback)


def _of(table: Mapping[ConnectionKind, T], kind: ConnectionKind) -> T:
    if kind not in table:
        raise ValueError(f"there is no adapter for {kind}")
    return table[kind]
