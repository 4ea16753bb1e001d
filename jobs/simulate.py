"""Make a clinic of virtual patients, through the same services as the API, with the truth beside it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from jobs.crew import Crew, Desk
from jobs.past import Past, Tally, open_alerts, take_all
from jobs.problem import Problem
from jobs.virtual import Registration, beginning, patient_id, register
from server.clinical.vocabulary import Role
from server.isolation import Extent
from server.services.errors import Invalid, NotFound
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work, system
from server.simulator.clinic import nth_patient, simulate_clinic
from server.simulator.shapes import VirtualPatient

ZONE, COUNTRY = "Europe/London", "GB"


@dataclass(frozen=True, slots=True)
class Wish:
    """What clinic to make. With a ``password`` its clinician and patients get accounts."""

    slug: str
    patients: int
    days: int
    seed: int
    end: date
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """One patient that was made: the truth about them, and what the services made of it.

    ``virtual`` has no diary any more: it is in the database.
    """

    patient_id: UUID
    virtual: VirtualPatient
    entries: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Task:
    """One patient to make: which one of which clinic, and what all of them share."""

    wish: Wish
    now: datetime
    actor: Actor
    clinician_id: UUID | None
    number: int


def simulate(crew: Crew, wish: Wish, now: datetime) -> Iterator[Made]:
    """Make the clinic and yield its patients one by one, as they are made.

    Raises Problem when another clinic has the name, or it is too small or too short to be simulated. The
    same wish gives the same entries under the same ids, for ever: a clinic that is there in part is finished.
    """
    try:
        simulate_clinic(wish.patients, wish.days, wish.seed, wish.end)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    return _make(crew, wish, now)


def truth_of(wish: Wish, made: list[Made]) -> dict[str, Any]:
    """Return what really happened to every patient, as JSON values, for judging the watch."""
    return {
        "seed": wish.seed,
        "days": wish.days,
        "end": wish.end.isoformat(),
        "patients": [
            {
                "patient_id": str(one.patient_id),
                "name": one.virtual.name,
                "cohort": one.virtual.cohort,
                "truth": {key: _plain(value) for key, value in asdict(one.virtual.truth).items()},
            }
            for one in made
        ],
    }


def _make(crew: Crew, wish: Wish, now: datetime) -> Iterator[Made]:
    actor, clinician_id = _known_clinic(crew.desk, wish, now) or _open_clinic(crew.desk, wish)
    tasks = (Task(wish, now, actor, clinician_id, number) for number in range(wish.patients))
    yield from crew.map(make_patient, tasks)


def make_patient(desk: Desk, task: Task) -> Made:
    """Make one patient with all of their past, or recognise them: they are whole or not there."""
    wish = task.wish
    virtual = nth_patient(wish.seed, task.number, wish.days, wish.end)
    how = Registration(f"{wish.slug}:{wish.seed}:{task.number}", COUNTRY, task.now, task.clinician_id)
    with desk.database.write() as session:
        work = Work(session, beginning(virtual), task.actor)
        known = patient_id(virtual, how.key)
        if not _is_there(work, known):
            past = register(work, virtual, how)
            _give_account(work, wish, past, task.number, desk.passwords)
            take_all(work, past, Tally())
        told = replace(virtual, diary=())
        return Made(known, told, len(virtual.diary), open_alerts(work, known))


def _is_there(work: Work, known: UUID) -> bool:
    try:
        patients.get(work, known)
    except NotFound:
        return False
    return True


def _name(wish: Wish) -> str:
    """Return the clinic's name, which says by what wish it was made: nothing else must be mixed with it."""
    return f"Simulated clinic {wish.seed}, {wish.days} days to {wish.end}"


def _known_clinic(desk: Desk, wish: Wish, now: datetime) -> tuple[Actor, UUID | None] | None:
    """Return who acts for a clinic that this wish began before, and its clinician; None without one."""
    with desk.database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, wish.slug)
        if clinic is None:
            return None
        if clinic.name != _name(wish):
            raise Problem(f"There is a clinic {wish.slug} already; choose another name with --clinic.")
        work = Work(session, now, system(clinic.id))
        clinicians = accounts.recipients(work, {Role.CLINICIAN})
        return work.actor, clinicians[0].id if clinicians else None


def _open_clinic(desk: Desk, wish: Wish) -> tuple[Actor, UUID | None]:
    begun = beginning(nth_patient(wish.seed, 0, wish.days, wish.end))
    with desk.database.write() as session:
        work = Work(session, begun, system(clinics.new_clinic_id()))
        try:
            clinics.create(work, slug=wish.slug, name=_name(wish), zone=ZONE, country=COUNTRY)
        except Invalid as error:
            raise Problem(error.detail) from None
        if wish.password is None:
            return work.actor, None
        email = f"clinician@{wish.slug}.example"
        new = NewAccount(Role.CLINICIAN, "Clinician", email, wish.password)
        return work.actor, accounts.create(work, new, desk.passwords).id


def _give_account(work: Work, wish: Wish, past: Past, number: int, passwords: Passwords) -> None:
    if wish.password is None:
        return
    email = f"patient{number + 1}@{wish.slug}.example"
    new = NewAccount(Role.PATIENT, f"Patient {number + 1}", email, wish.password, past.patient_id)
    accounts.create(work, new, passwords)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
