"""An approved visit that nobody looks at is not met with silence, and ending it closes no alert."""

from datetime import timedelta

import pytest

from jobs import deliver, maintenance_due, visit_unseen
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, DeliverySubject
from server.gateways.message import RecordingGateway
from server.models import Delivery
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import deliveries
from tests.visits import Visits

INBOX = "/inbox/booking-suggestions"


def told(around: Around, cast: Cast) -> list[str]:
    """Return who was told of an unseen visit, by name, oldest first."""
    names = {cast.bo.account_id: "Bo", cast.coordinator.account_id: "Dee"}
    return [names[row.account_id] for row in deliveries(around) if row.template == "visit_unseen"]


def test_the_coordinator_and_who_approved_it_hear_once_and_again_each_further_limit(
    visits: Visits, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    suggestion = visits.approved()
    assert visit_unseen.run(around, clock.forward(hours=23)) == 0
    assert visit_unseen.run(around, clock.forward(hours=1)) == 2
    assert visit_unseen.run(around, clock.forward(hours=1)) == 0
    assert sorted(told(around, cast)) == ["Bo", "Dee"]
    for row in deliveries(around):
        if row.template == "visit_unseen":
            assert (row.subject, row.urgency) == (DeliverySubject.VISIT, AlertClass.P2)
    stored = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert (stored["unseen_since"], stored["version"]) == ("2026-03-02T12:00:00+00:00", 2)
    assert stored["events"][-1]["action"] == "unseen"
    deliver.run(around, clock.now)
    assert [one.link for one in email.sent if one.link.endswith(suggestion)] == [
        f"http://127.0.0.1:8000/v1/booking-suggestions/{suggestion}"
    ] * 2
    assert visit_unseen.run(around, clock.forward(hours=23)) == 2


@pytest.mark.parametrize("report", ["acknowledge", "book", "decline"])
def test_once_somebody_has_looked_nobody_is_told(
    visits: Visits, cast: Cast, clock: Clock, around: Around, report: str
) -> None:
    suggestion = visits.approved()
    body = {
        "acknowledge": None,
        "book": {"external_id": "a", "starts_at": (clock.now + timedelta(days=4)).isoformat()},
        "decline": {"code": "no_capacity"},
    }[report]
    answer = cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", body, version=2)
    assert answer.status_code == 200, answer.text
    assert cast.bo.get(f"/booking-suggestions/{suggestion}").json["unseen_since"] is None
    assert visit_unseen.run(around, clock.forward(days=1)) == 0


def test_one_that_somebody_has_looked_at_and_nothing_came_of_is_told_too_and_its_end(
    visits: Visits, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    suggestion = visits.approved()
    assert visit_unseen.run(around, clock.forward(days=1)) == 2
    deliver.run(around, clock.now)
    assert cast.scheduler.post(f"{INBOX}/{suggestion}/acknowledge", version=2).status_code == 200
    assert visit_unseen.run(around, clock.forward(hours=71)) == 0
    assert visit_unseen.run(around, clock.forward(hours=1)) == 2
    assert visit_unseen.run(around, clock.forward(hours=1)) == 0
    assert {row.account_id for row in about(around, "visit_unarranged")} == {
        cast.bo.account_id,
        cast.coordinator.account_id,
    }
    stored = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert (stored["unseen_since"], stored["events"][-1]["action"]) == (None, "unarranged")
    sent = len(email.sent)
    deliver.run(around, clock.now)
    assert len(email.sent) == sent + 2
    assert visit_unseen.run(around, clock.forward(days=3)) == 2
    assert (
        cast.scheduler.post(f"{INBOX}/{suggestion}/decline", {"code": "other"}, version=4).status_code == 200
    )
    deliver.run(around, clock.now)
    subjects = [one.subject for one in email.sent[sent + 2 :]]
    assert subjects == ["Nothing came of a visit"] * 2, "what waits for an appointment is sent no more"


def about(around: Around, template: str) -> list[Delivery]:
    return [row for row in deliveries(around) if row.template == template]


def test_a_draft_waits_for_a_clinician_and_not_for_the_clinics_system(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    visits.on_treatment()
    visits.relapse()
    visit_unseen.run(around, clock.forward(days=3))
    assert told(around, cast) == []
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert draft["unseen_since"] is None


def test_it_is_told_in_the_clinics_hours(visits: Visits, clock: Clock, around: Around) -> None:
    clock.forward(days=4)  # Friday
    visits.approved()
    assert visit_unseen.run(around, clock.forward(days=1)) == 0
    assert visit_unseen.run(around, clock.forward(days=1, hours=18)) == 0
    assert visit_unseen.run(around, clock.forward(hours=2)) == 2


def test_what_can_wait_waits_longer(visits: Visits, cast: Cast, clock: Clock, around: Around) -> None:
    visits.on_treatment()
    clock.forward(days=7)
    visits.log(5)
    suggestion = visits.maintenance()
    assert cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {}, version=1).status_code == 200
    assert visit_unseen.run(around, clock.forward(hours=71)) == 0
    assert visit_unseen.run(around, clock.forward(hours=1)) == 2


def test_a_message_that_still_waits_is_not_sent_once_somebody_has_looked(
    visits: Visits, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    suggestion = visits.approved()
    visit_unseen.run(around, clock.forward(days=1))
    cast.scheduler.post(f"{INBOX}/{suggestion}/acknowledge", version=2)
    deliver.run(around, clock.now)
    assert [one for one in email.sent if one.link.endswith(suggestion)] == []


def test_withdrawing_or_expiring_an_unseen_visit_never_closes_the_alert(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    suggestion = visits.approved()
    visit_unseen.run(around, clock.forward(days=1))
    maintenance_due.run(around, clock.forward(days=8))
    assert cast.bo.get(f"/booking-suggestions/{suggestion}").json["state"] == "expired"
    assert [alert["state"] for alert in cast.bo.get("/alerts").json["items"]] == ["open"]
    visits.log(5)
    other = visits.relapse()
    dismissal = {"reason": "Not now."}
    cast.bo.post(f"/booking-suggestions/{other}/dismiss", dismissal, version=1)
    assert [alert["state"] for alert in cast.bo.get("/alerts").json["items"]] == ["open"]
    assert visit_unseen.run(around, clock.forward(days=1)) == 0


def test_a_draft_that_nobody_decides_about_is_told_to_the_patients_clinician(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    assert visit_unseen.run(around, clock.forward(hours=23)) == 0
    assert visit_unseen.run(around, clock.forward(hours=1)) == 1
    (row,) = [row for row in deliveries(around) if row.template == "visit_undecided"]
    assert (row.account_id, row.subject_id) == (cast.bo.account_id, suggestion)
    assert visit_unseen.run(around, clock.forward(hours=1)) == 0
    assert cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {}, version=1).status_code == 200
    assert visit_unseen.run(around, clock.forward(hours=22)) == 0  # another clock, from the approval on
