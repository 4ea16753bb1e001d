"""When a visit can be: after it was suggested, within two years, for a day at the most."""

from datetime import UTC, datetime, timedelta

import pytest

from server.clinical.visit import FURTHEST_AHEAD, LONGEST_VISIT, is_plausible

MADE = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = MADE + timedelta(days=1)
AT = MADE + timedelta(days=3)


@pytest.mark.parametrize("starts_at", [MADE, AT, NOW + FURTHEST_AHEAD])
@pytest.mark.parametrize("length", [None, timedelta(minutes=1), LONGEST_VISIT])
def test_a_visit_can_be_between_its_suggestion_and_two_years_ahead(
    starts_at: datetime, length: timedelta | None
) -> None:
    ends_at = None if length is None else starts_at + length
    assert is_plausible(starts_at, ends_at, MADE, NOW)


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (MADE - timedelta(seconds=1), None),
        (NOW + FURTHEST_AHEAD + timedelta(seconds=1), None),
        (AT, AT),
        (AT, AT + LONGEST_VISIT + timedelta(seconds=1)),
        (datetime.fromisoformat("9999-12-31T23:59:59-12:00"), None),
        (datetime.fromisoformat("0001-01-01T00:00:00+12:00"), None),
        (AT, datetime.fromisoformat("9999-12-31T23:59:59-12:00")),
    ],
)
def test_at_any_other_time_it_can_not_be(starts_at: datetime, ends_at: datetime | None) -> None:
    assert not is_plausible(starts_at, ends_at, MADE, NOW)
