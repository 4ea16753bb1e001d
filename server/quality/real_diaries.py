"""Published diaries of real people, brought onto the items of our diary. Pure: rows in, diaries out.

None of them is of a ketamine patient. Where a diary has no session, its first day stands for one, so
that the baseline is the first weeks and everything after is judged.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from server.clinical.baseline import Treatment
from server.clinical.readings import Items, fold
from server.clinical.vocabulary import ITEMS, Direction
from server.quality.replay import Diary

Row = Mapping[str, str]
Entry = tuple[date, Items]

# Days of studies that give none but a number; which year does not matter.
DAY_ZERO = date(2000, 1, 1)

# Item -> column, lowest and highest answer, and whether a high answer is good.
Scale = tuple[str, float, float, bool]
KOSSAKOWSKI: Mapping[str, Scale] = {
    "mood": ("mood_cheerf", 1, 7, True),
    "interest": ("mood_enthus", 1, 7, True),
    "anxiety": ("mood_anxious", 1, 7, False),
    "restlessness": ("pat_restl", 1, 7, False),
    "irritability": ("mood_irritat", 1, 7, False),
    "agitation": ("pat_agitate", 1, 7, False),
    "worry": ("pat_worry", 1, 7, False),
    "sleep_quality": ("mor_qualsleep", 1, 7, True),
}
# Larger is better in all of them; low fatigue stands for interest.
PMDATA: Mapping[str, Scale] = {
    "mood": ("mood", 1, 5, True),
    "interest": ("fatigue", 1, 5, True),
    "anxiety": ("stress", 1, 5, True),
    "sleep_quality": ("sleep_quality", 1, 5, True),
}
DIGIBP: Mapping[str, Scale] = {"mood": ("depression", 0, 42, False)}


def scaled(row: Row, scales: Mapping[str, Scale]) -> Items:
    """Return what ``row`` says, on 0-10 and in the direction of our items; empty cells are left out."""
    found: dict[str, float] = {}
    for key, (column, low, high, high_is_good) in scales.items():
        if row.get(column):
            share = (float(row[column]) - low) / (high - low)
            same = high_is_good == (ITEMS[key].direction is Direction.HIGH_GOOD)
            found[key] = 10 * (share if same else 1 - share)
    return found


def numbered_day(row: Row) -> date:
    """Return the day of a row that numbers its days."""
    return DAY_ZERO + timedelta(days=int(row["day"]))


def dated(row: Row) -> date:
    """Return the day of a row that has a date."""
    return date.fromisoformat(row["date"])


def one_diary(name: str, entries: Iterable[Entry], session: date | None = None) -> Diary | None:
    """Return the diary of ``entries``, or None where they say nothing."""
    history = fold((day, items) for day, items in entries if items)
    days = history.days()
    if not days:
        return None
    return Diary(name, history, (Treatment(session or days[0]),), days[0], days[-1])


def by_person(
    rows: Iterable[Row], day: Callable[[Row], date], items: Callable[[Row], Items]
) -> Sequence[Diary]:
    """Return a diary for each ``subject`` of ``rows``."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        entries[row["subject"]].append((day(row), items(row)))
    found = (one_diary(name, said) for name, said in entries.items())
    return [diary for diary in found if diary is not None]


def pain_by_region(rows: Iterable[Row]) -> Sequence[Diary]:
    """Return the pain diaries: the worst region of a day stands for its pain."""
    worst: dict[tuple[str, date], float] = defaultdict(float)
    for row in rows:
        if row["item"].endswith("_pain") and row["value"]:
            key = row["subject"], dated(row)
            worst[key] = max(worst[key], float(row["value"]))
    people: dict[str, list[Entry]] = defaultdict(list)
    for (name, day), value in worst.items():
        people[name].append((day, {"pain_average": min(value, 10.0)}))
    found = (one_diary(name, said) for name, said in people.items())
    return [diary for diary in found if diary is not None]


def headaches(rows: Iterable[Row]) -> Sequence[Diary]:
    """Return the headache diaries: yes is 10, no is 0, and day 0 begins treatment."""
    people: dict[str, list[Entry]] = defaultdict(list)
    for row in rows:
        pain = 10.0 * float(row["headache"])
        people[row["subject"]].append((numbered_day(row), {"pain_average": pain}))
    found = (one_diary(name, said, DAY_ZERO) for name, said in people.items())
    return [diary for diary in found if diary is not None]


def thinned(rows: Sequence[Row], chance: Callable[[], float], missing: float) -> Diary | None:
    """Return one prompt a day of Kossakowski's, with the share ``missing`` of days left out.

    ``chance`` gives numbers of 0 <= x < 1.
    """
    prompts: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        prompts[numbered_day(row)].append(row)
    entries = []
    for day, said in sorted(prompts.items()):
        one, kept = said[int(chance() * len(said))], chance() >= missing
        if kept or day == min(prompts):
            entries.append((day, scaled(one, KOSSAKOWSKI)))
    return one_diary("Kossakowski, thinned", entries)
