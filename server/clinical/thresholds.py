"""The table of thresholds: one row for every number of clinical meaning.

Sources are named in ``docs/clinical.md``: "simulator" was chosen on simulated patients, "proposal"
has no published standard behind it and needs the clinic's own sign-off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Threshold:
    """One adjustable number. ``low`` and ``high`` are inclusive bounds in ``unit``."""

    key: str
    default: float
    low: float
    high: float
    unit: str
    source: str
    help: str


_HELD = "Lucas & Saccucci 1990"
_SIM = "simulator"
_SPC = "Schat 2021; simulator"
_FLAG = "proposal"
_CLOCK = "proposal"
_GUARD = "proposal"
_PAIN = "Farrar 2001; Dworkin 2008"

_ALERT = (
    Threshold(
        "alert.lockout_days", 14, 0, 60, "days", "proposal", "calm after a relapse episode was resolved"
    ),
)

_BASELINE = (
    Threshold("baseline.settle_days", 3, 1, 7, "days", _SPC, "first day after a session that counts"),
    Threshold("baseline.window_days", 14, 10, 28, "days", _SPC, "shortest span of a baseline"),
    Threshold("baseline.max_days", 21, 14, 42, "days", _SPC, "longest span of a baseline"),
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

_RELAPSE = (
    Threshold("relapse.window_days", 120, 30, 400, "days", "proposal", "how far back an assessment walks"),
    Threshold("relapse.ewma_lambda", 0.2, 0.05, 0.5, "weight", _HELD, "weight of the newest day, composite"),
    Threshold("relapse.ewma_limit", 2.8, 2, 5, "SD", _SIM, "limit of the moving average, composite"),
    Threshold("relapse.ewma_rise", 1.3, 0.3, 4, "points", _SPC, "smallest rise that matters, composite"),
    Threshold(
        "relapse.item_lambda", 0.1, 0.05, 0.5, "weight", _HELD, "weight of the newest day, unrest and items"
    ),
    Threshold("relapse.item_limit", 3.8, 2, 6, "SD", _SIM, "limit of the moving average, one item"),
    Threshold("relapse.unrest_limit", 3.6, 2, 6, "SD", _SIM, "limit of the moving average, unrest"),
    Threshold("relapse.item_rise_share", 0.05, 0.01, 0.4, "share", _SIM, "smallest rise, share of the scale"),
    Threshold("relapse.item_entries", 3, 1, 14, "entries", _SIM, "observed days in a row above that rise"),
    Threshold("relapse.items_needed", 2, 1, 6, "items", _SIM, "single items that must agree on a day"),
    Threshold("relapse.mean_days", 7, 3, 14, "days", "proposal; simulator", "span of the mean rule"),
    Threshold(
        "relapse.mean_min_days", 4, 2, 14, "days", "proposal; simulator", "observed days the mean needs"
    ),
    Threshold(
        "relapse.mean_rise_mood", 2.0, 0.5, 5, "points", "proposal; simulator", "rise of the mean, mood"
    ),
    Threshold("relapse.mean_rise_pain", 2.0, 0.5, 5, "points", _PAIN, "rise of the mean, pain"),
    Threshold(
        "relapse.mean_share_pain", 0.3, 0.1, 1, "share", _PAIN, "or rise as a share of the baseline, pain"
    ),
    Threshold(
        "relapse.mean_floor_pain", 1.8, 0.5, 4, "points", _SIM, "that share never means less than this"
    ),
    Threshold("relapse.mean_limit", 3.1, 1, 6, "SE", _SIM, "rise of the mean of unrest in its own SD"),
    Threshold(
        "relapse.absolute_mood", 5.5, 3, 9, "points", "proposal", "composite mean that is ill whoever has it"
    ),
    Threshold(
        "relapse.absolute_pain", 6.0, 3, 9, "points", "proposal", "pain mean that is high whoever has it"
    ),
    Threshold("relapse.absolute_rise", 2.0, 0.5, 4, "points", "proposal", "rise an absolute rule also needs"),
    Threshold(
        "relapse.benefit_lost",
        0.5,
        0.2,
        0.9,
        "share",
        "Daly 2019; proposal",
        "share of the gain that may be lost",
    ),
    Threshold("relapse.enter_hits", 2, 1, 7, "days", _SIM, "days with a hit that start a signal"),
    Threshold("relapse.enter_days", 3, 1, 14, "days", _SIM, "of this many watched days"),
    Threshold("relapse.leave_days", 7, 2, 28, "days", "proposal", "calm watched days that end a signal"),
    Threshold(
        "relapse.holding_after_days", 28, 14, 90, "days", "proposal", "after these the response is holding"
    ),
    Threshold("relapse.retreated_days", 21, 7, 42, "days", "proposal", "quiet time after treating a relapse"),
    Threshold("data.window_days", 7, 5, 14, "days", _SPC, "days in which data must be present"),
    Threshold("data.min_days", 4, 2, 14, "days", _SPC, "days with an entry among them"),
)

_FLAGS = (
    Threshold("redflag.any_grade", 1, 1, 2, "grade", _FLAG, "grade at which an emergency sign counts"),
    Threshold("redflag.moderate_grade", 2, 1, 3, "grade", _FLAG, "grade of a moderate effect"),
    Threshold("redflag.severe_grade", 3, 2, 4, "grade", _FLAG, "grade of a severe effect"),
    Threshold("redflag.extreme_grade", 4, 3, 4, "grade", _FLAG, "grade at which any effect is an emergency"),
    Threshold("redflag.craving", 7, 1, 10, "points", _FLAG, "craving that is urgent"),
    Threshold("redflag.late_hours", 24, 4, 72, "hours", _FLAG, "acute effects should be gone by then"),
    Threshold("redflag.euphoria_hours", 48, 12, 96, "hours", "proposal", "high spirits after that"),
)

_SILENCE = (
    Threshold(
        "silence.short_days", 3, 1, 7, "days", _CLOCK, "missed days that alarm after a flag or decline"
    ),
    Threshold("silence.usual_days", 5, 2, 21, "days", _CLOCK, "missed days that alarm otherwise"),
    Threshold("silence.long_days", 10, 3, 42, "days", "proposal", "missed days that are never routine"),
    Threshold(
        "silence.flag_days", 14, 3, 60, "days", "proposal", "how long a P0 or P1 flag shortens patience"
    ),
)

_MAINTENANCE = (
    Threshold(
        "maintenance.default_interval_days", 7, 1, 90, "days", _GUARD, "shortest interval without a plan"
    ),
    Threshold("maintenance.default_max_interval_days", 28, 7, 180, "days", _GUARD, "longest without a plan"),
    Threshold(
        "maintenance.relapse_within_days", 7, 1, 28, "days", "proposal", "window after a relapse signal"
    ),
    Threshold("maintenance.lead_days", 7, 0, 28, "days", "proposal", "how early a due visit is proposed"),
    Threshold("maintenance.sessions_week", 2, 1, 4, "sessions", _GUARD, "sessions in 7 days at most"),
    Threshold("maintenance.sessions_four_weeks", 8, 2, 16, "sessions", _GUARD, "sessions in 28 days at most"),
    Threshold("maintenance.min_age", 18, 16, 25, "years", _GUARD, "youngest age"),
    Threshold(
        "maintenance.early_returns", 2, 1, 5, "entries", _GUARD, "relapses on one schedule for a review"
    ),
    Threshold("maintenance.severe_grade", 3, 2, 4, "grade", _GUARD, "grade that blocks while open"),
    Threshold("maintenance.severe_days", 7, 1, 28, "days", _GUARD, "how long a severe effect blocks"),
    Threshold("maintenance.moderate_grade", 2, 1, 3, "grade", _GUARD, "grade that blocks when it lasts"),
    Threshold("maintenance.urinary_days", 14, 7, 42, "days", _GUARD, "lasting urinary trouble"),
    Threshold("maintenance.memory_days", 28, 7, 84, "days", _GUARD, "lasting memory trouble"),
    Threshold("maintenance.craving", 7, 1, 10, "points", _GUARD, "craving that blocks"),
    Threshold(
        "maintenance.recent_days",
        28,
        7,
        180,
        "days",
        "proposal",
        "how far back blocking signs are looked for",
    ),
    Threshold(
        "maintenance.questionnaire_days", 14, 7, 42, "days", _GUARD, "a questionnaire as old as this counts"
    ),
)

_CONFIRM = (
    Threshold("confirm.open_days", 3, 1, 7, "days", "proposal", "how long what the watch asks is open"),
    Threshold("confirm.again_days", 14, 7, 90, "days", "proposal", "calm before the watch asks it again"),
    Threshold("confirm.fresh_days", 2, 0, 14, "days", "proposal", "an answer as fresh as this is enough"),
)

_DURABILITY = (
    Threshold(
        *("durability.personal_share", 0.5, 0.1, 0.9, "share", "proposal"),
        "of the spread of log holding times, what lies between patients",
    ),
    Threshold("durability.fade_days", 21, 7, 42, "days", "proposal", "days a fade speed is measured over"),
    Threshold("durability.fade_min_days", 7, 4, 21, "days", "proposal", "observed days a fade speed needs"),
)

_ESCALATION = (
    Threshold("escalation.p0_first_minutes", 15, 5, 60, "minutes", _CLOCK, "P0 unacknowledged: level 1"),
    Threshold("escalation.p0_second_minutes", 30, 10, 120, "minutes", _CLOCK, "P0 unacknowledged: level 2"),
    Threshold("escalation.p0_third_minutes", 60, 15, 240, "minutes", _CLOCK, "P0 unacknowledged: level 3"),
    Threshold("escalation.p0_contact_minutes", 30, 10, 240, "minutes", _CLOCK, "P0 acknowledged, not closed"),
    Threshold("escalation.p1_first_minutes", 120, 30, 480, "minutes", _CLOCK, "P1 unacknowledged: level 1"),
    Threshold(
        "escalation.p1_second_minutes", 240, 60, 720, "minutes", _CLOCK, "P1 unacknowledged: level 2, lead"
    ),
    Threshold("escalation.p1_third_minutes", 1440, 240, 1440, "minutes", _CLOCK, "P1 hard limit: level 3"),
    Threshold(
        "escalation.p1_contact_minutes", 1440, 240, 1440, "minutes", _CLOCK, "P1 acknowledged, not closed"
    ),
    Threshold(
        "escalation.p2_first_minutes", 1440, 240, 4320, "minutes", _CLOCK, "P2 unacknowledged: level 1"
    ),
    Threshold(
        "escalation.p2_second_minutes", 4320, 1440, 10080, "minutes", _CLOCK, "P2 unacknowledged: level 2"
    ),
    Threshold(
        "escalation.p2_contact_minutes", 4320, 1440, 10080, "minutes", _CLOCK, "P2 acknowledged, not closed"
    ),
)

THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        t.key: t
        for group in (
            *(_ALERT, _BASELINE, _RELAPSE, _DURABILITY, _FLAGS, _SILENCE),
            *(_MAINTENANCE, _CONFIRM, _ESCALATION),
        )
        for t in group
    }
)
