"""Every event that leaves the house, member for member: ids, a state, a version, a link. No words.

Nothing can be added to one from outside, so none can hold health data.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from server.clinical.visit_event import EVENT_TYPES
from server.gateways.templates import UnknownTemplate

# Who listens reads there: one of the clinic's systems, or somebody of its staff.
PLACES: Mapping[bool, str] = MappingProxyType(
    {True: "/v1/inbox/booking-suggestions/{id}", False: "/v1/booking-suggestions/{id}"}
)


@dataclass(frozen=True, slots=True)
class VisitData:
    """What an event says of a visit: state and version are those of the move it tells of."""

    id: str
    clinic_id: str
    state: str
    version: int
    link: str


@dataclass(frozen=True, slots=True)
class TestData:
    """What the event of a test says: the id of the webhook that is tested."""

    __test__ = False  # no test of ours, whatever its name

    id: str
    clinic_id: str


def data_of(kind: str, data: VisitData | TestData) -> Mapping[str, str | int]:
    """Return the members of an event; raise `UnknownTemplate` where there is no type ``kind``."""
    if kind not in EVENT_TYPES:
        raise UnknownTemplate("not in the closed list of events")
    return asdict(data)


def visit_link(base_url: str, suggestion_id: object, to_system: bool) -> str:
    """Return where the visit of an event is read."""
    return base_url + PLACES[to_system].format(id=suggestion_id)
