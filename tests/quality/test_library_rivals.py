"""The change detectors of river: a rival like any other where the library is; where not, that is said."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from jobs.library_rivals import (
    DEFAULTS,
    LIBRARY_RIVALS,
    TUNED,
    library_replays,
    library_scale_replays,
    library_version,
    signals,
)
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import fold
from server.clinical.vocabulary import Arm
from server.quality.page import Run, page
from server.quality.replay import Diary
from server.quality.scale_rules import well_again
from tests.source import ROOT

DAY = date(2025, 1, 1)
WINDOW = DAY, DAY + timedelta(days=13)
with_river = pytest.mark.skipif(
    library_version() is None, reason="river is not there: `make quality` installs it"
)
without_river = pytest.mark.skipif(library_version() is not None, reason="river is there")


def points(values: Sequence[float]) -> tuple[tuple[date, float], ...]:
    return tuple((DAY + timedelta(days=n), value) for n, value in enumerate(values))


def diary(levels: Sequence[float]) -> Diary:
    said = [(day, {"pain_average": level}) for day, level in points(levels)]
    return Diary("Ana", fold(said), (Treatment(DAY),), DAY, DAY + timedelta(days=len(levels) - 1))


CALM = [2.0, 3.0] * 25


@pytest.mark.long
@with_river
@pytest.mark.parametrize("name", TUNED)
def test_a_rise_is_seen_after_its_onset_and_a_fall_is_none(name: str) -> None:
    rise = [(day - DAY).days for day in signals(TUNED[name], points([*CALM, *[8.0, 9.0] * 15]), WINDOW)]
    assert rise
    assert 50 <= rise[0] <= 65
    assert list(signals(TUNED[name], points([*[8.0, 9.0] * 25, *CALM]), WINDOW)) == []


@with_river
@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_too_count_only_what_gets_worse(name: str) -> None:
    low, high = [1.0, 2.0] * 100, [9.0, 10.0] * 100
    assert list(signals(DEFAULTS[name], points([*low, *high]), WINDOW))
    assert list(signals(DEFAULTS[name], points([*high, *low]), WINDOW)) == []


@with_river
def test_what_changes_within_the_baseline_is_no_signal() -> None:
    setting = DEFAULTS["river PageHinkley, its defaults"]
    worse_after_hundred = points([*[1.0, 2.0] * 50, *[9.0, 10.0] * 20])
    assert list(signals(setting, worse_after_hundred, WINDOW))
    assert list(signals(setting, worse_after_hundred, (DAY, DAY + timedelta(days=130)))) == []


@with_river
def test_every_detector_of_the_library_judges_the_same_days_as_the_other_rivals() -> None:
    found = library_replays(diary([*CALM, *[8.0, 9.0] * 15]), Arm.PAIN, DEFAULT_POLICY)
    assert tuple(found) == LIBRARY_RIVALS
    assert {said.judged for said in found.values()} == {79 - 16}
    early = library_replays(diary([9.0] * 5), Arm.PAIN, DEFAULT_POLICY)
    assert all(said.alarms == () and said.judged == 0 for said in early.values())


@with_river
def test_scores_of_a_scale_are_told_to_the_defaults_only() -> None:
    person = well_again([(DAY + timedelta(days=7 * n), score) for n, score in enumerate([6.0, 6.0, 15.0])])
    assert person is not None
    assert tuple(library_scale_replays(person, DEFAULT_POLICY)) == tuple(DEFAULTS)


@without_river
def test_where_the_library_is_absent_it_has_no_rows() -> None:
    assert library_replays(diary(CALM), Arm.PAIN, DEFAULT_POLICY) == {}
    person = well_again([(DAY + timedelta(days=7 * n), score) for n, score in enumerate([6.0, 6.0, 15.0])])
    assert person is not None
    assert library_scale_replays(person, DEFAULT_POLICY) == {}


def test_the_page_names_the_library_or_what_is_left_out_without_it() -> None:
    absent, present = page({}, Run(1, 7)), page({}, Run(1, 7, library="0.26.1"))
    assert "left out: the change detectors of river** (PageHinkley, ADWIN, KSWIN)" in absent
    assert "left out: the change" not in present
    assert "- river 0.26.1\n" in present


def test_the_library_is_locked_for_the_page_and_for_nothing_else() -> None:
    assert "\nriver==" in (ROOT / "requirements-quality.lock").read_text("utf-8")
    assert "\nriver==" not in (ROOT / "requirements.lock").read_text("utf-8")
