"""A visit in calendars: each rule of the standard that programs trip over."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject
from icalendar import Calendar, Event

from server.calendars.parts import id_of, ref_of
from server.calendars.patient_visit import patient_visit
from server.calendars.visit import STATUS, Method, entry, invitation, method_of, revised, status_of
from server.calendars.words import WORDS
from server.clinical.vocabulary import Language, SuggestionState
from tests.calendars.visits import BOOKED, ID, NINE, PARTIES, SENT, STAMP, UID
from tests.gateways.test_templates import FORBIDDEN

# The sixth column of the table of states in docs/scheduling-calendar.md.
STATUSES = {
    SuggestionState.DRAFT: None,
    SuggestionState.SUGGESTED: "TENTATIVE",
    SuggestionState.SENT: "TENTATIVE",
    SuggestionState.ACKNOWLEDGED: "TENTATIVE",
    SuggestionState.NEEDS_ATTENTION: "TENTATIVE",
    SuggestionState.BOOKED: "CONFIRMED",
    SuggestionState.ARRIVED: "CONFIRMED",
    SuggestionState.FULFILLED: "CONFIRMED",
    SuggestionState.NOSHOW: "CONFIRMED",
    SuggestionState.DECLINED: "CANCELLED",
    SuggestionState.EXPIRED: "CANCELLED",
    SuggestionState.WITHDRAWN: "CANCELLED",
    SuggestionState.SUPERSEDED: "CANCELLED",
    SuggestionState.CANCELLED: "CANCELLED",
}
# Zones of every kind of trouble: half hours, quarter hours, DST that is winter time, the date line.
ZONES = (
    *("Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"),
    *("Europe/Dublin", "Pacific/Apia", "America/St_Johns", "Asia/Tehran", "Etc/UTC", "UTC", "Asia/Kolkata"),
)


def request(visit: Any = SENT) -> bytes:
    return invitation(visit, method_of(visit.state), PARTIES, STAMP)


def event_in(raw: bytes) -> Event:
    (event,) = Calendar.from_ical(raw).events
    return event


def every_object() -> Iterator[bytes]:
    """Yield what is made of a visit in every state, language and zone."""
    for state in SuggestionState:
        if state is not SuggestionState.DRAFT:
            yield request(replace(SENT, state=state))
            yield entry(replace(BOOKED, state=state), Language.FR, STAMP)
    for language in Language:
        yield invitation(BOOKED, Method.REQUEST, replace(PARTIES, language=language), STAMP)
        yield patient_visit(BOOKED, language)
    for zone in ZONES:
        yield request(replace(BOOKED, zone=zone))


@pytest.mark.parametrize("state", SuggestionState)
def test_every_state_has_its_status(state: SuggestionState) -> None:
    wanted = STATUSES[state]
    if wanted is None:
        with pytest.raises(ValueError, match="draft"):
            invitation(replace(SENT, state=state), Method.REQUEST, PARTIES, STAMP)
        return
    assert event_in(request(replace(SENT, state=state)))["STATUS"] == wanted
    assert STATUS[state] == status_of(state) == wanted


def test_what_is_over_is_taken_back_and_never_asked_for() -> None:
    over = replace(SENT, state=SuggestionState.WITHDRAWN)
    assert b"METHOD:CANCEL" in request(over)
    with pytest.raises(ValueError, match="taken back"):
        invitation(over, Method.REQUEST, PARTIES, STAMP)


def test_the_name_of_a_visit_never_changes_and_its_sequence_rises() -> None:
    life = [SENT, replace(SENT, version=4, latest=date(2026, 3, 20)), BOOKED]
    life += [replace(BOOKED, version=6, state=SuggestionState.CANCELLED)]
    events = [event_in(request(visit)) for visit in life]
    assert {str(event["UID"]) for event in events} == {UID}
    assert [event["SEQUENCE"] for event in events] == [3, 4, 5, 6]
    assert {str(event["ORGANIZER"]) for event in events} == {"mailto:visits@journal.example"}
    assert id_of(UID) == id_of(UID.upper()) == ID


def test_a_name_that_is_not_ours_is_refused() -> None:
    for uid in ("x", f"{ID}@elsewhere.example", "no-uuid@visits.afterglow.invalid"):
        with pytest.raises(ValueError):
            id_of(uid)


def test_the_stamp_is_that_of_the_making_in_whole_seconds_of_utc() -> None:
    local = STAMP.astimezone(ZoneInfo("America/New_York"))
    assert b"DTSTAMP:20260302T120007Z" in invitation(SENT, Method.REQUEST, PARTIES, local)


def test_a_suggestion_spans_its_days_and_keeps_nobodys_time_free() -> None:
    event = event_in(request())
    assert (event.start, event.end) == (date(2026, 3, 5), date(2026, 3, 13))
    assert event["TRANSP"] == "TRANSPARENT"


def test_a_booked_visit_has_its_time_in_the_visits_own_zone_with_its_rules() -> None:
    event = event_in(request(BOOKED))
    assert (event.start, event.end) == (NINE, NINE + timedelta(minutes=90))
    assert event["TRANSP"] == "OPAQUE"
    assert b"DTSTART;TZID=Europe/Oslo:20260306T100000" in request(BOOKED)
    longer = replace(BOOKED, ends_at=NINE + timedelta(hours=3))
    assert event_in(request(longer)).end == longer.ends_at


@pytest.mark.parametrize("zone", ZONES)
def test_the_rules_of_the_zone_alone_give_the_right_moment(zone: str) -> None:
    """A program that knows no zone by name goes by what comes along; here it is read like that."""
    # That library, too, remembers rules for the whole process by their name.
    name = zone.encode()
    nowhere = b"Nowhere-" + name.replace(b"/", b"-")
    for day in (date(2026, 1, 10), date(2026, 3, 29), date(2026, 7, 10), date(2026, 10, 25)):
        starts_at = datetime(day.year, day.month, day.day, 15, 20, tzinfo=UTC)
        raw = request(replace(BOOKED, zone=zone, starts_at=starts_at))
        renamed = raw.replace(b"TZID=" + name, b"TZID=" + nowhere).replace(
            b"TZID:" + name, b"TZID:" + nowhere
        )
        start = vobject.readOne(renamed.decode()).vevent.dtstart.value
        assert start.astimezone(UTC) == starts_at, (zone, day)


def test_the_mail_asks_the_mailbox_for_an_answer() -> None:
    attendee = event_in(request())["ATTENDEE"]
    assert attendee == "mailto:scheduling@clinic.example"
    assert (attendee.params["RSVP"], attendee.params["PARTSTAT"]) == ("TRUE", "NEEDS-ACTION")
    assert "RSVP" not in event_in(request(replace(SENT, state=SuggestionState.EXPIRED)))["ATTENDEE"].params


def test_who_sends_for_the_organizer_is_named() -> None:
    parties = replace(PARTIES, organizer="visits@clinic.example", sent_by="us@journal.example")
    organizer = event_in(invitation(SENT, Method.REQUEST, parties, STAMP))["ORGANIZER"]
    assert (str(organizer), organizer.params["SENT-BY"]) == (
        "mailto:visits@clinic.example",
        "mailto:us@journal.example",
    )


def test_what_is_kept_in_a_calendar_has_no_method_and_invites_nobody() -> None:
    raw = entry(SENT, Language.EN, STAMP)
    assert [word for word in (b"METHOD", b"ORGANIZER", b"ATTENDEE") if word in raw] == []


def test_lines_end_with_crlf_and_are_folded_at_75_octets() -> None:
    for raw in every_object():
        lines = raw.split(b"\r\n")
        assert b"\n" not in raw.replace(b"\r\n", b"")
        assert max(map(len, lines)) <= 75
        assert lines[-1] == b""


def test_another_library_reads_the_same() -> None:
    for raw in every_object():
        ours, theirs = event_in(raw), vobject.readOne(raw.decode()).vevent
        theirs.validate(raiseException=True)
        assert theirs.uid.value == ours["UID"]
        assert theirs.summary.value == ours["SUMMARY"]
        assert (theirs.dtstart.value, theirs.dtend.value) == (ours.start, ours.end)


def test_no_line_says_for_whom_why_or_with_what() -> None:
    allowed = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    for raw in every_object():
        text = allowed.sub("", raw.decode().replace("\r\n ", "")).casefold()
        stems = {stem for stems in FORBIDDEN.values() for stem in stems.split()} - {"dose", "pain"}
        assert [stem for stem in stems if stem in text] == []
        assert str(SENT.patient_id) not in text
    title = event_in(request())["SUMMARY"]
    assert title == f"Clinic visit suggestion {ref_of(ID)}" == "Clinic visit suggestion 000a11ce"


def test_the_words_are_there_in_every_language_and_none_is_a_copy() -> None:
    assert set(WORDS) == set(Language)
    assert len({words.asks for words in WORDS.values()}) == len(Language)
    for language, words in WORDS.items():
        said = " ".join((words.suggestion, words.visit, words.ended, words.asks, words.tells)).casefold()
        assert [stem for stem in FORBIDDEN[language].split() if stem in said] == []


def test_the_patients_own_file_says_that_it_is_a_visit_and_when() -> None:
    raw = patient_visit(BOOKED, Language.EN)
    event = event_in(raw)
    assert (event["SUMMARY"], event.start, event["UID"]) == ("Clinic visit", NINE, UID)
    assert [word for word in (b"METHOD", b"DESCRIPTION", b"ATTENDEE", b"Reference") if word in raw] == []
    with pytest.raises(ValueError, match="without a time"):
        patient_visit(SENT, Language.EN)


def test_what_the_staff_wrote_into_an_entry_stays_when_it_is_brought_up_to_date() -> None:
    kept = Calendar.from_ical(entry(SENT, Language.EN, STAMP))
    (event,) = kept.events
    event.add("location", "Room 2; first floor")
    event["SEQUENCE"] = 9
    (later,) = Calendar.from_ical(revised(kept, BOOKED, Language.EN, STAMP)).events
    assert later["LOCATION"] == "Room 2; first floor"
    assert (later.start, later["STATUS"], later["SUMMARY"]) == (NINE, "CONFIRMED", "Clinic visit 000a11ce")
    assert later["SEQUENCE"] == 10
