"""Where a visit stands in FHIR's words, as tables: how we say it, and how we read it.

Source: docs/scheduling.md, "States"; HL7 FHIR R4 4.0.1, AppointmentStatus and RequestStatus.
"""

from collections.abc import Mapping
from types import MappingProxyType

from server.clinical.vocabulary import AlertClass, DeclineCode, PeerStatus, SuggestionState

_S, _P = SuggestionState, PeerStatus

REQUEST_STATUS: Mapping[SuggestionState, str] = MappingProxyType(
    {
        _S.DRAFT: "draft",
        _S.SUGGESTED: "active",
        _S.SENT: "active",
        _S.ACKNOWLEDGED: "active",
        _S.NEEDS_ATTENTION: "active",
        _S.BOOKED: "active",
        _S.ARRIVED: "active",
        _S.FULFILLED: "completed",
        _S.NOSHOW: "revoked",
        _S.DECLINED: "revoked",
        _S.EXPIRED: "revoked",
        _S.WITHDRAWN: "revoked",
        _S.SUPERSEDED: "revoked",
        _S.CANCELLED: "revoked",
    }
)
# A draft has none: nothing is on a calendar before a clinician approved it.
APPOINTMENT_STATUS: Mapping[SuggestionState, str | None] = MappingProxyType(
    {
        _S.DRAFT: None,
        _S.SUGGESTED: "proposed",
        _S.SENT: "proposed",
        _S.ACKNOWLEDGED: "pending",
        _S.NEEDS_ATTENTION: "proposed",
        _S.BOOKED: "booked",
        _S.ARRIVED: "arrived",
        _S.FULFILLED: "fulfilled",
        _S.NOSHOW: "noshow",
        _S.DECLINED: "cancelled",
        _S.EXPIRED: "cancelled",
        _S.WITHDRAWN: "cancelled",
        _S.SUPERSEDED: "cancelled",
        _S.CANCELLED: "cancelled",
    }
)
# R4, app-3: only these may be without a time.
TIMELESS = frozenset({"proposed", "cancelled", "waitlist"})
PARTICIPATION: Mapping[str, str] = MappingProxyType(
    {
        "proposed": "needs-action",
        "pending": "needs-action",
        "booked": "accepted",
        "arrived": "accepted",
        "fulfilled": "accepted",
        "noshow": "accepted",
        "cancelled": "declined",
    }
)
REQUEST_PRIORITY: Mapping[AlertClass, str] = MappingProxyType(
    {AlertClass.P0: "stat", AlertClass.P1: "asap", AlertClass.P2: "urgent", AlertClass.P3: "routine"}
)
# As in calendars (RFC 5545): 1 is the highest, 9 the lowest.
APPOINTMENT_PRIORITY: Mapping[AlertClass, int] = MappingProxyType(
    {AlertClass.P0: 1, AlertClass.P1: 3, AlertClass.P2: 5, AlertClass.P3: 9}
)

# What ended is not here: whether it was declined or cancelled depends on whether it was ever booked.
APPOINTMENT_READ: Mapping[str, PeerStatus] = MappingProxyType(
    {
        "proposed": _P.PROPOSED,
        "pending": _P.PENDING,
        "waitlist": _P.PENDING,
        "booked": _P.BOOKED,
        "arrived": _P.ARRIVED,
        "checked-in": _P.ARRIVED,
        "fulfilled": _P.FULFILLED,
        "noshow": _P.NOSHOW,
    }
)
APPOINTMENT_ENDED = frozenset({"cancelled", "entered-in-error"})
REQUEST_READ: Mapping[str, PeerStatus] = MappingProxyType(
    {
        "draft": _P.PROPOSED,
        "active": _P.PROPOSED,
        "unknown": _P.PROPOSED,
        "on-hold": _P.PENDING,
        "revoked": _P.DECLINED,
        "entered-in-error": _P.DECLINED,
        "completed": _P.FULFILLED,
    }
)

# R4's reasons why an appointment was cancelled. What is not here is kept as "other": that somebody died or is
# pregnant is health data.
CANCELLATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CANCELLATION_READ: Mapping[str, DeclineCode] = MappingProxyType(
    {
        **dict.fromkeys(("pat", "pat-crs", "pat-cpp", "pat-fb", "pat-lt"), DeclineCode.PATIENT_REFUSED),
        **dict.fromkeys(("pat-mt", "pat-mv", "pat-ucp"), DeclineCode.PATIENT_REFUSED),
        "pat-swl": DeclineCode.ALREADY_BOOKED,
        **dict.fromkeys(("prov", "prov-pers", "prov-edu", "prov-hosp"), DeclineCode.NO_CAPACITY),
        **dict.fromkeys(("maint", "oth-room"), DeclineCode.NO_CAPACITY),
        **dict.fromkeys(("prov-dch", "prov-labs", "prov-mri", "prov-onc"), DeclineCode.NOT_INDICATED),
    }
)
