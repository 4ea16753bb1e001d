"""The worklist: whatever it is narrowed by, it is what looking through all alerts would find, in order."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.models import Alert
from server.services.alerts import worklist
from server.services.alerts.worklist import Place, ShownAlert, Wanted
from server.services.work import Work, system
from tests.alert_rows import Raised, put
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.plans import asked_of, explained

URGENCIES = (AlertClass.P1, AlertClass.P0, AlertClass.P1, AlertClass.P2, AlertClass.P1, AlertClass.P3)


def fill(app: Flask, who: Person, clock: Clock) -> None:
    """Give a patient an open alert of every family and closed ones, many of them of one moment."""
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, clock.now, system(who.clinic_id))
        kinds = zip(AlertFamily, URGENCIES, strict=True)
        for number, (family, urgency) in enumerate(kinds):
            at = clock.now - timedelta(hours=number // 3)
            more = {
                "snoozed": number % 2 == 0,
                "state": AlertState.ACKNOWLEDGED if number % 2 == 0 else AlertState.OPEN,
                "exhausted_at": clock.now if number % 3 == 0 else None,
            }
            put(work, Raised(who.patient_id, at, family, urgency, more=more))
            for outcome in (Outcome.CONTACTED, Outcome.FALSE_ALARM):
                put(work, Raised(who.patient_id, at, family, urgency, outcome=outcome))


def walked(work: Work, size: int, **wanted: Any) -> Iterator[ShownAlert]:
    """Give all alerts, a page of ``size`` at a time."""
    after = None
    while True:
        page = worklist.page(work, Wanted(after=after, size=size, **wanted))
        yield from page
        if len(page) < size:
            return
        last = page[-1]
        after = Place(last.urgency, last.opened_at, last.id)


def expected(alerts: Sequence[Alert], **wanted: Any) -> list[Any]:
    state, exhausted = wanted["state"], wanted["exhausted"]
    fits = [
        one
        for one in alerts
        if (one.state is state if state else one.state is not AlertState.RESOLVED)
        and exhausted in (None, one.exhausted_at is not None)
        and all(getattr(one, name) == value for name, value in wanted["equal"].items())
    ]
    return [one.id for one in sorted(fits, key=lambda one: (one.urgency.value, one.opened_at, one.id.bytes))]


def test_every_narrowing_finds_in_order_what_looking_through_all_would(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    fill(app, cast.ana, clock)
    fill(app, cast.other_patient, clock)
    narrow: list[dict[str, Any]] = [{}, {"patient_id": cast.ana.patient_id}, {"snoozed": True}]
    narrow += [{"urgency": AlertClass.P1, "family": AlertFamily.SAFETY}, {"assigned_to": cast.bo.account_id}]
    with Surroundings.of(app).database.read() as session:
        work = Work(session, clock.now, system(cast.bo.clinic_id))
        alerts = session.scalars(select(Alert).where(Alert.clinic_id == cast.bo.clinic_id)).all()
        for state, exhausted, equal in product((None, *AlertState), (None, True, False), narrow):
            wanted = {"state": state, "exhausted": exhausted, "equal": equal}
            found = [one.id for one in walked(work, 2, **wanted)]
            assert found == expected(alerts, **wanted), wanted


def test_the_list_opens_what_it_shows_and_leaves_the_evidence_closed(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    fill(app, cast.ana, clock)
    with Surroundings.of(app).database.read() as session:
        work = Work(session, clock.now, system(cast.bo.clinic_id))
        shown = worklist.page(work, Wanted(None, None, 3))
    assert [(one.codes, one.summary, one.resolution_note) for one in shown] == [
        (["R2:composite"], "Found.", None)
    ] * 3
    assert not hasattr(shown[0], "evidence")
    assert not hasattr(shown[0], "sealed_evidence")


def test_what_is_open_is_read_in_the_order_of_its_index_however_much_was_closed(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    database = Surroundings.of(app).database
    fill(app, cast.ana, clock)
    with asked_of(database) as asked, database.write() as session:
        work = Work(session, clock.now, system(cast.bo.clinic_id))
        if not database.is_sqlite:
            # So few rows it would rather read all, and sort.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
        for state in (None, AlertState.OPEN):
            place = Place(AlertClass.P0, clock.now, cast.bo.account_id)
            worklist.page(work, Wanted(state, place, 2))
            plan = explained(session, database.is_sqlite, *asked[-1])
            assert "ix_alerts_worklist" in plan
            assert "Sort" not in plan
            assert "TEMP B-TREE" not in plan
