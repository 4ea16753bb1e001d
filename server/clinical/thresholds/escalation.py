"""How long an alert may wait for a person."""

from server.clinical.thresholds.threshold import Threshold

_CLOCK = "proposal"

ESCALATION = (
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
        "escalation.p2_contact_minutes",
        4320,
        1440,
        10080,
        "minutes",
        _CLOCK,
        "P2, P3 acknowledged, not closed",
    ),
    Threshold("escalation.p0_snooze_minutes", 30, 5, 60, "minutes", _CLOCK, "P0: longest snooze"),
    Threshold("escalation.p1_snooze_minutes", 480, 30, 1440, "minutes", _CLOCK, "P1: longest snooze"),
    Threshold("escalation.p2_snooze_minutes", 10080, 240, 20160, "minutes", _CLOCK, "P2, P3: longest snooze"),
    Threshold(
        *("escalation.next_way_minutes", 5, 1, 30, "minutes", _CLOCK),
        "untaken for so long: the person is told another way",
    ),
)
