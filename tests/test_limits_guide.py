"""The limits in docs/security.md are those of the code."""

import re
from datetime import timedelta

from server.services.cap import CAPS, LONGEST_PAUSE, MOST_WEBHOOKS, Cap
from server.services.visits.calendar_feed import MOST_FEEDS
from server.settings import Settings
from server.throttle import rates
from tests.source import ROOT

GUIDE = (ROOT / "docs" / "security.md").read_text("utf-8")


def _then(cap: Cap) -> str:
    if cap.pause is None:
        return "refused until the time is over"
    assert timedelta(hours=1) == LONGEST_PAUSE
    return f"a wait of {cap.pause.seconds} s, doubled each time, up to 1 h"


def test_every_cap_is_in_the_table_with_its_numbers() -> None:
    said = re.findall(r"^\| `(\w+)` \| (.+) \| (\d+) \| (\d+) h \| (.+) \|$", GUIDE, re.MULTILINE)
    hours = timedelta(hours=1)
    assert said == [(cap.name, cap.what, str(cap.most), str(cap.span // hours), _then(cap)) for cap in CAPS]


def test_the_limits_of_requests_are_said_as_they_are() -> None:
    found = rates(Settings().requests_per_minute)
    numbers = (found.device, found.account, found.clinic, found.address)
    device, account, clinic, address = (f"{rate.a_minute:,}" for rate in numbers)
    assert (
        f"{device} a minute of one device (a sign-in), {account} of one account, {clinic} of one clinic's "
        f"staff and systems together, {address} of one address"
    ) in GUIDE
    assert f"bounded too, to {found.heeded.a_minute} a minute of one device" in GUIDE
    assert f"{MOST_WEBHOOKS} webhooks and {MOST_FEEDS} calendar feeds" in GUIDE
