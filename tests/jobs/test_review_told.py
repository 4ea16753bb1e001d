"""What a person has to look at is told once a day as long as it waits, and never to nobody."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from uuid_utils.compat import uuid7

from jobs import visit_unseen
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, DeliverySubject, ReviewCode
from server.isolation import Extent
from server.models import Account, Delivery
from server.services.people import erasure as erasures
from server.services.visits import review_task as review_tasks
from server.services.visits.review_task import Finding
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.jobs.deeds import deliveries, working
from tests.visits import Visits


def raised(around: Around, cast: Cast, clock: Clock, key: str, about: str | None = None) -> UUID:
    """Raise a task; return its id."""
    with working(around, cast.bo, clock.now) as work:
        finding = Finding(ReviewCode.NO_ANSWER, key, None if about is None else UUID(about))
        task = review_tasks.raise_(work, finding)
        assert task is not None
        return task.id


def settled(cast: Cast, task: UUID) -> None:
    answer = cast.bo.post(f"/review-tasks/{task}/settle", {"note": "Rang them."})
    assert answer.status_code == 200, answer.text


def told(around: Around) -> list[Delivery]:
    found = [row for row in deliveries(around) if row.subject is DeliverySubject.REVIEW]
    assert {(row.template, row.urgency) for row in found} <= {("review_waits", AlertClass.P2)}
    return found


def nobody_makes_appointments(around: Around, clock: Clock, coordinator: Person) -> None:
    with around.database.write(Extent.ALL) as session:
        key = (coordinator.clinic_id, coordinator.account_id)
        session.get_one(Account, key).disabled_at = clock.now


def test_a_task_raised_after_the_first_one_of_a_day_was_settled_is_told_on_each_further_day(
    cast: Cast, clock: Clock, around: Around
) -> None:
    settled(cast, raised(around, cast, clock, "first"))
    clock.forward(hours=1)
    second = raised(around, cast, clock, "second")
    assert visit_unseen.run(around, clock.now) == 0
    assert len(told(around)) == 1, "once a day"
    assert visit_unseen.run(around, clock.forward(hours=15)) == 0, "outside the clinic's hours"
    assert visit_unseen.run(around, clock.forward(hours=5)) == 1
    assert visit_unseen.run(around, clock.forward(hours=1)) == 0
    assert visit_unseen.run(around, clock.forward(days=1)) == 1
    assert [row.subject_id for row in told(around)[1:]] == [second, second]
    assert {row.account_id for row in told(around)} == {cast.coordinator.account_id}
    settled(cast, second)
    assert visit_unseen.run(around, clock.forward(days=1)) == 0


def test_clinicians_are_told_where_nobody_makes_appointments(
    cast: Cast, clock: Clock, around: Around
) -> None:
    nobody_makes_appointments(around, clock, cast.coordinator)
    raised(around, cast, clock, "first")
    assert visit_unseen.run(around, clock.forward(days=1)) == 1
    assert [row.account_id for row in told(around)] == [cast.bo.account_id] * 2


def test_that_safety_comes_first_is_told_at_once_whatever_was_told_today(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    raised(around, cast, clock, "first")
    suggestion = visits.approved()
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often")).status_code == 201
    assert visits.book(cast.scheduler, suggestion, version=2).status_code == 200
    (_, task) = cast.coordinator.get("/review-tasks").json["items"]
    assert task["code"] == "safety_first"
    assert [str(row.subject_id) for row in told(around)][1:] == [task["id"]]


def test_that_safety_comes_first_is_told_once_where_nothing_was_told_today(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    suggestion = visits.approved()
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often")).status_code == 201
    assert visits.book(cast.scheduler, suggestion, version=2).status_code == 200
    visit_unseen.run(around, clock.forward(hours=1))
    assert len(told(around)) == 1


def test_what_is_held_until_the_morning_is_not_said_again_in_the_morning(
    cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write(Extent.ALL) as session:
        dee = session.get_one(Account, (cast.coordinator.clinic_id, cast.coordinator.account_id))
        dee.quiet_from, dee.quiet_until = "20:00", "07:00"
    raised(around, cast, clock, "first")
    clock.forward(hours=9)  # 22:00 in Oslo
    raised(around, cast, clock, "second")
    assert visit_unseen.run(around, clock.forward(hours=11)) == 0
    held = told(around)[1]
    assert (len(told(around)), held.due_at.isoformat()) == (2, "2026-03-03T06:00:00+00:00")


def test_nobody_is_told_of_somebody_who_leaves(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    raised(around, cast, clock, "first", visits.approved())
    assert cast.ana.patient_id is not None
    with working(around, cast.bo, clock.now) as work:
        erasures.run_out(work, cast.ana.patient_id)
    assert visit_unseen.run(around, clock.forward(days=1)) == 0


def test_two_tasks_of_the_same_moment_are_both_raised_and_told_once(
    cast: Cast, clock: Clock, around: Around
) -> None:
    start = threading.Barrier(4)

    def one(number: int) -> UUID:
        start.wait(10)
        return raised(around, cast, clock, f"key-{number}")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(one, range(4)))) == 4
    assert len(told(around)) == 1
