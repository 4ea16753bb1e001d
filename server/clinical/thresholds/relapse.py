"""The watch: rules, hysteresis, how much data it needs."""

from server.clinical.thresholds.threshold import Threshold

_HELD = "Lucas & Saccucci 1990"
_SIM = "simulator"
_SPC = "Schat 2021; simulator"
_PAIN = "Farrar 2001; Dworkin 2008"

RELAPSE = (
    Threshold(
        "relapse.window_days", 70, 60, 400, "days", "proposal", "how far back an assessment walks at least"
    ),
    Threshold("relapse.ewma_lambda", 0.2, 0.05, 0.5, "weight", _HELD, "weight of the newest day, composite"),
    Threshold("relapse.ewma_limit", 2.1, 0, 5, "SE", _SIM, "and by so many standard errors"),
    Threshold("relapse.ewma_rise", 0.7, 0, 4, "points", _SIM, "rise of the moving average, composite"),
    Threshold("relapse.ewma_entries", 2, 1, 14, "entries", _SIM, "observed days in a row above that rise"),
    Threshold(
        "relapse.item_lambda", 0.1, 0.05, 0.5, "weight", _HELD, "weight of the newest day, unrest and items"
    ),
    Threshold("relapse.item_limit", 3.4, 0, 6, "SE", _SIM, "limit of the moving average, one item"),
    Threshold("relapse.unrest_limit", 2.8, 0, 6, "SE", _SIM, "limit of the moving average, unrest"),
    Threshold("relapse.item_rise_share", 0.05, 0.01, 0.4, "share", _SIM, "smallest rise, share of the scale"),
    Threshold("relapse.item_entries", 3, 1, 14, "entries", _SIM, "observed days in a row above that rise"),
    Threshold("relapse.items_needed", 2, 1, 6, "items", _SIM, "single items that must agree on a day"),
    Threshold("relapse.unrest_recent_limit", 2.95, 0, 6, "SE", _SIM, "limit of the recent mean, unrest"),
    Threshold("relapse.recent_entries", 8, 3, 14, "entries", _SIM, "observed days the recent mean takes"),
    Threshold("relapse.recent_days", 14, 5, 28, "days", _SIM, "none of them older than this"),
    Threshold("relapse.recent_min_entries", 2, 2, 14, "entries", _SIM, "observed days it needs"),
    Threshold("relapse.recent_rise", 0.85, 0, 4, "points", _SIM, "rise a recent mean must exceed"),
    Threshold("relapse.recent_limit", 2.1, 0, 6, "SE", _SIM, "and by so many standard errors"),
    Threshold(
        "relapse.sparse_days", 10, 0, 28, "days", _SIM, "so many observed days or fewer in that time are few"
    ),
    Threshold("relapse.sparse_rise", 1, 0, 4, "points", _SIM, "rise it must exceed on few days"),
    Threshold("relapse.sparse_limit", 0.9, 0, 6, "SE", _SIM, "and by so many standard errors"),
    Threshold("relapse.mean_days", 7, 3, 14, "days", "proposal", "span of the mean of a week"),
    Threshold("relapse.mean_min_days", 4, 2, 14, "days", "proposal", "observed days that mean needs"),
    Threshold(
        "relapse.absolute_mood", 5.5, 3, 9, "points", "proposal", "composite mean that is ill whoever has it"
    ),
    Threshold(
        "relapse.absolute_pain", 6.0, 3, 9, "points", "proposal", "pain mean that is high whoever has it"
    ),
    Threshold("relapse.absolute_rise", 2.5, 0.5, 4, "points", "proposal", "rise an absolute rule also needs"),
    Threshold(
        "relapse.benefit_lost",
        0.5,
        0.2,
        0.9,
        "share",
        "Daly 2019; proposal",
        "share of the gain that may be lost",
    ),
    Threshold("relapse.enter_hits", 1, 1, 7, "days", _SIM, "days with a hit that start a signal"),
    Threshold("relapse.enter_days", 1, 1, 14, "days", _SIM, "of this many watched days"),
    Threshold("relapse.leave_days", 7, 2, 28, "days", "proposal", "calm watched days that end a signal"),
    Threshold(
        "relapse.holding_after_days", 28, 14, 90, "days", "proposal", "after these the response is holding"
    ),
    Threshold("relapse.retreated_days", 21, 7, 42, "days", "proposal", "quiet time after treating a relapse"),
    Threshold("data.window_days", 7, 5, 14, "days", _SPC, "days in which data must be present"),
    Threshold("data.min_days", 4, 2, 14, "days", _SPC, "days with an entry among them"),
)
