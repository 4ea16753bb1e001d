"""Answers as mail programs write them: what is asked, by which method, and what is none."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.calendars.reply import read_object, read_reply
from server.clinical.calendar_reply import CalendarAnswer, Order
from tests.calendars.visits import ID, NINE, answer, timed

STAMP = datetime(2026, 3, 3, 8, tzinfo=UTC)


def mail(
    part: bytes, kind: str = 'text/calendar; method=REPLY; charset="utf-8"', encoding: str = "8bit"
) -> bytes:
    head = f"From: scheduling@clinic.example\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
    return head.encode() + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + part


@pytest.mark.parametrize("said", CalendarAnswer)
def test_the_answer_to_the_days_names_no_time(said: CalendarAnswer) -> None:
    reply = read_object(answer(said.name))
    assert (reply.suggestion_id, reply.answer, reply.counter) == (ID, said, False)
    assert (reply.order, reply.starts_at, reply.ends_at) == (Order(3, STAMP), None, None)


NO_TIME = {"start": "", "end": ""}
OWN_ZONE = timed("20260306T100000", "20260306T113000", '"(UTC+01:00) Amsterdam, Berlin, Bern"')
DELEGATE = (
    'ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:scheduling@clinic.example":mailto:cy@clinic.example'
)
DELEGATOR = (
    'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:cy@clinic.example":mailto:scheduling@clinic.example'
)


@pytest.mark.parametrize("said", CalendarAnswer)
def test_an_answer_need_not_repeat_the_time_that_was_asked(said: CalendarAnswer) -> None:
    reply = read_object(answer(said.name, **NO_TIME))
    assert (reply.answer, reply.order, reply.starts_at) == (said, Order(3, STAMP), None)
    with pytest.raises(ValueError):
        read_object(answer(said.name, "COUNTER", **NO_TIME))


def test_a_no_is_a_no_also_beside_a_time_in_a_zone_that_nobody_knows() -> None:
    for said in ("DECLINED", "TENTATIVE"):
        reply = read_object(answer(said, **OWN_ZONE))
        assert (reply.suggestion_id, reply.answer.name, reply.starts_at) == (ID, said, None)
    with pytest.raises(ValueError):
        read_object(answer("ACCEPTED", **OWN_ZONE))  # with a time of its own it would be a booking


@pytest.mark.parametrize("people", [(DELEGATE, DELEGATOR), (DELEGATOR, DELEGATE)])
def test_who_stands_in_for_somebody_answers_for_them(people: tuple[str, str]) -> None:
    assert read_object(answer(attendee=people[0], more=people[1])).answer is CalendarAnswer.ACCEPTED


def test_another_time_is_read_in_its_zone() -> None:
    for tzid in ("Europe/Oslo", "W. Europe Standard Time", "/mozilla.org/20050126_1/Europe/Oslo"):
        counter = read_object(
            answer("ACCEPTED", "COUNTER", **timed("20260306T100000", "20260306T113000", tzid))
        )
        assert (counter.counter, counter.starts_at) == (True, NINE)


@pytest.mark.parametrize(
    "marked",
    [
        timed("20260305T000000", "20260313T000000", "Europe/Oslo"),
        timed("20260328T230000Z", "20260329T220000Z"),  # the day on which the clocks go forward
        {**timed("20260305T100000Z", "20260305T100000Z"), "marked": "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"},
    ],
)
def test_days_are_days_however_a_program_writes_them(marked: dict[str, str]) -> None:
    assert read_object(answer(**marked)).starts_at is None


def test_who_asks_for_another_time_and_says_nothing_else_is_not_sure() -> None:
    assert read_object(answer("NEEDS-ACTION", "COUNTER")).answer is CalendarAnswer.TENTATIVE


@pytest.mark.parametrize(
    "whole",
    [
        mail(answer()),
        mail(answer().hex().encode(), encoding="x-hex").replace(answer().hex().encode(), answer()),
        mail(answer(), "text/calendar"),  # some servers take the method away
        mail(answer(), "application/ics; name=invite.ics"),
        mail(
            b"--b\r\n\r\nhi\r\n--b\r\nContent-Type: text/calendar; method=reply\r\n\r\n"
            + answer()
            + b"\r\n--b--",
            "multipart/alternative; boundary=b",
        ),
    ],
)
def test_the_calendar_part_is_found_in_the_mail(whole: bytes) -> None:
    assert read_reply(whole).answer is CalendarAnswer.ACCEPTED


def test_a_part_in_base64_and_another_character_set_is_read() -> None:
    part = answer(summary="SUMMARY:Besøk").decode().encode("latin-1")
    from base64 import encodebytes

    whole = mail(encodebytes(part), "text/calendar; method=REPLY; charset=iso-8859-1", "base64")
    assert read_reply(whole).suggestion_id == ID


NOTHING: tuple[Any, ...] = (
    mail(b"hello", "text/plain"),
    mail(answer(), "text/calendar; method=COUNTER"),
    mail(answer("ACCEPTED", "REQUEST"), "text/calendar; method=REQUEST"),
    mail(answer(), "text/calendar; method=REPLY; charset=klingon"),
    mail(b"", "text/calendar; method=REPLY"),
    mail(b"--b\r\n" * 3, "multipart/mixed; boundary=b"),
    b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)),
    mail(b"x", "text/calendar;" + "a*0*=x;" * 9000),  # minutes, with the newer policy of the library
    b"",
    b"\xff" * 90,
)


@pytest.mark.parametrize("whole", NOTHING, ids=lambda whole: repr(whole)[:40])
def test_a_mail_without_an_answer_is_refused(whole: bytes) -> None:
    with pytest.raises(ValueError):
        read_reply(whole)


@pytest.mark.parametrize(
    "raw",
    [
        answer("ACCEPTED", "REQUEST"),
        answer("ACCEPTED", "PUBLISH"),
        answer("DELEGATED"),
        answer("NEEDS-ACTION"),
        answer(attendee=""),
        answer(more="ATTENDEE;PARTSTAT=DECLINED:mailto:other@clinic.example"),
        answer(uid="UID:x"),
    ],
)
def test_what_is_no_answer_of_one_person_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read_object(raw)


@given(st.binary(max_size=300), st.integers(0, 900), st.integers(0, 900))
def test_a_spoilt_mail_is_read_or_refused(junk: bytes, place: int, cut: int) -> None:
    whole = mail(answer())
    spoilt = whole[:place] + junk + whole[place + cut :]
    try:
        read_reply(spoilt)
    except ValueError:
        return
