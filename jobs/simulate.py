"""Make a clinic of virtual patients, through the same services as the API, with the truth beside it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from jobs.past import Past, open_alerts, write_past
from jobs.problem import Problem
from jobs.virtual import Registration, beginning, register
from server.clinical.vocabulary import Role
from server.database import Database
from server.services.errors import Conflict, Invalid
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.simulator.clinic import simulate_clinic
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
    """One patient that was made: the truth about them, and what the services made of it."""

    patient_id: UUID
    virtual: VirtualPatient
    entries: int
    alerts: int


def simulate(database: Database, passwords: Passwords, wish: Wish, now: datetime) -> Iterator[Made]:
    """Make the clinic and yield its patients one by one, as they are made.

    Raises Problem when the clinic exists, or is too small or too short to be simulated. The same
    wish gives the same entries under the same ids, for ever.
    """
    try:
        virtuals = simulate_clinic(wish.patients, wish.days, wish.seed, wish.end)
    except ValueError as error:
        raise Problem(f"{error}.") from None
    return _make(database, passwords, (wish, now), virtuals)


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


def _make(
    database: Database, passwords: Passwords, when: tuple[Wish, datetime], virtuals: Iterator[VirtualPatient]
) -> Iterator[Made]:
    wish, now = when
    actor, clinician_id = system(clinics.new_clinic_id()), None
    for number, virtual in enumerate(virtuals):
        with database.write() as session:
            work = Work(session, beginning(virtual), actor)
            clinician_id = clinician_id if number else _open_clinic(work, wish, passwords)
            how = Registration(f"{wish.slug}:{wish.seed}:{number}", COUNTRY, now, clinician_id)
            past = register(work, virtual, how)
            _give_account(work, wish, past, number, passwords)
        tally = write_past(database, actor, past)
        with database.read() as session:
            opened = open_alerts(Work(session, now, actor), past.patient_id)
        yield Made(past.patient_id, virtual, tally.created, opened)


def _open_clinic(work: Work, wish: Wish, passwords: Passwords) -> UUID | None:
    try:
        name = f"Simulated clinic {wish.seed}"
        clinics.create(work, slug=wish.slug, name=name, zone=ZONE, country=COUNTRY)
    except Invalid as error:
        raise Problem(error.detail) from None
    except Conflict:
        raise Problem(f"There is a clinic {wish.slug} already; choose another name with --clinic.") from None
    if wish.password is None:
        return None
    email = f"clinician@{wish.slug}.example"
    return accounts.create(work, NewAccount(Role.CLINICIAN, "Clinician", email, wish.password), passwords).id


def _give_account(work: Work, wish: Wish, past: Past, number: int, passwords: Passwords) -> None:
    if wish.password is None:
        return
    email = f"patient{number + 1}@{wish.slug}.example"
    new = NewAccount(Role.PATIENT, f"Patient {number + 1}", email, wish.password, past.patient_id)
    accounts.create(work, new, passwords)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
