"""The contract of all channels, and its twin."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from server.gateways.message import LONGEST_WAIT, Handed, Message, Receipt, RecordingGateway, SendError

NOTICE = Message(
    to="bo@clinic.example",
    subject="A patient needs review",
    text="https://journal.example/v1/alerts/1",
    short="A patient needs review.",
    link="https://journal.example/v1/alerts/1",
    id=UUID(int=1),
    kind="alert.needs_review",
    at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    urgent=True,
)


def test_the_twin_keeps_what_it_was_given_and_says_it_was_accepted() -> None:
    twin = RecordingGateway("push")
    assert twin.send(NOTICE) == Receipt(Handed.ACCEPTED)
    assert (twin.sent, twin.lane(NOTICE.to)) == ([NOTICE], NOTICE.to)


def test_the_twin_answers_as_it_was_told_to() -> None:
    receipt = Receipt(Handed.ACCEPTED, "7", reports=True)
    assert RecordingGateway(receipts={NOTICE.to: receipt}).send(NOTICE) is receipt


def test_the_twin_refuses_as_it_was_told_to() -> None:
    twin = RecordingGateway(refusals={NOTICE.to: SendError(True, "refused_550")})
    with pytest.raises(SendError, match=r"^refused_550$"):
        twin.send(NOTICE)
    assert twin.sent == []


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (timedelta(seconds=30), timedelta(seconds=30)),
        (timedelta(days=9), LONGEST_WAIT),
        (-LONGEST_WAIT, timedelta()),
    ],
)
def test_nobody_is_told_to_wait_for_more_than_an_hour(asked: timedelta, kept: timedelta) -> None:
    assert SendError(False, "busy", retry_after=asked).retry_after == kept
