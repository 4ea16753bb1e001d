"""Reading what calendar programs and servers write: moved, confirmed, cancelled, and nonsense."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.calendars.read import Told, parsed, says, seen, told
from server.calendars.visit import entry
from server.clinical.visit import Seen
from server.clinical.vocabulary import Language, PeerStatus, SuggestionState
from tests.calendars.visits import BOOKED, ID, NINE, SENT, STAMP, answer, timed

OURS = entry(SENT, Language.EN, STAMP)
DAYS = (date(2026, 3, 5), date(2026, 3, 12))


def read(raw: bytes, zone: str = "Europe/Oslo") -> Told:
    return told(parsed(raw), zone)


def stands(raw: bytes) -> Seen:
    return seen(read(raw), SENT, '"e1"', "theirs")


def moved(start: bytes, end: bytes) -> bytes:
    before = (b"DTSTART;VALUE=DATE:20260305", b"DTEND;VALUE=DATE:20260313")
    return OURS.replace(before[0], start).replace(before[1], end)


def test_what_we_wrote_is_read_back() -> None:
    found = read(OURS)
    assert (found.suggestion_id, found.order.sequence, found.status) == (ID, 3, "TENTATIVE")
    assert (found.starts_at, found.days, found.offered) == (None, DAYS, DAYS)
    assert found.order.stamp == STAMP.replace(microsecond=0)
    assert says(found, SENT)
    assert says(read(entry(BOOKED, Language.EN, STAMP)), BOOKED)


def test_what_we_would_write_otherwise_is_noticed() -> None:
    changes = [replace(SENT, latest=date(2026, 3, 13)), BOOKED, replace(SENT, state=SuggestionState.EXPIRED)]
    assert [visit for visit in changes if says(read(OURS), visit)] == []


def test_untouched_it_is_proposed() -> None:
    assert stands(OURS) == Seen("theirs", PeerStatus.PROPOSED, None, None, '"e1"')
    # Also while our own window has changed and the calendar does not know yet: nobody there has looked.
    later = replace(SENT, earliest=date(2026, 3, 9), latest=date(2026, 3, 19))
    assert seen(read(OURS), later, None, "theirs").status is PeerStatus.PROPOSED


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b"DTSTART;TZID=Europe/Oslo:20260306T100000", b"DTEND;TZID=Europe/Oslo:20260306T113000"),
        (b"DTSTART:20260306T090000Z", b"DTEND:20260306T103000Z"),
        (b"DTSTART:20260306T100000", b"DTEND:20260306T113000"),  # by the wall clock, wherever that hangs
        (b"DTSTART:20260306T090000Z", b"DURATION:PT1H30M"),
        (
            b"DTSTART;TZID=W. Europe Standard Time:20260306T100000",
            b"DTEND;TZID=W. Europe Standard Time:20260306T113000",
        ),
        (
            b"DTSTART;TZID=/citadel.org/20210210_1/Europe/Oslo:20260306T100000",
            b"DTEND;TZID=/citadel.org/20210210_1/Europe/Oslo:20260306T113000",
        ),
        (
            b'DTSTART;TZID="America/New_York":20260306T040000',
            b'DTEND;TZID="America/New_York":20260306T053000',
        ),
    ],
)
def test_dragged_to_a_time_it_is_booked_then(start: bytes, end: bytes) -> None:
    found = stands(moved(start, end))
    assert (found.status, found.starts_at) == (PeerStatus.BOOKED, NINE)
    assert found.ends_at == NINE + timedelta(minutes=90)


def test_dragged_to_another_day_or_confirmed_without_a_time_somebody_has_looked() -> None:
    one_day = moved(b"DTSTART;VALUE=DATE:20260306", b"DTEND;VALUE=DATE:20260307")
    midnight = moved(b"DTSTART;TZID=Europe/Oslo:20260306T000000", b"DTEND;TZID=Europe/Oslo:20260307T000000")
    for raw in (one_day, midnight, OURS.replace(b"TENTATIVE", b"CONFIRMED")):
        assert (stands(raw).status, stands(raw).starts_at) == (PeerStatus.PENDING, None)


def test_cancelled_is_declined_before_it_was_booked_and_cancelled_after() -> None:
    cancelled = read(OURS.replace(b"TENTATIVE", b"CANCELLED"))
    assert seen(cancelled, SENT, None, "x").status is PeerStatus.DECLINED
    assert seen(cancelled, BOOKED, None, "x").status is PeerStatus.CANCELLED


def test_of_a_series_the_first_one_counts() -> None:
    second = OURS.partition(b"BEGIN:VEVENT")[2].partition(b"END:VEVENT")[0]
    series = OURS.replace(
        b"END:VEVENT",
        b"END:VEVENT\r\nBEGIN:VEVENT" + second + b"RECURRENCE-ID:20260312T090000Z\r\nEND:VEVENT",
    )
    assert says(read(series), SENT)


def test_a_zone_nobody_knows_is_refused_also_when_its_rules_come_along() -> None:
    """The library would keep them for the whole process: for the next clinic, too."""
    rules = "\r\n".join(
        [
            *("BEGIN:VTIMEZONE", "TZID:Customized Time Zone", "BEGIN:STANDARD", "DTSTART:16010101T000000"),
            *("TZOFFSETFROM:+0900", "TZOFFSETTO:+0900", "END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT"),
        ]
    ).encode()
    raw = moved(
        b"DTSTART;TZID=Customized Time Zone:20260306T100000",
        b"DTEND;TZID=Customized Time Zone:20260306T113000",
    ).replace(b"BEGIN:VEVENT", rules)
    for _ in range(2):
        with pytest.raises(ValueError, match="no visit"):
            read(raw)


def test_a_known_zone_is_as_we_know_it_whatever_comes_along() -> None:
    lying = entry(BOOKED, Language.EN, STAMP).replace(b"+0100", b"+0900")
    assert stands(lying).starts_at == NINE


@pytest.mark.parametrize("begin", [b"BEGIN:VTIMEZONE", b"begin;x=1:vtimezone", b"BEGIN:VTIME\r\n ZONE"])
def test_rules_that_would_take_hours_to_work_out_are_not(begin: bytes) -> None:
    rules = b"\r\n".join(
        [
            *(begin, b"TZID:Slow", b"BEGIN:STANDARD", b"DTSTART:16010101T000000"),
            *(b"RRULE:FREQ=SECONDLY", b"TZOFFSETFROM:+0900", b"TZOFFSETTO:+0900", b"END:STANDARD"),
            *(b"END:VTIMEZONE", b"BEGIN:VEVENT"),
        ]
    )
    slow = moved(b"DTSTART;TZID=Slow:20260306T100000", b"DTEND;TZID=Slow:20260306T113000")
    began = time.monotonic()
    with pytest.raises(ValueError):
        read(slow.replace(b"BEGIN:VEVENT", rules))
    assert time.monotonic() - began < 2


NONSENSE = (
    *(
        b"",
        b"\xff\xfe\x00",
        b"{}",
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"END:VEVENT",
    ),
    OURS * 2,
    OURS.replace(b"UID:", b"X-UID:"),
    OURS.replace(b"visits.afterglow.invalid", b"elsewhere.example"),
    OURS.replace(b"DTSTAMP:", b"X-STAMP:"),
    OURS.replace(b"DTSTART", b"X-START"),
    OURS.replace(b"SEQUENCE:3", b"SEQUENCE:x"),
    OURS.replace(b"DTSTART;VALUE=DATE:20260305", b"DTSTART:20260305T100000Z"),
    OURS.replace(b"20260313", b"20260301"),
    OURS.replace(b"20260313", b"20261399"),
    OURS.replace(b"2026-03-05/2026-03-12", b"2026-03-05"),
    OURS.replace(b"END:VEVENT", b"END:VTIMEZONE"),
    OURS.replace(b"BEGIN:VEVENT", b"BEGIN:VTIMEZONE\r\nBEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"),
    OURS.replace(b"BEGIN:VEVENT", b"BEGIN:VTIMEZONE"),
    OURS.replace(b"END:VEVENT", b"END:VEVENT\r\nBEGIN:VEVENT\r\nEND:VEVENT"),
    b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5000,
    b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5000 + b"END:VEVENT\r\n" * 5000 + b"END:VCALENDAR\r\n",
    *(
        answer(**timed("20260306T100000", "20260306T113000", tzid))
        for tzid in (
            "Mars/Olympus",
            "/a" * 20_000,
            "x" * 5000,
            "../../../etc/localtime",
            "localtime",
            '""',
            "\x00",
        )
    ),
)


@pytest.mark.parametrize("raw", NONSENSE, ids=lambda raw: repr(raw)[:30])
def test_nonsense_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read(raw)


@given(st.data())
def test_whatever_is_broken_is_read_or_refused(data: st.DataObject) -> None:
    """Cut, doubled, mixed up: never anything but a `ValueError`."""
    lines = entry(BOOKED, Language.EN, STAMP).split(b"\r\n")
    spoilt = st.one_of(
        st.sampled_from(lines), st.binary(max_size=20), st.sampled_from([b"END:VTIMEZONE", b"TZID:x"])
    )
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place : place + data.draw(st.integers(0, 2))] = data.draw(st.lists(spoilt, max_size=3))
        lines = lines or [b""]
    raw = b"\r\n".join(lines)
    try:
        found = read(raw)
    except ValueError:
        return
    assert found.order.stamp.tzinfo is not None
    assert found.starts_at is None or found.starts_at.tzinfo is not None


def test_a_day_of_23_hours_is_a_day() -> None:
    spring = moved(b"DTSTART:20260328T230000Z", b"DTEND:20260329T220000Z")
    assert stands(spring).status is PeerStatus.PENDING
    assert datetime(2026, 3, 29, 22, tzinfo=UTC) - datetime(2026, 3, 28, 23, tzinfo=UTC) == timedelta(
        hours=23
    )
