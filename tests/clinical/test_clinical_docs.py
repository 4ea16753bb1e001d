"""docs/clinical.md says what the code does."""

from pathlib import Path

import pytest

from server.clinical.guards import BlockCode
from server.clinical.holding_time import HOLDING_PRIORS
from server.clinical.policy import THRESHOLDS, Threshold
from server.clinical.vocabulary import Condition, WatchState

PAGE = (Path(__file__).parents[2] / "docs" / "clinical.md").read_text(encoding="utf-8")


COHORTS = PAGE.split("| condition | median days | sigma | source |")[1].split("\n\n")[0].splitlines()[2:]


def row_of(threshold: Threshold) -> str:
    """Return how the page begins the row of a threshold."""
    bounds = f"{threshold.low:g} to {threshold.high:g}"
    return f"| `{threshold.key}` | {threshold.default:g} | {threshold.unit} | {bounds} |"


def test_a_threshold_is_explained_with_its_default_and_bounds() -> None:
    assert [key for key, threshold in THRESHOLDS.items() if row_of(threshold) not in PAGE] == []
    assert [key for key, threshold in THRESHOLDS.items() if f"| {threshold.source} |" not in PAGE] == []


@pytest.mark.parametrize("condition", [*Condition])
def test_a_cohort_is_explained_with_its_figures_and_its_source(condition: Condition) -> None:
    prior, name = HOLDING_PRIORS[condition], condition.replace("_", " ")
    (cells,) = (row.split(" | ") for row in COHORTS if name in row.split(" | ")[0].lower().replace("| ", ""))
    assert (float(cells[1]), float(cells[2])) == (prior.median, prior.sigma)
    assert prior.source.split(",")[0].split(";")[0] in cells[3]


@pytest.mark.parametrize("code", [*BlockCode])
def test_a_guard_is_explained(code: BlockCode) -> None:
    assert f"| {code} |" in PAGE


@pytest.mark.parametrize("state", [*WatchState])
def test_a_state_is_explained(state: WatchState) -> None:
    assert state in PAGE


def test_the_page_says_what_it_is_for_and_what_it_never_does() -> None:
    assert "## Intended use" in PAGE
    assert "### What the system never does" in PAGE


def test_every_key_named_on_the_page_exists() -> None:
    groups = {key.split(".")[0] for key in THRESHOLDS}
    named = {word for word in PAGE.split("`")[1::2] if word.split(".")[0] in groups and "." in word}
    assert named == set(THRESHOLDS)
