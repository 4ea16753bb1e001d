"""A suggested visit as FHIR resources: the same in every state, valid, and silent about why."""

import json
import re
from datetime import date, datetime

import pytest

from server.clinical.visit import Mapped
from server.clinical.vocabulary import AlertClass, SuggestionState
from server.fhir.visit import appointment, service_request
from server.gateways.scheduling.backend_services import new_service_key
from server.gateways.scheduling.fhir import check
from tests.fhir.proposals import ANA_ID, HAVE_A_TIME, MAPPED, SLOTS, TEN, proposal
from tests.fhir.validators import Validators
from tests.source import ROOT

STATES = list(SuggestionState)
ON_CALENDARS = [state for state in STATES if state is not SuggestionState.DRAFT]
# What docs/scheduling.md says, word by word.
SAID = {
    "draft": ("draft", None),
    "suggested": ("active", "proposed"),
    "sent": ("active", "proposed"),
    "acknowledged": ("active", "proposed"),  # pending would need a time
    "needs_attention": ("active", "proposed"),
    "booked": ("active", "booked"),
    "arrived": ("active", "arrived"),
    "fulfilled": ("completed", "fulfilled"),
    "noshow": ("revoked", "noshow"),
    "declined": ("revoked", "cancelled"),
    "expired": ("revoked", "cancelled"),
    "withdrawn": ("revoked", "cancelled"),
    "superseded": ("revoked", "cancelled"),
    "cancelled": ("revoked", "cancelled"),
}


def test_every_state_has_its_words() -> None:
    assert set(SAID) == set(STATES)
    for state in STATES:
        assert service_request(proposal(state))["status"] == SAID[state][0], state
    for state in ON_CALENDARS:
        assert appointment(proposal(state))["status"] == SAID[state][1], state


def test_a_draft_is_on_no_calendar() -> None:
    with pytest.raises(ValueError):
        appointment(proposal(SuggestionState.DRAFT))


def test_seen_by_a_person_and_with_a_time_it_is_pending() -> None:
    assert appointment(proposal(SuggestionState.ACKNOWLEDGED, starts_at=TEN))["status"] == "pending"


@pytest.mark.peers
@pytest.mark.parametrize("mapped", [Mapped(), MAPPED], ids=["nothing mapped", "all mapped"])
def test_every_state_is_valid_fhir(validators: Validators, mapped: Mapped) -> None:
    for state in STATES:
        visit = proposal(state, mapped=mapped, slots=SLOTS)
        assert validators.problems(service_request(visit)) == [], state
    for state in ON_CALENDARS:
        visit = proposal(state, mapped=mapped, slots=SLOTS)
        assert validators.problems(appointment(visit, "http://clinic.example/mrn", "ServiceRequest/1")) == []


def test_both_are_found_by_our_own_identifier() -> None:
    identifier = [{"system": "urn:afterglow:suggestion", "value": str(proposal().id)}]
    assert service_request(proposal())["identifier"] == identifier
    assert appointment(proposal())["identifier"] == identifier


def test_a_patient_the_clinic_has_not_mapped_is_named_by_our_id() -> None:
    ours = {"type": "Patient", "identifier": {"system": "urn:afterglow:patient", "value": str(ANA_ID)}}
    assert service_request(proposal())["subject"] == ours
    assert appointment(proposal())["participant"][0]["actor"] == ours
    assert service_request(proposal(), "http://clinic.example/mrn")["subject"] == ours


@pytest.mark.parametrize(
    ("mapped", "system", "named"),
    [
        ("12", None, {"reference": "Patient/12"}),
        ("Patient/12", None, {"reference": "Patient/12"}),
        ("https://a.example/r4/Patient/12", None, {"reference": "https://a.example/r4/Patient/12"}),
        ("12", "urn:mrn", {"type": "Patient", "identifier": {"system": "urn:mrn", "value": "12"}}),
    ],
)
def test_a_mapped_patient_is_named_as_the_clinic_does(mapped: str, system: str | None, named: object) -> None:
    visit = proposal(mapped=Mapped(patient=mapped))
    assert service_request(visit, system)["subject"] == named
    assert appointment(visit, system)["participant"][0]["actor"] == named


def test_kind_provider_and_room_are_the_clinics_own() -> None:
    request, meeting = service_request(proposal(mapped=MAPPED)), appointment(proposal(mapped=MAPPED))
    kind = {"coding": [{"system": "http://clinic.example/visits", "code": "V2"}]}
    assert (request["code"], meeting["serviceType"]) == (kind, [kind])
    assert request["performer"] == [{"reference": "Practitioner/bo-there"}]
    assert request["locationReference"] == [{"reference": "Location/room-2"}]
    actors = [one["actor"]["reference"] for one in meeting["participant"]]
    assert actors == ["Patient/ana-there", "Practitioner/bo-there", "Location/room-2"]
    assert appointment(proposal(mapped=Mapped(appointment_type="Follow-up")))["serviceType"] == [
        {"text": "Follow-up"}
    ]


def test_the_window_is_days_in_the_proposal_and_moments_of_the_zone_in_the_appointment() -> None:
    assert service_request(proposal())["occurrencePeriod"] == {"start": "2026-12-01", "end": "2026-12-08"}
    assert appointment(proposal())["requestedPeriod"] == [
        {"start": "2026-12-01T00:00:00-05:00", "end": "2026-12-08T23:59:59-05:00"}
    ]


def test_a_window_over_the_end_of_summer_time_has_both_offsets() -> None:
    visit = proposal(earliest=date(2026, 10, 30), latest=date(2026, 11, 2))
    assert appointment(visit)["requestedPeriod"] == [
        {"start": "2026-10-30T00:00:00-04:00", "end": "2026-11-02T23:59:59-05:00"}
    ]


def test_candidate_times_are_slots_of_the_clinic_or_periods() -> None:
    meeting = appointment(proposal(slots=SLOTS))
    assert meeting["slot"] == [{"reference": "Slot/17"}]
    assert meeting["requestedPeriod"][0] == {
        "start": "2026-12-04T10:00:00-05:00",
        "end": "2026-12-04T11:30:00-05:00",
    }
    assert len(meeting["requestedPeriod"]) == 2


def test_a_booked_visit_has_its_time_and_an_end_where_nobody_said_one() -> None:
    visit = proposal(SuggestionState.BOOKED, starts_at=TEN, ends_at=None, minutes=60)
    meeting = appointment(visit)
    assert (meeting["start"], meeting["end"]) == ("2026-12-03T10:00:00-05:00", "2026-12-03T11:00:00-05:00")


def test_nothing_without_a_time_is_said_to_be_booked() -> None:
    for state in HAVE_A_TIME:
        assert appointment(proposal(state, starts_at=None, ends_at=None))["status"] == "proposed"


def test_the_more_urgent_the_higher_the_priority() -> None:
    order = [service_request(proposal(urgency=urgency))["priority"] for urgency in AlertClass]
    assert order == ["stat", "asap", "urgent", "routine"]
    assert [appointment(proposal(urgency=urgency))["priority"] for urgency in AlertClass] == [1, 3, 5, 9]


def test_a_proposal_says_nothing_about_why() -> None:
    whole = json.dumps([service_request(proposal(mapped=MAPPED)), appointment(proposal(mapped=MAPPED))])
    for word in ("reason", "note", "comment", "description", "mood", "relapse", "ketamine", "score"):
        assert word not in whole


def test_a_day_that_begins_at_one_oclock_does_not_break_the_window() -> None:
    visit = proposal(zone="America/Santiago", earliest=date(2026, 9, 6), latest=date(2026, 9, 6))
    (window,) = appointment(visit)["requestedPeriod"]
    assert datetime.fromisoformat(window["start"]) < datetime.fromisoformat(window["end"])


def test_the_page_shows_what_is_sent_and_settings_that_can_be() -> None:
    page = (ROOT / "docs" / "scheduling-fhir.md").read_text("utf-8")
    settings, request, meeting = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.S))
    visit = proposal(mapped=MAPPED, slots=SLOTS)
    assert request == service_request(visit)
    assert meeting == appointment(visit, based_on="ServiceRequest/9")
    check({**settings, "auth": {**settings["auth"], "key": new_service_key(settings["auth"]["kid"])}})
