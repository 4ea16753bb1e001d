"""The care team's worklist: a page of the open alerts of a large clinic."""

from datetime import UTC, datetime

from benchmarks.databases import KINDS, running
from benchmarks.entry_put import figures
from benchmarks.load import Load, Pace, Request, drive, median
from benchmarks.results import Section, Target, keep
from benchmarks.serving import How, serving
from benchmarks.ward import Ward, ward
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.database import Database
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.people import patient as patients
from server.services.work import Work, system
from server.settings import Settings, master_keys

ROUNDS, ALERTS, DAYS = 5, 500, 3
PATIENTS = {False: 2000, True: 20_000}
PACE = Pace(3, connections=2, cycle=True)
PATHS = {
    "open alerts, a page of 50": "/v1/alerts",
    "a page of 200": "/v1/alerts?limit=200",
    "counts": "/v1/alerts/counts",
}


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows, targets = [], []
    for kind in KINDS:
        for what, rounds in _measure(kind, PATIENTS[full]).items():
            load = median(rounds)
            rows.append((kind, what, *figures(load)))
            if what == next(iter(PATHS)):
                told = f"worklist of {PATIENTS[full]:,} patients, {ALERTS} open alerts, p99, {kind}"
                targets.append(Target(told, f"{load.p99:.0f} ms", "≤ 50 ms", load.p99 <= 50))
    heads = ("database", "what", "reads/s", "p50 ms", "p99 ms", "CPU ms")
    notes = (f"Two connections; {ROUNDS} rounds of {PACE.seconds} s. Every read is audited.",)
    keep(Section("04_worklist", "The worklist", heads, rows, targets, notes))


def _measure(kind: str, number: int) -> dict[str, list[Load]]:
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        clinic = ward(database, number, DAYS)
        alarm(database, clinic, ALERTS)
        database.close()
        rounds: dict[str, list[Load]] = {what: [] for what in PATHS}
        with serving(url, folder, How(workers=1), pids) as served:
            for turn in range(ROUNDS + 1):
                for what, path in PATHS.items():
                    load = drive(served, [Request("GET", path, clinic.clinician.token)], PACE)
                    rounds[what] += [load] if turn else []
    return rounds


def alarm(database: Database, clinic: Ward, number: int) -> None:
    """Open an alert for each of the first ``number`` patients."""
    now = datetime.now(UTC)
    for who in clinic.patients[:number]:
        with database.write() as session:
            work = Work(session, now, system(clinic.clinic_id))
            assert who.patient_id is not None, "a patient"
            patient = patients.lock(work, who.patient_id)
            codes = ("worsening",)
            finding = Finding(
                AlertFamily.SIDE_EFFECT, AlertClass.P1, now.date(), codes, "Worse.", {"entries": []}
            )
            episodes.raise_alert(work, patient, finding)


if __name__ == "__main__":
    main()
