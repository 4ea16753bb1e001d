"""How many alerts a clinic expects, and when a rule takes too much of that or is too often wrong."""

from server.clinical.thresholds.threshold import Threshold

_RATE = "alerts a week"

ALERT_BUDGET = (
    Threshold("budget.p0_per_100", 0.5, 0, 20, _RATE, "proposal", "P0 alerts expected of 100 patients"),
    Threshold("budget.p1_per_100", 3, 0, 50, _RATE, "proposal", "P1 alerts expected of 100 patients"),
    Threshold("budget.p2_per_100", 6, 0, 100, _RATE, "proposal", "P2 alerts expected of 100 patients"),
    Threshold("budget.p3_per_100", 12, 0, 200, _RATE, "proposal", "P3 alerts expected of 100 patients"),
    Threshold(
        *("budget.rule_percent", 60, 10, 100, "percent", "proposal"),
        "share of the budget of an urgency that one rule may use",
    ),
    Threshold("budget.min_alerts", 5, 1, 100, "alerts", "proposal", "fewer alerts are never over budget"),
    Threshold("budget.min_judged", 10, 3, 200, "alerts", "proposal", "fewer judged ones say no precision"),
    Threshold(
        *("budget.min_precision_percent", 50, 5, 95, "percent", "proposal"),
        "a rule whose precision is surely below is imprecise",
    ),
)
