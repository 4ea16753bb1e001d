"""GNU Health 5.0: a proposal is an appointment in state `free`; staff choose the time when they confirm it.

There is no key of ours it would keep unique, so our id stands in the comments, and is looked for before
anything is made. What it calls a state is in docs/scheduling-gnuhealth.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from server.clinical.visit import Capabilities, Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import AlertClass, DeclineCode, PeerStatus, SuggestionState
from server.gateways.message import SendError
from server.gateways.scheduling.members import Members
from server.gateways.scheduling.port import Config, Outside
from server.gateways.scheduling.tryton import Row, Tryton, moment, stamp, unreadable

CAPABILITIES = Capabilities()
APPOINTMENT_TYPES = ("outpatient", "telemedicine", "homecare", "inpatient")

_MODEL = "gnuhealth.appointment"
_FIELDS = ("id", "state", "appointment_date", "comments", "write_date", "create_date", "_timestamp")
_FREE = (None, "free")
_STATUS: Mapping[str | None, PeerStatus] = {
    None: PeerStatus.PROPOSED,
    "free": PeerStatus.PROPOSED,
    "confirmed": PeerStatus.BOOKED,
    "checked_in": PeerStatus.ARRIVED,
    "done": PeerStatus.FULFILLED,
    "no_show": PeerStatus.NOSHOW,
}
_CANCELLED = {"user_cancelled": DeclineCode.PATIENT_REFUSED, "center_cancelled": DeclineCode.OTHER}
_STATES = (*_STATUS, *_CANCELLED)
# GNU Health has three; a medical emergency is never waiting for a visit.
_URGENT = (AlertClass.P0, AlertClass.P1)
_BOOKED = (SuggestionState.BOOKED, SuggestionState.ARRIVED)


def check(config: Config, allow_loopback: bool = False) -> None:
    """Raise ValueError, with a reason that names the member, where ``config`` can't be used."""
    members = Members(config)
    required = ("base_url", "database", "user", "password")
    members.only(*required, "institution", "healthprof", "appointment_type")
    members.address("base_url", allow_loopback)
    for name in required[1:]:
        members.text(name)
    if ":" in members.text("user"):
        members.fail("user", "must hold no colon: it ends the name in a session")
    members.number("institution")
    members.number("healthprof")
    members.choice("appointment_type", APPOINTMENT_TYPES, "outpatient")


class GnuHealthScheduling:
    """One GNU Health database, as one of its users."""

    capabilities = CAPABILITIES

    def __init__(self, config: Config, outside: Outside) -> None:
        check(config, allow_loopback=True)  # whether it may go there is for the egress to say
        account = (config["user"], config["password"])
        base_url = config["base_url"].rstrip("/")
        self._tryton = Tryton(outside.egress, base_url, config["database"], account)
        self._institution, self._healthprof = config.get("institution"), config.get("healthprof")
        self._type = config.get("appointment_type", "outpatient")

    def lane(self) -> str:
        """Name host and port."""
        return self._tryton.lane()

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Make a free appointment, or bring it up to date as long as it is free."""
        rows = self._rows(proposed, now) or self._made(proposed, now)
        self._close(rows[1:], now)
        if _is_free(rows[0]) and _line(proposed) not in _lines(rows[0]):
            self._tryton.write(_MODEL, rows[0], _renewed(rows[0], proposed), now)
            rows = self._rows(proposed, now) or rows
        return _seen(rows[0], proposed)

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how the appointment stands."""
        rows = self._rows(proposed, now)
        return _seen(rows[0], proposed) if rows else None

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Cancel it as the health centre does, as long as it is free."""
        rows = self._rows(proposed, now)
        if self._close(rows, now):
            rows = self._rows(proposed, now)
        return _seen(rows[0], proposed) if rows else None

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Its free times stand in modules that are not everywhere."""
        return ()

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """It sends no messages."""
        raise ValueError("GNU Health sends no messages")

    def _rows(self, proposed: Proposed, now: datetime) -> list[Row]:
        """Return what stands there for our id: what the clinic has dealt with first, cancelled ones last.

        There may be two, where an answer was lost while the first was still being made.
        """
        wanted: list[object] = ["OR", ["comments", "like", f"%{_reference(proposed)}%"]]
        if (proposed.external_id or "").isdecimal():
            wanted.append(["id", "=", int(proposed.external_id or "")])
        rows = self._tryton.rows(_MODEL, wanted, _FIELDS, now)
        if not all(row["state"] in _STATES for row in rows):
            raise unreadable()
        return sorted(rows, key=_rank)

    def _made(self, proposed: Proposed, now: datetime) -> list[Row]:
        self._tryton.create(_MODEL, self._new(proposed, now), now)
        rows = self._rows(proposed, now)
        if not rows:
            raise SendError(False, "not_taken")
        return rows

    def _close(self, rows: Sequence[Row], now: datetime) -> bool:
        """Cancel those that are free; return whether there were any."""
        free = [row for row in rows if _is_free(row)]
        for row in free:
            self._tryton.write(_MODEL, row, {"state": "center_cancelled"}, now)
        return bool(free)

    def _new(self, proposed: Proposed, now: datetime) -> Row:
        mapped = proposed.mapped
        kind = mapped.appointment_type or self._type
        if kind not in APPOINTMENT_TYPES:
            raise SendError(True, "appointment_type_unmapped")
        values = {
            "patient": self._patient(mapped.patient, now),
            "healthprof": self._provider(mapped.provider, now),
            "institution": self._institution,
            "appointment_type": kind,
            # Its own default, a new condition, is wrong of every visit we suggest.
            "visit_type": "followup",
            "comments": _line(proposed),
            **_window(proposed),
        }
        # A member that is left out takes the default of the user's own institution and profession.
        return {"state": "free", **{name: value for name, value in values.items() if value is not None}}

    def _patient(self, name: str, now: datetime) -> int:
        """Return the id of the patient whose id (digits) or PUID is ``name``."""
        if not name:
            raise SendError(True, "patient_unmapped")
        wanted = ["id", "=", int(name)] if name.isdecimal() else ["puid", "=", name]
        return self._only("gnuhealth.patient", wanted, "patient_unknown", now)

    def _provider(self, name: str, now: datetime) -> int | None:
        if not name:
            return self._healthprof
        if not name.isdecimal():
            raise SendError(True, "provider_unknown")
        wanted = ["id", "=", int(name)]
        return self._only("gnuhealth.healthprofessional", wanted, "provider_unknown", now)

    def _only(self, model: str, wanted: Sequence[object], reason: str, now: datetime) -> int:
        """Return the one id there is: on SQLite it would take an id that nobody has."""
        match self._tryton.rows(model, [wanted], ("id",), now):
            case [{"id": int() as id}]:
                return id
        raise SendError(True, reason)


def _seen(row: Row, proposed: Proposed) -> Seen:
    state, date, status = row["state"], moment(row["appointment_date"]), _status(row, proposed)
    # The date of a free one is only where its window begins.
    starts_at = None if _is_free(row) or state in _CANCELLED else date
    return Seen(
        external_id=str(row["id"]),
        status=status,
        starts_at=starts_at,
        # Its clock may tell whole seconds only; two changes in one are told apart by what they changed.
        version=f"{row['_timestamp']} {state} {date}",
        changed_at=moment(row["write_date"]) or moment(row["create_date"]),
        decline=_CANCELLED.get(state) if status is PeerStatus.DECLINED else None,
    )


def _status(row: Row, proposed: Proposed) -> PeerStatus:
    if row["state"] in _CANCELLED:
        return PeerStatus.CANCELLED if proposed.state in _BOOKED else PeerStatus.DECLINED
    return _STATUS[row["state"]]


def _is_free(row: Row) -> bool:
    return row["state"] in _FREE


def _rank(row: Row) -> tuple[int, int]:
    order = 1 if _is_free(row) else 2 if row["state"] in _CANCELLED else 0
    return order, row["id"]


def _reference(proposed: Proposed) -> str:
    return f"afterglow:{proposed.id}"


def _line(proposed: Proposed) -> str:
    """Return our line of the comments: what staff need to choose a time, and nothing of why."""
    window = f"{proposed.earliest} to {proposed.latest} ({proposed.zone}), {proposed.minutes} minutes"
    return f"Suggested visit: {window}. Reference {_reference(proposed)}"


def _lines(row: Row) -> list[str]:
    return (row["comments"] or "").splitlines()


def _window(proposed: Proposed) -> Row:
    begins = datetime.combine(proposed.earliest, time(), ZoneInfo(proposed.zone))
    return {"appointment_date": stamp(begins), "urgency": "b" if proposed.urgency in _URGENT else "a"}


def _renewed(row: Row, proposed: Proposed) -> Row:
    """Return what changes: our own line, not what staff have written beside it."""
    others = [line for line in _lines(row) if _reference(proposed) not in line]
    return {"comments": "\n".join([*others, _line(proposed)]), **_window(proposed)}
