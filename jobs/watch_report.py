"""How good the watch is: on the simulator with its truth, on a clinic's diaries, on any export."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from jobs.import_diary import checked_map
from jobs.problem import Problem
from jobs.replay_pool import pool
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY, Policy
from server.clinical.readings import fold
from server.clinical.vocabulary import Arm
from server.clinical.wall_clock import DAY_START
from server.database import Database
from server.diary_import.mapping import map_table
from server.diary_import.table import TableError, read_table
from server.isolation import Extent
from server.quality.figures import Truth
from server.quality.replay import Diary, Replay, alarms_of, replay
from server.services import local_day as local_days
from server.services.civil_time import civil_day
from server.services.errors import NotFound
from server.services.journal import trend as trends
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.work import Work, system
from server.simulator.reference import reference_patient

Judged = tuple[Truth, Replay]
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Reported:
    """One diary and what the watch said of it; ``truth`` where it is known."""

    diary: Diary
    replays: tuple[Replay, ...]
    truth: Truth | None = None


def of_simulator(patients_each: int, seed: int, processes: int | None = None) -> Iterator[Judged]:
    """Yield ``patients_each`` stable and as many relapsing reference patients, seeds from ``seed`` on.

    The replays come without sentences and baselines. The work is shared out over ``processes`` (as many as
    the machine has processors by default); the answer is the same.
    """
    wanted = [(seed + number, stable) for stable in (True, False) for number in range(patients_each)]
    with pool(processes) as workers:
        yield from workers.map_small(_reference, wanted)


def of_clinic(
    database: Database, slug: str, now: datetime, truth: Mapping[UUID, Truth] | None = None
) -> Iterator[Reported]:
    """Yield every patient of a clinic who has a diary, by id, judged as the watch does. Reads are audited."""
    with database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise Problem(f"There is no clinic {slug}.")
        who = system(clinic.id)
        everybody = list(_everybody(Work(session, now, who)))
    for patient_id in everybody:
        # Each apart: an embedded database has one writer, and phones go on sending.
        with database.write() as session:
            found = _diary(Work(session, now, who), patient_id)
        if found is not None:
            yield _reported(*found, (truth or {}).get(patient_id))


def of_export(map_text: str, data: bytes, name: str, now: datetime) -> Reported:
    """Return the report of a diary export, judged by the default policy; needs no database."""
    diary_map = checked_map(map_text)
    zone = diary_map.zone or "UTC"
    try:
        mapped = map_table(read_table(data, diary_map.encoding), diary_map, zone, now)
    except TableError as error:
        raise Problem(f"The diary {error}.") from None
    if not mapped.rows:
        raise Problem("No row of the diary can be taken.")
    history = fold((civil_day(row.at, zone, DAY_START), row.content["items"]) for row in mapped.rows)
    treatments = tuple(Treatment(day) for day in diary_map.session_days())
    days = history.days()
    return _reported(Diary(name, history, treatments, days[0], days[-1]), DEFAULT_POLICY)


def read_truth(text: str) -> dict[UUID, Truth]:
    """Return the truth by patient from a file that `simulate` wrote; responders only. Problem otherwise."""
    try:
        raw = json.loads(text)
        last = date.fromisoformat(raw["end"])
        return {
            UUID(one["patient_id"]): _truth(one["truth"], last)
            for one in raw["patients"]
            if one["truth"]["responded"]
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Problem("The truth is not a file that `afterglow simulate --truth` wrote.") from None


def _truth(raw: Mapping[str, Any], last: date) -> Truth:
    judged_from, onset, full, silent = (
        None if raw[key] is None else date.fromisoformat(raw[key])
        for key in ("judged_from", "relapse_onset", "full_relapse", "silent_from")
    )
    if judged_from is None:
        raise ValueError("a patient is watched from some day")
    return Truth(judged_from, min(last, silent or last), onset, full)


def _reference(which: tuple[int, bool]) -> Judged:
    virtual = reference_patient(*which)
    diary = Diary(
        virtual.name,
        virtual.history(),
        tuple(Treatment(session.day) for session in virtual.sessions),
        virtual.first_day,
        virtual.last_day,
    )
    truth = virtual.truth
    known = Truth(truth.judged_from, virtual.last_day, truth.relapse_onset, truth.full_relapse)
    return known, alarms_of(diary, Arm.MOOD, DEFAULT_POLICY)


def _reported(diary: Diary, policy: Policy, truth: Truth | None = None) -> Reported:
    return Reported(diary, tuple(map(partial(replay, diary, policy=policy), diary.arms())), truth)


def _everybody(work: Work) -> Iterator[UUID]:
    after = None
    while found := patients.page(work, after, _PAGE):
        yield from (patient.id for patient in found)
        after = found[-1].id


def _diary(work: Work, patient_id: UUID) -> tuple[Diary, Policy] | None:
    """Return what a patient reported on days that can be relied on, and by which policy they are judged.

    None without any, and for who is gone meanwhile.
    """
    try:
        patient = patients.get(work, patient_id)
    except NotFound:
        return None
    work.audit("watch.report", patient_id)
    today = local_days.of(work, work.now, patient.zone)
    history = trends.reliable_history(work, patient_id, date.min, today)
    if not (days := history.days()):
        return None
    sessions = treatment_sessions.delivered_days(work, patient_id, date.min)
    treatments = tuple(Treatment(day) for day in sessions)
    diary = Diary(str(patient_id), history, treatments, days[0], days[-1])
    return diary, policies.of_patient(work, patient)
