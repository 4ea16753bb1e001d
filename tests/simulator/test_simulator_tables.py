"""The parameter tables say what the published figures say."""

import math
from pathlib import Path

import pytest

from server.simulator.cohorts import COHORTS, REFERENCE_PROCESS
from server.simulator.distributions import Duration, Exponential, LogNormal, Weibull
from server.simulator.draws import Draws

# Quantiles (share -> days) of the simulator table in the clinical reference.
QUANTILES: dict[str, dict[float, float]] = {
    "depression_community": {0.10: 15, 0.25: 35, 0.50: 72, 0.75: 129, 0.90: 197},
    "depression_academic": {0.10: 6, 0.25: 10, 0.50: 18, 0.75: 33, 0.90: 57},
    "depression_single": {0.10: 4, 0.25: 8, 0.50: 14, 0.75: 26, 0.90: 44},
    "depression_inpatient": {0.25: 3, 0.50: 57, 0.75: 586},
    "ptsd": {0.10: 10, 0.25: 16, 0.50: 27.5, 0.75: 47, 0.90: 77},
    "crps": {0.10: 12, 0.25: 31, 0.50: 76},
    "outpatient_pain": {0.10: 6, 0.25: 11, 0.50: 21, 0.75: 41, 0.90: 76},
    "esketamine_maintained_remitter": {0.50: 557},
    "esketamine_maintained_responder": {0.50: 635},
}


@pytest.mark.parametrize("key", sorted(QUANTILES))
def test_relapse_times_have_the_quantiles_of_the_table(key: str) -> None:
    for share, days in QUANTILES[key].items():
        assert COHORTS[key].relapse.quantile(share) == pytest.approx(days, rel=0.03, abs=0.6)


@pytest.mark.parametrize(("key", "share"), [("stopped_remitter", 0.37), ("stopped_responder", 0.76)])
def test_stopping_esketamine_brings_the_published_share_back_by_half_a_year(key: str, share: float) -> None:
    assert COHORTS[f"esketamine_{key}"].relapse.reached_by(180) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("shape", [Weibull(1.2, 98.0), LogNormal(18.0, 0.9), Exponential(0.009)])
def test_a_quantile_and_its_share_are_each_others_inverse(shape: Duration) -> None:
    for share in (0.01, 0.3, 0.5, 0.9):
        assert shape.reached_by(shape.quantile(share)) == pytest.approx(share)


def test_pain_relief_of_a_multi_day_infusion_ends_at_its_cap() -> None:
    crps = COHORTS["crps"].relapse
    assert crps.quantile(0.99) == 84.0
    assert crps.reached_by(83.9) < 1.0 == crps.reached_by(84.0)


@pytest.mark.parametrize("share", [0.0, 0.13, 0.5, 1.0])
def test_any_share_of_missing_days_can_be_asked_for(share: float) -> None:
    process = REFERENCE_PROCESS.with_missing_share(share)
    assert process.missing_share == pytest.approx(share)
    assert process.missing_after_missed - process.missing_after_seen == pytest.approx(0.37)


@pytest.mark.parametrize("share", [-0.01, 1.01])
def test_an_impossible_share_of_missing_days_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        REFERENCE_PROCESS.with_missing_share(share)


def test_draws_have_the_distributions_they_are_named_after() -> None:
    draws, many = Draws(1, "test"), 20_000
    normals = [draws.normal(3.0, 2.0) for _ in range(many)]
    mean = math.fsum(normals) / many
    assert mean == pytest.approx(3.0, abs=0.06)
    assert math.fsum((x - mean) ** 2 for x in normals) / many == pytest.approx(4.0, rel=0.04)
    assert {draws.whole(2, 4) for _ in range(200)} == {2, 3, 4}
    picked = [draws.weighted([("a", 3.0), ("b", 1.0)]) for _ in range(many)]
    assert picked.count("a") / many == pytest.approx(0.75, abs=0.015)


def test_streams_of_other_names_are_other_streams() -> None:
    firsts = {Draws(seed, name).uniform() for seed in range(50) for name in ("person", "levels")}
    assert len(firsts) == 100
    assert Draws(1, "person").uniform() == Draws(1, "person").uniform()


def test_every_cohort_is_explained_on_the_page_about_the_simulator() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert [key for key in COHORTS if f"`{key}`" not in page] == []
