"""Draw a trend as an SVG that stands alone: no script, no style sheet, no font of its own.

A day without entries is a gap in the line, never a bridge over it. Below the days, each scale has a
panel with a dot for each filling; the thin line only leads the eye from one to the next. The colors
keep a contrast of 3:1 and more on white and on black, and the lines differ by their weight too (dashes
would look like gaps).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from html import escape

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 58, 52
GRAY, COLORS, WEIGHTS = "#767676", ("#2f7ebd", "#c2591a"), (2.5, 1.4)
# A panel: all of it, the room for its name, and its plot.
PANEL, PANEL_HEAD, PANEL_PLOT, PANEL_COLOR, PANELS_MOST = 86, 26, 48, "#8a63c9", 4
# Dates written upright need this much room; the description has them all.
LABEL_ROOM = 12.0
TICKS_MOST = 7
# Not the library of XML: it brings half a megabyte along, into every process, for three characters.
_shown = partial(escape, quote=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name and a value (``low`` .. ``high`` of the chart) for each day that has one."""

    name: str
    values: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """One scale: its name, the total (``low`` .. ``high``) of each filling, oldest first, never none."""

    name: str
    values: Sequence[tuple[date, float]]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, for ``first`` .. ``last`` (at least a day). ``marks`` are days with a name each.

    At most two ``lines``, and `PANELS_MOST` ``panels``. ``ends`` name the low and the high end of the scale.
    """

    first: date
    last: date
    title: str
    lines: Sequence[Line]
    marks: Sequence[tuple[date, str]]
    ends: tuple[str, str]
    low: float = 0.0
    high: float = 10.0
    panels: Sequence[Panel] = ()


def draw(chart: Chart) -> str:
    """Return ``chart`` as SVG text, at most 50 kB for a year of two lines and all panels."""
    drawing, height = _Drawing(chart), HEIGHT + PANEL * len(chart.panels)
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-labelledby="title desc" font-family="sans-serif" font-size="11">',
            f'<title id="title">{_shown(chart.title)}</title>',
            f'<desc id="desc">{_shown(described(chart))}</desc>',
            *drawing.scale(),
            *drawing.days(),
            *drawing.marks(),
            *drawing.lines(),
            *drawing.panels(),
            "</svg>\n",
        )
    )


def described(chart: Chart) -> str:
    """Return in words what the drawing shows, for who does not see it."""
    days = (chart.last - chart.first).days + 1
    said = [f"{chart.high:g} is {chart.ends[1]}, {chart.low:g} is {chart.ends[0]}."]
    for line in chart.lines:
        inside = sorted((d, v) for d, v in line.values.items() if chart.first <= d <= chart.last)
        text = f"{line.name}: {len(inside)} of {days} days."
        if inside:
            numbers = [value for _, value in inside]
            text += f" Lowest {min(numbers):.1f}, highest {max(numbers):.1f}, latest {numbers[-1]:.1f}."
        said.append(text)
    said += [_panel_described(panel) for panel in chart.panels]
    marks = ", ".join(f"{_day(day)} ({name})" for day, name in sorted(chart.marks))
    return " ".join([*said, f"Sessions: {marks or 'none'}."])


def _panel_described(panel: Panel) -> str:
    numbers = [value for _, value in panel.values]
    span = f"Lowest {min(numbers):g}, highest {max(numbers):g}, latest {numbers[-1]:g}"
    return f"{panel.name}: {len(numbers)} times. {span}, on {_day(panel.values[-1][0])}."


class _Drawing:
    """The parts of one drawing; knows where a day and a value lie."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._days = (chart.last - chart.first).days + 1

    def _x(self, day: date) -> float:
        # In the middle of its day, so that a single day stands in the middle too.
        return LEFT + ((day - self._chart.first).days + 0.5) / self._days * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._chart.low) / (self._chart.high - self._chart.low)
        return HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)

    def scale(self) -> Iterator[str]:
        """Yield the two ends and the middle of the scale, and what the ends mean."""
        chart = self._chart
        for value in (chart.low, (chart.low + chart.high) / 2, chart.high):
            y = self._y(value)
            yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRAY}" stroke-opacity=".4"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{GRAY}">{value:g}</text>'
        for end, value in zip(chart.ends, (chart.low, chart.high), strict=True):
            x, y = 12, self._y(value)
            anchor = "start" if value == chart.low else "end"
            yield (
                f'<text transform="translate({x} {y:.1f}) rotate(-90)" text-anchor="{anchor}" '
                f'fill="{GRAY}">{_shown(end)}</text>'
            )

    def days(self) -> Iterator[str]:
        """Yield a date under the first day and evenly after it."""
        step = max(1, -(-self._days // TICKS_MOST))
        for number in range(0, self._days, step):
            day = self._chart.first + timedelta(days=number)
            yield (
                f'<text x="{self._x(day):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" '
                f'fill="{GRAY}">{day.day} {day:%b}</text>'
            )

    def marks(self) -> Iterator[str]:
        """Yield an upright line for each mark; its date is written where there is room."""
        free_from, upright = 0.0, list[str]()
        for day, _ in sorted(self._chart.marks):
            x = self._x(day)
            upright.append(f"M{x:.1f} {TOP - 6}V{HEIGHT - BOTTOM}")
            if x >= free_from:
                free_from = x + LABEL_ROOM
                yield (
                    f'<text transform="translate({x + 4:.1f} {TOP - 10}) rotate(-90)" '
                    f'fill="{GRAY}">{day.day} {day:%b}</text>'
                )
        if upright:
            yield f'<path d="{"".join(upright)}" stroke="{GRAY}" stroke-width="1.5"/>'

    def lines(self) -> Iterator[str]:
        """Yield each line with its name below; a day alone is a dot."""
        for number, line in enumerate(self._chart.lines):
            color, weight = COLORS[number], WEIGHTS[number]
            runs, dots = self._runs(line)
            x, y = LEFT + 160 * number, HEIGHT - 12
            yield (
                f'<path d="{runs}M{x} {y - 4}h24" fill="none" stroke="{color}" stroke-width="{weight}" '
                'stroke-linejoin="round"/>'
            )
            yield (
                f'<path d="{dots}" stroke="{color}" stroke-width="{weight + 1.5}" stroke-linecap="round"/>'
                if dots
                else ""
            )
            yield f'<text x="{x + 30}" y="{y}" fill="{GRAY}">{_shown(line.name)}</text>'

    def panels(self) -> Iterator[str]:
        """Yield each panel under the last, with the sessions in it."""
        if self._chart.panels:
            yield (
                '<marker id="dot" markerUnits="userSpaceOnUse" markerWidth="6" markerHeight="6" refX="3" '
                f'refY="3"><circle cx="3" cy="3" r="3" fill="{PANEL_COLOR}"/></marker>'
            )
        for number, panel in enumerate(self._chart.panels):
            yield from self._panel(panel, HEIGHT + PANEL * number)
            # The sessions stand in every panel, but are written once.
            yield f'<use href="#sessions" y="{PANEL * number}"/>' if number else self._panel_marks()

    def _panel_marks(self) -> str:
        days = sorted({day for day, _ in self._chart.marks})
        upright = "".join(f"M{self._x(day):.1f} {HEIGHT + PANEL_HEAD}v{PANEL_PLOT}" for day in days)
        return f'<path id="sessions" d="{upright}" stroke="{GRAY}" stroke-opacity=".6"/>'

    def _panel(self, panel: Panel, top: float) -> Iterator[str]:
        high, low = top + PANEL_HEAD, top + PANEL_HEAD + PANEL_PLOT
        yield f'<text x="{LEFT}" y="{top + 12}" fill="{GRAY}">{_shown(panel.name)}</text>'
        for end, y in ((panel.high, high), (panel.low, low)):
            yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="{GRAY}" stroke-opacity=".4"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="{GRAY}">{end:g}</text>'
        step = (low - high) / (panel.high - panel.low)
        points = [f"{self._x(day):.0f} {low - (value - panel.low) * step:.0f}" for day, value in panel.values]
        dots = " ".join(f'marker-{place}="url(#dot)"' for place in ("start", "mid", "end"))
        # A path that never moves has no dots.
        path = "L".join(points) if len(points) > 1 else f"{points[0]}h.01"
        yield f'<path d="M{path}" fill="none" stroke="{PANEL_COLOR}" stroke-width=".6" {dots}/>'

    def _runs(self, line: Line) -> tuple[str, str]:
        runs, dots = [], []
        for run in _unbroken(line.values, self._chart.first, self._chart.last):
            points = [f"{self._x(day):.1f} {self._y(line.values[day]):.1f}" for day in run]
            if len(points) == 1:
                dots.append(f"M{points[0]}h.01")
            else:
                runs.append("M" + "L".join(points))
        return "".join(runs), "".join(dots)


def _unbroken(values: Mapping[date, float], first: date, last: date) -> Iterator[Sequence[date]]:
    """Yield the runs of days that follow each other."""
    run: list[date] = []
    for day in sorted(day for day in values if first <= day <= last):
        if run and day - run[-1] > timedelta(days=1):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
