"""The weekly digest: told once a week, in the clinic's own hours, where there is anything to tell."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import ModuleType

import pytest

from jobs import deliver, digest, escalate, visit_unseen
from jobs.around import Around, Incomplete
from jobs.runner import RUNS
from jobs.timetable import TIMETABLE
from schemas.rota import RotaBody
from server.clinical.vocabulary import AlertClass, AlertFamily, DeliverySubject, Outcome
from server.gateways.message import RecordingGateway
from server.models import Account, Clinic, Patient
from server.services.alerts import digest_round as digest_rounds
from server.services.alerts import episode as episodes
from server.services.alerts import rota as rotas
from server.services.alerts.episode import Finding
from tests.alert_rows import Raised, put
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import deliveries, working
from tests.visits import Visits

# The clinic is in Oslo: it opens at 8, which is 7 in UTC.
OPENS = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
SUNDAY = OPENS - timedelta(hours=20)


def ana_falls_silent(around: Around, cast: Cast, at: datetime) -> None:
    with working(around, cast.bo, at) as work:
        ana = work.session.get_one(Patient, (work.clinic_id, cast.ana.patient_id))
        finding = Finding(AlertFamily.SILENCE, AlertClass.P3, at.date(), ("missed_check_ins",), "Silent.")
        assert episodes.raise_alert(work, ana, finding) is not None


def told(around: Around, cast: Cast) -> list[str]:
    """Return who was told something, by name."""
    names = {cast.bo.account_id: "Bo", cast.coordinator.account_id: "Dee", cast.admin.account_id: "Eli"}
    return sorted(names[row.account_id] for row in deliveries(around))


def test_what_can_wait_is_told_in_no_other_message_than_the_digest(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_falls_silent(around, cast, clock.now)
    escalate.run(around, clock.forward(days=6))
    assert deliveries(around) == []
    assert digest.run(around, OPENS - timedelta(minutes=1)) == 0
    assert digest.run(around, OPENS) == 2
    assert told(around, cast) == ["Bo", "Dee"]
    for row in deliveries(around):
        assert (row.template, row.subject, row.urgency) == (
            *("weekly_digest", DeliverySubject.DIGEST, AlertClass.P3),
        )
        assert row.key.startswith(f"digest:{row.account_id}:2026-W10|")
    assert deliver.run(around, OPENS) == 2
    assert {(one.subject, one.link) for one in email.sent} == {
        ("Your clinic's week", "http://127.0.0.1:8000/v1/digests/current")
    }
    assert not any("Ana" in one.text for one in email.sent)


def test_it_is_told_once_a_week_however_often_the_job_looks(cast: Cast, clock: Clock, around: Around) -> None:
    ana_falls_silent(around, cast, clock.now)
    looks = [OPENS + timedelta(hours=n) for n in range(7 * 24)]
    assert sum(digest.run(around, at) for at in looks) == 2
    assert digest.run(around, OPENS + timedelta(days=7)) == 2
    assert len({row.key for row in deliveries(around)}) == 4


def test_a_calm_week_says_nothing_also_where_something_happens_on_tuesday(cast: Cast, around: Around) -> None:
    assert digest.run(around, OPENS) == 0
    ana_falls_silent(around, cast, OPENS + timedelta(days=1))
    assert digest.run(around, OPENS + timedelta(days=1, hours=1)) == 0
    assert digest.run(around, OPENS + timedelta(days=7)) == 2


def test_a_missed_monday_is_made_up_for_in_the_next_hours_of_work(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    wednesday = OPENS + timedelta(days=2)
    assert digest.run(around, wednesday - timedelta(hours=5)) == 0
    assert digest.run(around, wednesday) == 2
    assert {row.expires_at for row in deliveries(around)} == {datetime(2026, 3, 15, 23, 0, tzinfo=UTC)}


def test_on_a_weekend_nobody_is_told(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    assert digest.run(around, OPENS + timedelta(days=5)) == 0


def test_a_closed_account_hears_nothing(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    with around.database.write() as session:
        session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id)).disabled_at = SUNDAY
    assert digest.run(around, OPENS) == 1
    assert told(around, cast) == ["Dee"]


def test_an_administrator_hears_where_a_rule_is_over_budget(cast: Cast, around: Around) -> None:
    wrong = Raised(cast.ana.patient_id, SUNDAY, outcome=Outcome.FALSE_ALARM)
    with working(around, cast.bo, SUNDAY) as work:
        for _ in range(4):
            put(work, wrong)
    assert digest.run(around, OPENS) == 2
    with working(around, cast.bo, OPENS + timedelta(days=6)) as work:
        put(work, replace(wrong, opened_at=work.now))
    assert digest.run(around, OPENS + timedelta(days=7)) == 3
    assert told(around, cast) == ["Bo", "Bo", "Dee", "Dee", "Eli"]
    # Eli sees no patient: the link leads to the figures of the rules.
    assert {row.template for row in deliveries(around) if row.account_id == cast.admin.account_id} == {
        "rule_over_budget"
    }


def test_a_holiday_on_monday_moves_it_to_tuesday(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    body = {**RotaBody.EXAMPLE, "holidays": [{"day": "2026-03-09", "name": "Holiday"}]}
    assert cast.admin.put("/rota", body, version=cast.admin.get("/rota").json["version"]).status_code == 200
    assert [digest.run(around, OPENS + timedelta(days=days)) for days in (0, 1)] == [0, 2]


def test_of_two_workers_one_tells(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    with working(around, cast.bo, OPENS) as work:
        found = digest_rounds.due(work)
    assert found is not None
    for expected in (2, 0):
        with working(around, cast.bo, OPENS) as work:
            assert digest_rounds.tell(work, found) == expected


def test_a_clinic_that_cannot_be_told_holds_up_no_other(cast: Cast, around: Around) -> None:
    ana_falls_silent(around, cast, SUNDAY)
    with around.database.write() as session:
        session.get_one(Clinic, cast.cyd.clinic_id).policy_version = 99
    with pytest.raises(Incomplete):
        digest.run(around, OPENS)
    assert told(around, cast) == ["Bo", "Dee"]


@pytest.mark.parametrize("job", [digest, visit_unseen])
def test_a_clinic_that_is_at_work_for_half_an_hour_is_told_whenever_the_runner_was_started(
    job: ModuleType, cast: Cast, clock: Clock, around: Around, visits: Visits
) -> None:
    visits.approved()
    ana_falls_silent(around, cast, clock.now)
    half_an_hour = [(time(12, 15), time(12, 45))]
    with working(around, cast.bo, clock.now) as work:
        rota = rotas.of(work)
        hours = {"hours": [half_an_hour, *[()] * 6], "holidays": (), "steps": rota.steps}
        rotas.change(work, {**hours, "fallback_account_id": None}, rota.version)
    (every,) = (one.every for one in TIMETABLE if RUNS[one.name] is job.run)
    for week, minute in enumerate((0, 7, 29, 50), start=1):
        before = len(deliveries(around))
        begins = OPENS + timedelta(days=7 * (week - 1), minutes=minute)
        for tick in range(timedelta(hours=8) // every):
            job.run(around, begins + tick * every)
        assert len(deliveries(around)) > before, minute
