"""The copy of a suggestion at the clinic's system: claimed by one, tried again, set aside at the end."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from server.clinical.visit import Seen
from server.clinical.vocabulary import ConnectionKind, CopyState, PeerStatus, SuggestionState
from server.models import SchedulingConnection
from server.services.errors import Conflict
from server.services.messages import retry
from server.services.visits import copy_release, inbox, scheduling_copy
from server.services.visits import scheduling_connection as connections
from server.services.visits.copy_outcome import Heard, Unheard
from server.services.visits.scheduling_connection import System
from server.services.visits.suggestion_move import locked
from tests.conftest import Clock
from tests.services.visits.conftest import LEASE, Desk, Times

S = SuggestionState
SENT = Heard(Seen("there-1", PeerStatus.PROPOSED), told=True)


def test_two_workers_never_have_the_same_copy(desk: Desk, clock: Clock) -> None:
    assert desk.claim().proposed.clinic_zone == "Europe/Oslo"
    with desk.database.write() as session:
        assert scheduling_copy.claim(session, clock.now, 5, LEASE) == []


def test_a_killed_worker_costs_a_lease_and_can_not_record_afterwards(desk: Desk, clock: Clock) -> None:
    lost = desk.claim()
    clock.forward(minutes=5)
    taken_over = desk.claim()
    assert desk.finish(lost, SENT) is False
    assert desk.finish(taken_over, SENT) is True


def test_what_changes_while_a_worker_has_it_is_told_afterwards(desk: Desk) -> None:
    claimed = desk.claim()
    path = f"/booking-suggestions/{desk.suggestion}/dismiss"
    assert desk.cast.bo.post(path, {"reason": "No."}, version=desk.row().version).status_code == 200
    desk.finish(claimed, SENT)
    again = desk.claim()
    assert (again.behind, again.proposed.state) == (True, S.WITHDRAWN)


def test_what_the_system_says_while_somebody_reports_waits_for_them_and_both_are_kept(desk: Desk) -> None:
    claimed = desk.claim()
    desk.clock.forward(minutes=1)
    with ThreadPoolExecutor(1) as side:
        with desk.database.write() as session:
            work, suggestion = desk.work(session), UUID(desk.suggestion)
            version = locked(work, suggestion).version
            recorded = side.submit(desk.finish, claimed, SENT)
            time.sleep(0.3)  # it waits for our row by now
            inbox.acknowledge(work, suggestion, version)
        assert recorded.result(timeout=10) is True
    assert (desk.state(), desk.copy().external_id) == (S.ACKNOWLEDGED, "there-1")


def test_a_mail_of_an_earlier_time_moves_no_visit_back(desk: Desk, in_days: Times) -> None:
    desk.finish(desk.claim(), SENT)
    desk.visits.book(desk.cast.scheduler, desk.suggestion, version=desk.row().version, days=3)
    claimed = desk.claim()
    told = Seen("apt-1", PeerStatus.BOOKED, claimed.proposed.starts_at, claimed.proposed.ends_at)
    moved = desk.visits.book(desk.cast.scheduler, desk.suggestion, version=desk.row().version, days=4)
    assert moved.status_code == 200, moved.text
    desk.finish(claimed, Heard(told, told=True, asks=False))
    assert (desk.row().starts_at, desk.tasks()) == (in_days(4), [])
    again = desk.claim()
    assert (again.behind, again.proposed.starts_at) == (True, in_days(4))


def test_a_system_that_is_away_is_tried_again_and_set_aside_at_the_end(desk: Desk, clock: Clock) -> None:
    for pause in retry.WEBHOOK_PAUSES:
        desk.finish(desk.claim(), Unheard("timeout"))
        assert desk.nothing_is_due()
        clock.forward(seconds=pause.total_seconds())
    desk.finish(desk.claim(), Unheard("timeout"))
    assert (desk.copy().state, desk.state()) == (CopyState.HELD, S.NEEDS_ATTENTION)
    assert set(desk.tasks()) == {"no_answer", "not_taken"}


def test_one_that_cannot_be_prepared_is_put_off_longer_and_longer(desk: Desk, clock: Clock) -> None:
    with desk.database.write() as session:
        desk.work(session)
        session.execute(update(SchedulingConnection).values(sealed_config=b"\0\1 no seal"))
    for number, pause in enumerate(retry.WEBHOOK_PAUSES, 1):
        with desk.database.write() as session:
            assert scheduling_copy.claim(session, clock.now, 5, LEASE) == []
        copy = desk.copy()
        assert (copy.state, copy.failures, copy.failure) == (CopyState.WAITING, number, "defect")
        assert copy.due_at == clock.now + pause
        clock.forward(seconds=pause.total_seconds())


def test_patience_that_the_system_asks_for_is_given(desk: Desk, clock: Clock) -> None:
    desk.finish(desk.claim(), Unheard("refused_429", retry_after=timedelta(minutes=20)))
    clock.forward(minutes=19)
    assert desk.nothing_is_due()
    clock.forward(minutes=1)
    assert not desk.nothing_is_due()


def test_what_was_refused_for_good_waits_for_a_person_who_tries_again(desk: Desk) -> None:
    desk.finish(desk.claim(), Unheard("patient_unmapped", permanent=True))
    assert (desk.state(), desk.tasks()) == (S.NEEDS_ATTENTION, ["not_taken"])
    copy = desk.cast.coordinator.get(f"/booking-suggestions/{desk.suggestion}/copy").json
    assert (copy["state"], copy["failure"]) == ("held", "patient_unmapped")
    again = desk.cast.coordinator.post(f"/booking-suggestions/{desk.suggestion}/copy/retry")
    assert again.status_code == 200, again.text
    desk.finish(desk.claim(), SENT)
    assert desk.state() == S.SENT


def changes_its_window(desk: Desk) -> None:
    path, body = f"/booking-suggestions/{desk.suggestion}/change", {"minutes": 30, "reason": "Shorter."}
    assert desk.cast.bo.post(path, body, version=desk.row().version).status_code == 200


def says_their_name(desk: Desk) -> None:
    mappings = f"/clinic/scheduling-connections/{desk.copy().connection_id}/mappings"
    said = desk.cast.admin.put(f"{mappings}/patient/{desk.cast.ana.patient_id}", {"theirs": "card-1"})
    assert said.status_code == 200, said.text


@pytest.mark.parametrize("change", [changes_its_window, says_their_name])
def test_what_is_refused_as_it_was_before_a_change_is_tried_as_it_is_now(
    desk: Desk, clock: Clock, change: Callable[[Desk], None]
) -> None:
    in_hand = desk.claim()
    clock.forward(seconds=5)
    change(desk)
    desk.finish(in_hand, Unheard("refused_422", permanent=True))
    assert (desk.copy().state, desk.state(), desk.tasks()) == (CopyState.WAITING, S.SUGGESTED, [])
    desk.finish(desk.claim(), Unheard("refused_422", permanent=True))
    assert (desk.copy().state, desk.state()) == (CopyState.HELD, S.NEEDS_ATTENTION)


@pytest.mark.parametrize("outcome", [SENT, Unheard("refused_422", permanent=True)])
def test_what_the_system_says_while_its_settings_are_changed_is_kept_and_so_are_they(
    desk: Desk, outcome: Heard | Unheard
) -> None:
    claimed = desk.claim()
    desk.clock.forward(seconds=5)
    with ThreadPoolExecutor(1) as side:
        with desk.database.write() as session:
            work, system = desk.work(session), System(claimed.kind, "Front desk", {}, {})
            connections.change(work, claimed.connection_id, claimed.connection_version, system)
            recorded = side.submit(desk.finish, claimed, outcome)
            time.sleep(0.3)  # it waits for our row by now
            copy_release.release(work, claimed.connection_id)
        assert recorded.result(timeout=10) is True
    assert (desk.copy().state, desk.tasks()) == (CopyState.WAITING, [])
    assert desk.claim().connection_version == claimed.connection_version + 1


def test_only_one_system_is_in_use_at_a_time(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.connect()


def test_a_clinic_whose_system_only_pulls_has_no_copies(desk: Desk, clock: Clock) -> None:
    desk.finish(desk.claim(), SENT)
    connection = desk.copy().connection_id
    assert desk.cast.admin.delete(f"/clinic/scheduling-connections/{connection}").status_code == 204
    desk.connect(ConnectionKind.INBOX)
    clock.forward(minutes=6)
    with desk.database.write() as session:
        assert scheduling_copy.claim(session, clock.now, 5, LEASE) == []
        assert scheduling_copy.take_up(desk.work(session)) == 0


def test_open_visits_move_to_a_system_that_is_connected_later(desk: Desk) -> None:
    desk.finish(desk.claim(), SENT)
    first = desk.copy().connection_id
    assert desk.cast.admin.delete(f"/clinic/scheduling-connections/{first}").status_code == 204
    second = desk.connect()
    with desk.database.write() as session:
        assert scheduling_copy.take_up(desk.work(session)) == 1
    claimed = desk.claim()
    assert (claimed.connection_id, claimed.known) == (second, False)


def test_what_the_system_before_answers_late_is_not_taken_for_the_word_of_the_one_that_has_it_now(
    desk: Desk,
) -> None:
    slow = desk.claim()
    assert desk.cast.admin.delete(f"/clinic/scheduling-connections/{slow.connection_id}").status_code == 204
    desk.connect()
    with desk.database.write() as session:
        assert scheduling_copy.take_up(desk.work(session)) == 1
    now = desk.claim()
    assert (slow.attempt, now.attempt, desk.finish(slow, SENT)) == (1, 1, False)
    assert desk.finish(now, Heard(Seen("here-1", PeerStatus.PROPOSED), told=True)) is True
    assert (desk.copy().external_id, desk.copy().connection_id) == ("here-1", now.connection_id)


def test_everything_is_compared_also_what_is_over(desk: Desk, clock: Clock) -> None:
    desk.finish(desk.claim(), SENT)
    path = f"/booking-suggestions/{desk.suggestion}/dismiss"
    assert desk.cast.bo.post(path, {"reason": "No."}, version=desk.row().version).status_code == 200
    desk.finish(desk.claim(), Heard(Seen("there-1", PeerStatus.CANCELLED), told=True))
    assert desk.copy().state is CopyState.SETTLED
    with desk.database.write() as session:
        since = clock.now - timedelta(days=30)
        assert scheduling_copy.ask_again(desk.work(session), desk.copy().connection_id, since) == 1
    desk.finish(desk.claim(), Heard(Seen("there-1", PeerStatus.BOOKED, clock.now + timedelta(days=2))))
    assert desk.tasks() == ["booked_otherwise"]


def test_what_is_over_is_compared_for_a_month_and_not_for_ever(desk: Desk, clock: Clock) -> None:
    desk.finish(desk.claim(), SENT)
    path = f"/booking-suggestions/{desk.suggestion}/dismiss"
    assert desk.cast.bo.post(path, {"reason": "No."}, version=desk.row().version).status_code == 200
    over = Heard(Seen("there-1", PeerStatus.CANCELLED), told=True)
    desk.finish(desk.claim(), over)
    compared = 0
    while _compared(desk) and compared < 40:
        desk.finish(desk.claim(), over)
        compared += 1
        clock.forward(days=1)
    assert compared == 31


def _compared(desk: Desk) -> int:
    with desk.database.write() as session:
        since = desk.clock.now - timedelta(days=30)
        return scheduling_copy.ask_again(desk.work(session), desk.copy().connection_id, since)


def test_a_name_of_theirs_counts_however_our_id_is_written_and_for_every_kind_of_visit(desk: Desk) -> None:
    lines = f"/clinic/scheduling-connections/{desk.copy().connection_id}/mappings"
    written = str(desk.cast.ana.patient_id).upper()
    for line, theirs in ((f"patient/{written}", "card-1"), ("appointment_type/*", "V2"), ("room/*", "R1")):
        said = desk.cast.admin.put(f"{lines}/{line}", {"theirs": theirs})
        assert said.status_code == 200, said.text
    mapped = desk.claim().proposed.mapped
    assert (mapped.patient, mapped.appointment_type, mapped.room) == ("card-1", "V2", "R1")
    assert desk.cast.admin.delete(f"{lines}/patient/{written}").status_code == 204
