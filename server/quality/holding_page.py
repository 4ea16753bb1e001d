"""The section of the page of figures on how long a benefit is expected to hold. Pure."""

from collections.abc import Mapping, Sequence

from server.quality.holding import ASKED_ON, Calibration, Forecast, calibration

WANTED = (0.75, 0.85)
TITLE = "## How long a benefit is expected to hold"
ABOUT = (
    "Simulated patients who respond, each with four courses, a quarter of them cut off by the next one "
    "before the loss; half of the spread of the times (in logarithms) lies between patients. Shown is how "
    "often the true day on which half of the benefit was lost lay in the 80 % interval: before a course, by "
    f"how many earlier courses were known; and asked again on day {', '.join(map(str, ASKED_ON))}, "
    "where a benefit was seen to hold that day. In brackets the standard error in points and the number of "
    "forecasts; on the right the shares of truths before and after the interval, of the forecasts made "
    "before a course with earlier ones."
)
BOUND = (
    "CRPS: the simulator ends every benefit at week 12 as the trial did, so that nearly half of the truths "
    "lie on one day, which an interval holds or doesn't; the row below has the same rate without that end. "
    "Asked again later, the log-normal of the forecast expects longer times than the simulated Weibull "
    "(depression) and exponential (CRPS) bring: such intervals are too wide rather than too narrow."
)

Found = Mapping[str, Sequence[Forecast]]


def section(found: Found, seed: int) -> Sequence[str]:
    """Return the paragraphs of the section, none without forecasts; a name has some for each column.

    Of each name there is one patient for each seed from ``seed`` on.
    """
    if not found:
        return []
    pasts = sorted({forecast.past for forecasts in found.values() for forecast in forecasts})
    head = ("patients", *(_courses(n) for n in pasts), "from later days", "truth before", "truth after")
    rows = [_row(name, forecasts, pasts) for name, forecasts in found.items()]
    lines = [head, ("---",) * len(head), *rows]
    return [
        TITLE,
        f"{ABOUT} {_seeds(found, seed)}",
        "\n".join(f"| {' | '.join(line)} |" for line in lines),
        _verdict(found, pasts),
        BOUND,
    ]


def _seeds(found: Found, seed: int) -> str:
    counts = {sum(not (f.past or f.held) for f in forecasts) for forecasts in found.values()}
    return f"Seeds {seed} to {seed + max(counts) - 1}."


def _courses(past: int) -> str:
    return "no earlier course" if past == 0 else f"{past} earlier"


def _row(name: str, forecasts: Sequence[Forecast], pasts: Sequence[int]) -> tuple[str, ...]:
    own = calibration([f for f in forecasts if f.past and not f.held])
    shares = (_told(one) for one in _cells(forecasts, pasts))
    return name, *shares, f"{own.before:.0%}".replace("%", " %"), f"{own.after:.0%}".replace("%", " %")


def _cells(forecasts: Sequence[Forecast], pasts: Sequence[int]) -> Sequence[Calibration]:
    groups = [[f for f in forecasts if f.past == n and not f.held] for n in pasts]
    return [calibration(group) for group in (*groups, [f for f in forecasts if f.held])]


def _told(one: Calibration) -> str:
    return f"{100 * one.covered:.1f} % (+-{100 * one.error:.1f}, {one.forecasts})"


def _verdict(found: Found, pasts: Sequence[int]) -> str:
    cells = [one for forecasts in found.values() for one in _cells(forecasts, pasts)]
    low, high = WANTED
    inside = sum(low <= one.covered <= high for one in cells)
    return f"Asked for are {low:.0%} to {high:.0%}: {inside} of {len(cells)} shares lie there.".replace(
        "%", " %"
    )
