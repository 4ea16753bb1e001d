"""Totals of a validated scale: when two of them say something together."""

from server.clinical.thresholds.threshold import Threshold

_SUSTAIN = "Daly 2019"
_ENRICHD = "ENRICHD; proposal"

SCALE = (
    Threshold("scale.window_days", 365, 90, 730, "days", "proposal", "how far back scores are looked at"),
    Threshold("scale.pre_days", 28, 7, 90, "days", "proposal", "age of a score that is pre-treatment"),
    Threshold("scale.gap_days", 42, 14, 120, "days", "proposal", "scores further apart are no row"),
    Threshold("scale.apart_min_days", 5, 1, 14, "days", _SUSTAIN, "two scores in a row: apart at least"),
    Threshold("scale.apart_max_days", 15, 7, 42, "days", _SUSTAIN, "two scores in a row: apart at most"),
    Threshold("scale.ewma_weight", 0.5, 0.2, 0.6, "weight", _ENRICHD, "weight of the newest score"),
    Threshold("scale.ewma_scores", 2, 2, 4, "entries", _ENRICHD, "raised scores behind a moving average"),
    Threshold("scale.gain_lost", 0.3, 0.1, 0.8, "share", "proposal", "share of the gain in pain lost"),
)
