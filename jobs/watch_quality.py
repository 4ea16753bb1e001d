"""Everything `docs/watch-quality.md` tells: the watch and its rivals, on simulated and on real people."""

import csv
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from pathlib import Path

from jobs.library_rivals import library_replays, library_scale_replays
from jobs.replay_pool import pool
from jobs.true_person import true_levels
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.series import COMPOSITE_ITEMS, SINGLE_ITEMS, Level
from server.clinical.vocabulary import Arm
from server.quality.cases import CURVE, KIND, SETS, WATCH, Case, Cases
from server.quality.figures import Truth
from server.quality.knowing import KNOWING, knowing
from server.quality.real_diaries import (
    DIGIBP,
    KOSSAKOWSKI,
    PMDATA,
    Row,
    by_person,
    dated,
    headaches,
    numbered_day,
    one_diary,
    pain_by_region,
    scaled,
    thinned,
)
from server.quality.replay import Diary, Replay, alarms_of
from server.quality.rivals import Noise, rival_replays
from server.quality.scale_rules import WellAgain, one_a_day, scale_replays, well_again
from server.quality.trade_offs import (
    FACTORS,
    UNREST_FACTORS,
    limits,
    limits_knowing,
    swept,
    swept_unrest,
    unrest,
)
from server.simulator.cohorts import REFERENCE_PROCESS
from server.simulator.course import draw_person
from server.simulator.draws import Draws
from server.simulator.reference import ReferenceOptions, reference_patient

THINNINGS, MISSING_SHARE = 200, 0.25
# The reference's own PHQ-9 is off by so many points (SD).
PHQ_SD = 2.0
OPTIONS: Mapping[str, ReferenceOptions] = {
    "reference": ReferenceOptions(),
    "eight": ReferenceOptions(items=SINGLE_ITEMS[Arm.MOOD]),
    "missing": ReferenceOptions(missing_share=0.5),
    "correlated": ReferenceOptions(phi_mean=0.5),
    "aching": ReferenceOptions(items=COMPOSITE_ITEMS[Arm.PAIN]),
}
_FILES: Mapping[str, str] = {
    "kossakowski": "kossakowski2017_daily.csv",
    "thinned": "kossakowski2017_momentary.csv",
    "pmdata": "pmdata_wellness.csv",
    "digibp": "digibp_daily.csv",
    "pain": "myaiguide_pain.csv",
    "migraine": "migraine_kd.csv",
    "enrichd": "enrichd_bdi.csv",
}
# What the trade-offs are measured on; of the simulated ones a third as many.
_SWEPT_SETS = ("kossakowski", "thinned", "pmdata")
# Those with more of unrest than restlessness.
_UNREST_SETS = ("eight", "kossakowski", "thinned")
# Kinds of relapses: size in SD of the person's days, days until it is full.
_SIZES, _SIZES_FROM = ("0 to 1.5 SD", "1.5 to 2.5 SD", "from 2.5 SD"), (1.5, 2.5)
_PACES, _PACES_FROM = ("1 to 4 days", "5 to 14 days", "from 15 days"), (5, 15)


@dataclass(frozen=True, slots=True)
class Task:
    """One diary to judge: the heading it goes under, its number there (for a simulated one, its seed)."""

    heading: str
    number: int
    stable: bool = False
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One diary with the errors of its PHQ-9; of a simulated person also what is true of them."""

    diary: Diary
    arm: Arm
    noise: Noise
    truth: Truth | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)


def tasks(each: int, seed: int, folder: Path | None) -> Sequence[Task]:
    """Return what is to be judged: without ``folder`` only simulated, a third as many for the curve."""
    wanted = [(name, each) for name in OPTIONS]
    wanted += [(CURVE + name, -(-each // 3)) for name in OPTIONS if name != "aching"]
    found = [
        Task(name, seed + n, stable) for name, many in wanted for n in range(many) for stable in (True, False)
    ]
    for name in SETS if folder else ():
        headings = (name, CURVE + name) if name in _SWEPT_SETS else (name,)
        count = _count(name, folder) or 0
        found += [Task(heading, number, folder=folder) for heading in headings for number in range(count)]
    return found


def judge_all(wanted: Sequence[Task], processes: int | None = None) -> Iterator[tuple[Task, Case]]:
    """Yield each task with what was said, in order; the answer does not depend on ``processes``."""
    with pool(processes) as workers:
        yield from zip(wanted, workers.map_small(judge, wanted), strict=True)


def gathered(found: Iterator[tuple[Task, Case]]) -> Cases:
    """Return the cases under their headings."""
    cases: dict[str, list[Case]] = defaultdict(list)
    for task, case in found:
        for heading in _headings(task):
            cases[heading].append(case)
    return cases


def _headings(task: Task) -> Sequence[str]:
    if task.heading != "reference" or task.stable:
        return (task.heading,)
    return (task.heading, *(KIND + kind for kind in kinds(task.number)))


def kinds(seed: int) -> tuple[str, str]:
    """Return what kind of relapse the reference patient ``seed`` has: by its size, by its pace."""
    person = draw_person(seed, REFERENCE_PROCESS)
    size = _SIZES[bisect(_SIZES_FROM, person.shift / person.sd)]
    return f"size: {size}", f"build-up: {_PACES[bisect(_PACES_FROM, person.ramp_days)]}"


def judge(task: Task) -> Case:
    """Return what the watch and its rivals say of one diary; of the curve's, the watch at each setting."""
    if task.heading == "enrichd" and task.folder is not None:
        person = _people(task.folder)[task.number]
        said = scale_replays(person, DEFAULT_POLICY)
        return person.truth, {**said, **library_scale_replays(person, DEFAULT_POLICY)}
    name = task.heading.removeprefix(CURVE)
    one = _sample(task, name)
    return one.truth, _swept(one, name) if name != task.heading else _compared(one)


def _sample(task: Task, name: str) -> Sample:
    if task.folder is not None:
        diary = _diary(name, task.folder, task.number)
        return Sample(diary, diary.arms()[0], partial(Draws(name, task.number, "phq").normal, 0.0, PHQ_SD))
    options = OPTIONS[name]
    virtual = reference_patient(task.number, task.stable, options)
    sessions = tuple(Treatment(session.day) for session in virtual.sessions)
    diary = Diary(virtual.name, virtual.history(), sessions, virtual.first_day, virtual.last_day)
    told = virtual.truth
    truth = Truth(told.judged_from, virtual.last_day, told.relapse_onset, told.full_relapse)
    process = options.process()
    levels = true_levels(draw_person(task.number, process), process, options.items)
    noise = partial(Draws(task.number, "phq").normal, 0.0, PHQ_SD)
    return Sample(diary, virtual.arms[0], noise, truth, levels)


def _compared(one: Sample) -> Mapping[str, Replay]:
    """Return what the watch and everything beside it say."""
    said = {WATCH: alarms_of(one.diary, one.arm, DEFAULT_POLICY)}
    if one.truth is not None:
        said[KNOWING] = knowing(one.diary, one.levels, one.truth, DEFAULT_POLICY)
    said.update(rival_replays(one.diary, one.arm, DEFAULT_POLICY, one.noise))
    said.update(library_replays(one.diary, one.arm, DEFAULT_POLICY))
    return said


def _swept(one: Sample, name: str) -> Mapping[str, Replay]:
    """Return what the watch says with its limits moved, and the same rules knowing the person."""
    diary, arm = one.diary, one.arm
    said = {limits(factor): alarms_of(diary, arm, swept(factor)) for factor in FACTORS}
    if name in _UNREST_SETS:
        said |= {unrest(factor): alarms_of(diary, arm, swept_unrest(factor)) for factor in UNREST_FACTORS}
    if one.truth is not None:
        for factor in FACTORS:
            said[limits_knowing(factor)] = knowing(diary, one.levels, one.truth, swept(factor))
    return said


def _count(name: str, folder: Path | None) -> int | None:
    """Return how many diaries a set has; None where its file is not there."""
    if folder is None or not (folder / _FILES[name]).is_file():
        return None
    if name == "enrichd":
        return len(_people(folder))
    return THINNINGS if name == "thinned" else len(_set(name, folder))


def _diary(name: str, folder: Path, number: int) -> Diary:
    if name != "thinned":
        return _set(name, folder)[number]
    diary = thinned(_rows(name, folder), Draws("thinning", number).uniform, MISSING_SHARE)
    if diary is None:
        raise ValueError("a thinned diary has its first day")
    return diary


@cache
def _set(name: str, folder: Path) -> Sequence[Diary]:
    """Return the diaries of a published set; read once by each process."""
    rows = _rows(name, folder)
    made: dict[str, Callable[[], Sequence[Diary]]] = {
        "kossakowski": lambda: _only(
            one_diary(name, ((numbered_day(r), scaled(r, KOSSAKOWSKI)) for r in rows))
        ),
        "pmdata": lambda: by_person(rows, dated, lambda row: scaled(row, PMDATA)),
        "digibp": lambda: by_person(rows, numbered_day, lambda row: scaled(row, DIGIBP)),
        "pain": lambda: pain_by_region(rows),
        "migraine": lambda: headaches(rows),
    }
    return made[name]()


def _only(diary: Diary | None) -> Sequence[Diary]:
    return [] if diary is None else [diary]


@cache
def _people(folder: Path) -> Sequence[WellAgain]:
    scores: dict[str, list[tuple[date, float]]] = defaultdict(list)
    for row in _rows("enrichd", folder):
        scores[row["subject"]].append((numbered_day(row), float(row["bdi"])))
    found = (well_again(one_a_day(said)) for said in scores.values())
    return [person for person in found if person is not None]


@cache
def _rows(name: str, folder: Path) -> Sequence[Row]:
    with (folder / _FILES[name]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
