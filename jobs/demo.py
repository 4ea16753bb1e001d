"""Load the demo clinic once: five patients whose past happened through the services, day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from jobs import demo_consents
from jobs.past import Past, Tally, Told, finish, ordered, take
from jobs.problem import Problem
from jobs.virtual import Registration, beginning, register
from server.clinical.rota import DEFAULT_STEPS, DEFAULT_WEEK
from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift
from server.services.errors import Conflict
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Actor, Work, system
from server.settings import Settings
from server.simulator.clinic import demo_clinic
from server.simulator.shapes import VirtualPatient

SLUG, NAME, ZONE, COUNTRY = "demo", "Demo Clinic", "Europe/London", "GB"
PASSWORD = "demo-afterglow-1"
PATIENT = "Ana"


class DemoSignIn(NamedTuple):
    """How to be somebody at the demo clinic (its short name is `demo`)."""

    role: Role
    email: str
    password: str


_PEOPLE = (
    (Role.CLINICIAN, "Bo", "bo@demo.example"),
    (Role.COORDINATOR, "Dee", "dee@demo.example"),
    (Role.CLINIC_ADMIN, "Admin", "admin@demo.example"),
    (Role.INTEGRATION, "Scheduling", "scheduling@demo.example"),
)
_ANA, _GUS = "ana@demo.example", "gus@demo.example"


def demo_sign_ins() -> list[DemoSignIn]:
    """Return who can sign in at the demo clinic, the patient first."""
    staff = [DemoSignIn(role, email, PASSWORD) for role, _, email in _PEOPLE]
    patient, caregiver = (Role.PATIENT, _ANA), (Role.CAREGIVER, _GUS)
    return [DemoSignIn(*patient, PASSWORD), *staff, DemoSignIn(*caregiver, PASSWORD)]


def load(settings: Settings, database: Database, now: datetime, told: Told = lambda _: None) -> bool:
    """Load the demo clinic, its past ending yesterday; False (and no change) where it is there already.

    All of it is one transaction: a load that was interrupted leaves nothing behind. Raises Problem
    in production, where accounts with a public password have no place.
    """
    if settings.environment == "production":
        raise Problem("The demo clinic has a public password: it is not for production.")
    virtuals = demo_clinic((now - timedelta(days=1)).date())
    with database.write(Extent.DOOR) as session:
        if clinics.by_slug(session, SLUG) is not None:
            return False
        work = Work(session, beginning(virtuals[0]), system(clinics.new_clinic_id()))
        if not _opened(work):
            return False
        for past in _cast(work, virtuals, Passwords(settings.password_cost), now):
            take(work, past, ordered(past), Tally())
            finish(work, past)
            told(1)
    return True


def _opened(work: Work) -> bool:
    """Open the clinic; False where somebody else, who loads it at the same time, was first."""
    try:
        clinics.create(work, slug=SLUG, name=NAME, zone=ZONE, country=COUNTRY)
    except Conflict:
        return False
    return True


def patients() -> int:
    """Return how many patients the demo has: the steps `load` tells of."""
    return 5


def _cast(
    work: Work, virtuals: Sequence[VirtualPatient], passwords: Passwords, now: datetime
) -> Iterator[Past]:
    demo_consents.publish(work)
    clinician_id = _staff(work, passwords, now)
    for virtual in virtuals:
        how = Registration(f"{SLUG}:{virtual.name}", COUNTRY, now, clinician_id)
        past = register(work, virtual, how)
        if virtual.name == PATIENT:
            new = NewAccount(Role.PATIENT, PATIENT, _ANA, PASSWORD, past.patient_id)
            ana = accounts.create(work, new, passwords)
            actor = Actor(work.clinic_id, ana.id, Role.PATIENT, past.patient_id)
            demo_consents.let_in(replace(work, actor=actor), (_GUS, PASSWORD), passwords)
        yield past


def _staff(work: Work, passwords: Passwords, now: datetime) -> UUID:
    """Add the demo's staff, arm its monitoring and return the clinician's account."""
    made = {
        role: accounts.create(work, NewAccount(role, name, email, PASSWORD), passwords)
        for role, name, email in _PEOPLE
    }
    clinician_id, fallback_id = made[Role.CLINICIAN].id, made[Role.COORDINATOR].id
    _rota(Work(work.session, now, work.actor), clinician_id, fallback_id)
    return clinician_id


def _rota(work: Work, clinician_id: UUID, fallback_id: UUID) -> None:
    """Put the clinician on call every weekend of a year, name a fallback, and arm."""
    friday = work.now.date() - timedelta(days=work.now.weekday() + 3)
    starts = datetime.combine(friday, time(18))
    until = work.now.date() + timedelta(days=365)
    shifts.add(work, NewShift(clinician_id, starts, starts + timedelta(days=2, hours=14), until))
    hours, steps = DEFAULT_WEEK, DEFAULT_STEPS
    changes = {"hours": hours, "holidays": [], "steps": steps, "fallback_account_id": fallback_id}
    rotas.change(work, changes, rotas.of(work).version)
    rotas.arm(work)
