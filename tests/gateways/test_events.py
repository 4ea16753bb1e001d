"""The events that leave the house: a closed list, and nothing in them that anybody typed."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from jobs.messages import message
from server.clinical.visit_event import EVENT_TYPES, TEST, event_type
from server.clinical.vocabulary import AlertClass, Channel, SuggestionState
from server.gateways.events import TestData, VisitData, data_of, visit_link
from server.gateways.message import SendError
from server.gateways.templates import PATHS, UnknownTemplate
from server.services.messages.outbox import Claimed, Event
from server.settings import Settings

THEN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VISIT = VisitData("s", "c", "sent", 3, "https://journal.example/v1/inbox/booking-suggestions/s")
CLAIMED = Claimed(
    clinic_id=uuid7(),
    id=uuid7(),
    attempt=2,
    channel=Channel.WEBHOOK,
    contact_id=uuid7(),
    to="{}",
    language="de",
    template="visit_suggestion.sent",
    subject_id=uuid7(),
    urgency=AlertClass.P3,
    count=1,
    event=Event(THEN, SuggestionState.SENT, 3, True),
)


def test_an_event_has_these_members_and_no_other() -> None:
    assert [one.name for one in fields(VisitData)] == ["id", "clinic_id", "state", "version", "link"]
    assert list(data_of(event_type(SuggestionState.SENT), VISIT)) == [one.name for one in fields(VisitData)]
    assert list(data_of(TEST, TestData("w", "c"))) == ["id", "clinic_id"]


@pytest.mark.parametrize("name", ["", "visit_suggestion", "visit_suggestion.draft", "patient_needs_review"])
def test_a_type_that_is_not_in_the_list_is_not_sent(name: str) -> None:
    with pytest.raises(UnknownTemplate):
        data_of(name, VISIT)
    with pytest.raises(SendError) as caught:
        message(Settings(), replace(CLAIMED, template=name), THEN)
    assert (caught.value.permanent, caught.value.reason) == (True, "unknown_template")


def test_no_text_has_the_name_of_an_event() -> None:
    assert not EVENT_TYPES & PATHS.keys()


def test_an_event_has_no_words_in_whatever_language_and_is_of_its_own_time() -> None:
    later = THEN + timedelta(hours=5)
    found = message(Settings(public_url="https://journal.example"), CLAIMED, later)
    assert (found.subject, found.text, found.short, found.urgent) == ("", "", "", False)
    assert (found.kind, found.at) == ("visit_suggestion.sent", later)
    assert found.happened is not None
    assert found.happened.at == THEN
    assert (
        found.happened.data["link"]
        == found.link
        == visit_link("https://journal.example", CLAIMED.subject_id, True)
    )
