"""What the contract can't say: which operations refuse what fits it, with which status, and why.

Each line shows a request that does, as changes of the contract's example: a line without one is not needed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import NOON
from tests.scales import filled

NOBODY_ID = "019caae3-5000-7000-8000-00000000ffff"
GONE = object()  # a member of the example that is left out
LATE, LATER, FAR = "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", "2199-01-01T00:00:00Z"


@dataclass(frozen=True)
class Refusal:
    """A line of the table. ``who`` asks, where not the first one whom the operation lets in."""

    operations: tuple[str, ...]
    why: str
    body: Mapping[str, Any] | str = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 422
    before: tuple[str, ...] = ()  # what has to happen first, with the contract's examples
    taken: tuple[str, ...] = ()  # members of the body that are as the answers before say them


def _one(operation: str, why: str, **more: Any) -> Refusal:
    return Refusal((operation,), why, **more)


_ACCOUNT = "whether an id is a working account of the clinic, of which role, only the server knows"
_ORDER = "one value may not lie before, or be less than, another one"
_NOW = "what is past, ahead or too far away depends on the day"
_ZONES = "zones come and go with the data of IANA: the contract names their format alone"
_PUSH_INSIDE = {
    "endpoint": "https://push.internal/send/abc",
    "keys": {"p256dh": f"BA{'A' * 85}", "auth": "A" * 22},
}
_TREND = (
    *("/v1/me/trend", "/v1/me/trend.svg", "/v1/cared-for/{patient_id}/trend"),
    *("/v1/patients/{patient_id}/trend", "/v1/patients/{patient_id}/trend.svg"),
)
_MINE = "/questionnaire-responses/{response_id}"
TABLE = (
    Refusal(
        tuple(f"GET {path}" for path in _TREND),
        _ORDER,
        query={"first": "2026-03-02", "last": "2026-03-01"},
    ),
    Refusal(
        tuple(
            f"GET /fhir/R4/{kind}"
            for kind in ("QuestionnaireResponse", "Observation", "Provenance", "DetectedIssue")
        ),
        "staff say whose, a patient need not; and only the server knows the places of its lists",
        query={"_cursor": "nowhere"},
        status=400,
    ),
    _one(
        "PUT /fhir/R4/Appointment/{visit_id}",
        "a resource bears the id of its address, and the status decides whether it has a time",
        body={"id": "another"},
    ),
    _one(
        "POST /fhir/R4/AppointmentResponse",
        "FHIR says what is in a resource; the answer decides whether it has a time",
        body={"start": LATER, "end": LATE},
    ),
    _one(
        "GET /v1/alerts",
        "a patient's id and a kind of alert stand in no address together; a cursor is the server's own text",
        query={"family": "safety", "patient_id": NOBODY_ID},
    ),
    Refusal(
        ("POST /v1/alerts/hand-over", "POST /v1/alerts/{alert_id}/assign"),
        _ACCOUNT,
        {"account_id": NOBODY_ID},
    ),
    Refusal(("POST /v1/rota/shifts", "POST /v1/clinic/webhooks"), _ACCOUNT, {"account_id": NOBODY_ID}),
    Refusal(("POST /v1/patients", "PATCH /v1/patients/{patient_id}"), _ACCOUNT, {"clinician_id": NOBODY_ID}),
    _one("PUT /v1/rota", f"{_ACCOUNT}; spans of a day are in order", body={"fallback_account_id": NOBODY_ID}),
    _one(
        "PATCH /v1/clinic/webhooks/{webhook_id}",
        "who may hear of what depends on the account's role",
        body={"events": ["alerts"]},
    ),
    _one(
        "POST /v1/alerts/{alert_id}/feedback",
        "it is said of one of the alert's own codes",
        body={"code": "none"},
    ),
    _one("POST /v1/alerts/{alert_id}/snooze", _NOW, body={"until": FAR}),
    _one("POST /v1/booking-suggestions/{suggestion_id}/change", _NOW, body={"latest": "2199-01-01"}),
    _one("POST /v1/inbox/booking-suggestions/{suggestion_id}/book", _NOW, body={"starts_at": FAR}),
    _one("POST /v1/inbox/booking-suggestions/{suggestion_id}/propose-time", _NOW, body={"starts_at": FAR}),
    _one(
        "POST /v1/visits/{visit_id}/answer",
        _NOW,
        body={"preferred_times": [{"starts_at": LATER, "ends_at": LATE}]},
    ),
    _one(
        "POST /v1/inbox/calendar-replies",
        "iCalendar (RFC 5545, RFC 5546) says what a reply is, and what it answers the server knows",
        body="BEGIN",
    ),
    _one(
        "POST /v1/clinic/consent-texts/{purpose}",
        "a text is there in the clinic's own language, which is set elsewhere",
        body={"texts": {"de": {"title": "Worum es geht", "text": "Worum wir bitten."}}},
    ),
    Refusal(
        (
            "POST /v1/clinic/policies",
            "PUT /v1/patients/{patient_id}/policy",
            "POST /v1/clinic/policy-replays",
        ),
        "some thresholds may not exceed others, also those that are not sent",
        {"values": {"silence.short_days": 7, "silence.usual_days": 5}},
    ),
    Refusal(
        ("POST /v1/clinic/scheduling-connections", "PATCH /v1/clinic/scheduling-connections/{connection_id}"),
        "what the settings may be is said on the page of their kind, docs/scheduling.md",
        {"config": {"base_url": "\u0000"}},
    ),
    _one(
        "PUT /v1/clinic/scales/{key}",
        "which questions and answers a scale has is said by the scale",
        body={"options": {}},
    ),
    _one(
        "POST /v1/me/contact-points/{contact_id}/verify",
        "the code was sent elsewhere",
        body={"code": "000000"},
    ),
    _one(
        "POST /v1/me/factors/passkeys",
        "the browser that has asked signs the ticket's challenge, nobody else can",
        before=("POST /v1/me/factors/passkeys/options",),
        taken=("ticket",),
    ),
    _one(
        "POST /v1/me/contact-points",
        "which hosts are public no pattern can say",
        body={"channel": "push", "number": GONE, "subscription": _PUSH_INSIDE},
    ),
    _one("PATCH /v1/me/zone", _ZONES, body={"zone": "Europe/Nowhere"}),
    _one("PATCH /v1/clinic", _ZONES, body={"zone": "Europe/Nowhere"}),
    _one("POST /v1/me/factors/totp/{factor_id}/confirm", "the code is of now", body={"totp": "000000"}),
    _one("PUT /v1/me/contact-points/order", "it names each point there is", body={"ids": [NOBODY_ID]}),
    _one(
        "PUT /v1/me/password",
        "how long a password has to be, and which are too well known, depends on the account",
        body={"new_password": "password1"},
    ),
    _one("POST /v1/patients/{patient_id}/blood-pressures", _ORDER, body={"systolic": 100, "diastolic": 120}),
    _one(
        "POST /v1/patients/{patient_id}/courses",
        _ORDER,
        body={"min_interval_days": 9, "max_interval_days": 8},
    ),
    _one("PATCH /v1/patients/{patient_id}/courses/{course_id}", _ORDER, body={"ended_on": "1900-01-01"}),
    _one(
        "POST /v1/patients/{patient_id}/precautions",
        _ORDER,
        body={"since": "2026-03-02", "until": "2026-03-01"},
    ),
    _one("POST /v1/patients/{patient_id}/legal-holds", _NOW, body={"until": "1900-01-01"}),
    _one(
        "POST /v1/patients/{patient_id}/erasure/confirm",
        "it names the patient",
        body={"patient_name": "Nobody"},
        before=(
            "POST /v1/patients/{patient_id}/legal-holds/{hold_id}/release",
            "POST /v1/patients/{patient_id}/erasure",
        ),
    ),
    Refusal(
        (
            "POST /v1/patients/{patient_id}/treatment-sessions",
            "PATCH /v1/patients/{patient_id}/treatment-sessions/{session_id}",
        ),
        _NOW,
        {"status": "delivered", "at": FAR},
    ),
    Refusal(
        ("PUT /v1/entries/{entry_id}", "PUT /v1/cared-for/{patient_id}/entries/{entry_id}"),
        "an entry says something, of the last days, and onsets belong to effects that were there",
        {
            "recorded_at": "2026-01-01T00:00:00Z",
            "occurred_at": "2025-11-01T00:00:00Z",
            "side_effect_onset": GONE,
        },
    ),
    Refusal(
        (f"PUT /v1{_MINE}", f"PUT /v1/patients/{{patient_id}}{_MINE}"),
        "which answers a scale takes is said by the scale, and an occurrence names it",
        {**filled(NOON), "occurrence": "nothing"},
    ),
    _one(
        "POST /v1/sync",
        "a cursor is signed for one patient; another one means: start again",
        body={"cursor": "nowhere"},
        status=410,
    ),
    _one(
        "PUT /v1/me/check-in-plan",
        f"{_ORDER}, and no reminder lies in the quiet hours",
        body={"pause": {"first": "2026-03-02", "last": "2026-03-01"}},
    ),
    _one(
        "PUT /v1/patients/{patient_id}/check-in-plan",
        "what a scale's days are counted from decides which members it needs",
        body={"scales": [{"instrument": "phq-9", "anchor": "session"}]},
    ),
)


# The items of a batch are judged one by one, each with a verdict of its own: none refuses the batch.
INVALID_BUT_TAKEN: Mapping[str, tuple[int, ...]] = {"POST /v1/sync": (200, 410)}


def exceptions(refusals: list[Any], answers: list[Any]) -> list[dict[str, Any]]:
    """Return Schemathesis' settings of the operations named here.

    ``refusals``: what any answer to invalid data may be, ``answers``: to valid data.
    """
    # Those of one setting are named together: the tool goes through all settings with every request.
    alike: dict[tuple[int, ...], list[str]] = {}
    for operation, status in {one: line.status for line in TABLE for one in line.operations}.items():
        alike.setdefault((status, *INVALID_BUT_TAKEN.get(operation, ())), []).append(re.escape(operation))
    return [
        {
            "include-name-regex": f"^({'|'.join(names)})$",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": [*answers, status]},
                "negative_data_rejection": {"expected-statuses": [*refusals, *taken]},
            },
        }
        for (status, *taken), names in alike.items()
    ]
