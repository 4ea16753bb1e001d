"""The activation watch: what looks like a rise towards mania."""

from server.clinical.thresholds.threshold import Threshold

_OURS = "proposal"

MANIA = (
    Threshold("mania.asrm", 6, 4, 12, "points", "Altman 1997", "total of the ASRM that is positive"),
    Threshold("mania.nights", 3, 2, 7, "days", _OURS, "nights that are looked at"),
    Threshold("mania.short_nights", 2, 1, 7, "days", _OURS, "short nights among them"),
    Threshold("mania.short_night_hours", 5, 3, 7, "hours", _OURS, "a night below this is short"),
    Threshold("mania.energy", 8, 6, 10, "points", _OURS, "energy that is high whoever has it"),
    Threshold("mania.energy_rise", 2, 1, 5, "points", _OURS, "or this far above the patient's own level"),
    Threshold("mania.digibp_days", 4, 2, 14, "days", _OURS, "days of the digiBP that are looked at"),
    Threshold("mania.digibp_high_days", 3, 1, 14, "days", _OURS, "high days among them"),
    Threshold("mania.digibp_limit", 2, 1, 4, "SD", _OURS, "a high day lies this far above the own level"),
    Threshold("mania.digibp_prior_sd", 0.4, 0.1, 1, "points", _OURS, "usual spread of the digiBP mean, 0-3"),
    Threshold("mania.digibp_sd_floor", 0.25, 0.05, 1, "points", _OURS, "its spread is never taken as less"),
    Threshold("mania.mood", 9, 7, 10, "points", _OURS, "mood that is very high"),
    Threshold("mania.mood_days", 3, 2, 7, "days", _OURS, "days in a row of it, with less sleep"),
    Threshold("mania.less_sleep_hours", 1, 0.5, 4, "hours", _OURS, "less sleep: below the own level by this"),
    Threshold("mania.settle_days", 2, 0, 4, "days", _OURS, "session day and days after it that say nothing"),
    Threshold("mania.own_days", 28, 14, 90, "days", _OURS, "own level where the watch has no baseline"),
    Threshold("mania.own_min_days", 7, 3, 21, "days", _OURS, "observed days an own level needs"),
    Threshold("mania.spike_days", 14, 3, 42, "days", _OURS, "so long high mood may pass for response"),
    Threshold("mania.chart_limit", 2, 1, 4, "SD", _OURS, "limits of the two-sided chart"),
    Threshold("mania.lockout_days", 3, 0, 28, "days", _OURS, "calm after an episode was resolved"),
)
