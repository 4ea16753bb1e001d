"""The patient's own level: windows, priors, what a response is."""

from server.clinical.thresholds.threshold import Threshold

_SPC = "Schat 2021; simulator"
_PAIN = "Farrar 2001; Dworkin 2008"

BASELINE = (
    Threshold("baseline.settle_days", 3, 1, 7, "days", _SPC, "first day after a session that counts"),
    Threshold("baseline.window_days", 14, 10, 28, "days", _SPC, "shortest span of a baseline"),
    Threshold("baseline.max_days", 35, 14, 42, "days", _SPC, "longest span of its first window"),
    Threshold(
        "baseline.latest_days", 60, 21, 120, "days", "proposal", "days after the session by which it is full"
    ),
    Threshold(
        "baseline.grow_days", 42, 14, 84, "days", "simulator", "longest span a calm baseline may grow to"
    ),
    Threshold("baseline.grow_every_days", 7, 7, 14, "days", "proposal", "days it takes in at once"),
    Threshold("baseline.min_days", 10, 7, 21, "days", _SPC, "observed days a baseline needs"),
    Threshold("baseline.extend_rise", 1.0, 0.3, 3, "points", "proposal", "rise that keeps a baseline short"),
    Threshold("baseline.prior_days", 6, 0, 30, "pseudo-days", _SPC, "weight of the usual spread"),
    Threshold("baseline.prior_sd_item", 1.2, 0.5, 3, "points", _SPC, "usual spread of one item"),
    Threshold("baseline.prior_sd_composite", 0.9, 0.5, 3, "points", _SPC, "usual spread of a composite"),
    Threshold("baseline.sd_floor", 0.5, 0.1, 2, "points", _SPC, "spread is never taken as less"),
    Threshold("baseline.prior_phi", 0.3, 0, 0.7, "correlation", _SPC, "usual day-to-day correlation"),
    Threshold("baseline.prior_phi_days", 15, 0, 60, "pseudo-days", _SPC, "weight of that correlation"),
    Threshold("baseline.phi_max", 0.7, 0, 0.9, "correlation", _SPC, "correlation is never taken as more"),
    Threshold(
        "baseline.pre_days", 14, 3, 28, "days", "proposal", "days before the course that are looked at"
    ),
    Threshold(
        "baseline.pre_min_days", 3, 1, 14, "days", "proposal", "observed days a pre-treatment level needs"
    ),
    Threshold(
        *("baseline.ill_mood", 4.0, 1, 7, "points", "proposal"),
        "level before treatment that can show a response",
    ),
    Threshold(
        *("baseline.ill_pain", 4.0, 1, 7, "points", "proposal"),
        "level before treatment that can show a response",
    ),
    Threshold(
        "baseline.response_mood",
        0.5,
        0.2,
        0.8,
        "share",
        "Daly 2019; proposal",
        "improvement that is a response",
    ),
    Threshold("baseline.response_pain", 0.3, 0.1, 0.8, "share", _PAIN, "improvement that is a response"),
    Threshold(
        *("response.notable_change", 1.0, 0.3, 3, "points", "proposal"),
        "difference of averages the patient is told of",
    ),
    Threshold(
        "composite.min_share", 0.5, 0.2, 1, "share", "proposal", "share of its items a composite day needs"
    ),
)
