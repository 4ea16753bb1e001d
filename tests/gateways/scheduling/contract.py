"""What every adapter passes, whatever is behind it.

A test module has a fixture `rig` that gives a `Rig`, and makes a class of this: `class TestSmallClinic(
SchedulingContract): ...`. What a system can't do (its capabilities say so) is skipped, never assumed.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from server.clinical.visit import MOST_SLOTS, Proposed, RawEvent, Seen
from server.clinical.vocabulary import PeerStatus
from server.gateways.message import SendError
from tests.gateways.scheduling.rig import Rig, known, moment, ten_oclock

OPEN = (PeerStatus.PROPOSED, PeerStatus.PENDING)
OVER = (PeerStatus.CANCELLED, PeerStatus.DECLINED)
MOST_ANSWERS = 12  # no call of an adapter asks more often than this
# A reason, a diagnosis, a drug, a score: none of ours to tell. Each would be a slip of an adapter's own text.
FORBIDDEN = (
    *("ketamin", "relaps", "fading", "mood", "pain", "depress", "suicid", "anxi", "symptom", "phq", "gad-7"),
    *("diagnos", "red_flag", "signal", "score", "baseline", "journal", "psych", "maintenance", "treatment"),
)
JSON = {"content-type": "application/json"}
NONSENSE = (
    *(b"", b"\xff\xfe\x00", b"null", b"[]", b"{}", b"[[[[", b'"text"', b"7", b"a=b&c=d", b"<xml/>"),
    *(
        b"[" * 5000,
        b'{"id": {"a": [1]}}',
        b'{"id": null}',
        '{"id": "\ud800"}'.encode("utf-8", "surrogatepass"),
    ),
)


class SchedulingContract:
    """The sentences. ``rig`` is the module's own."""

    def test_a_proposal_is_there_and_nothing_is_booked(self, rig: Rig) -> None:
        seen = rig.port.suggest(rig.proposal(), moment())
        assert seen.external_id
        assert seen.status in OPEN
        assert seen.status is PeerStatus.PROPOSED or rig.port.capabilities.pending

    def test_the_same_proposal_twice_makes_one_visit(self, rig: Rig) -> None:
        visit = rig.proposal()
        first = rig.port.suggest(visit, moment())
        assert rig.port.suggest(visit, moment()).external_id == first.external_id
        assert rig.port.suggest(known(visit, first), moment()).external_id == first.external_id
        assert rig.visits(visit) == 1

    def test_two_proposals_are_two_visits(self, rig: Rig) -> None:
        one, other = rig.suggested(), rig.suggested()
        assert one.external_id != other.external_id
        assert (rig.visits(one), rig.visits(other)) == (1, 1)

    def test_an_answer_that_is_lost_makes_no_second_visit_whichever_it_is(self, rig: Rig) -> None:
        def suggested(visit: Proposed) -> Proposed:
            again = rig.port.suggest(visit, moment())
            assert rig.visits(visit) == 1
            return known(visit, again)

        self._whichever_is_lost(rig, rig.proposal, lambda v: rig.port.suggest(v, moment()), suggested)

    def test_a_change_whose_answer_is_lost_makes_no_second_visit(self, rig: Rig) -> None:
        def changed() -> Proposed:
            visit = rig.suggested()
            return replace(visit, version=visit.version + 1, latest=visit.latest + timedelta(days=3))

        def suggested(visit: Proposed) -> None:
            assert rig.port.suggest(visit, moment()).external_id == visit.external_id
            assert rig.visits(visit) == 1

        self._whichever_is_lost(rig, changed, lambda v: rig.port.suggest(v, moment()), suggested)

    def test_a_withdrawal_whose_answer_is_lost_is_done_all_the_same(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.cancel)

        def withdrawn(visit: Proposed) -> None:
            _is_over(rig.port.withdraw(visit, moment()))
            assert rig.visits(visit) == 0

        self._whichever_is_lost(rig, rig.suggested, lambda v: rig.port.withdraw(v, moment()), withdrawn)

    def test_a_new_window_changes_the_visit_and_makes_none(self, rig: Rig) -> None:
        visit = rig.suggested()
        later = replace(visit, version=3, earliest=visit.earliest + timedelta(days=3))
        assert rig.port.suggest(later, moment()).external_id == visit.external_id
        assert rig.visits(visit) == 1

    def test_what_is_not_known_there_is_nothing(self, rig: Rig) -> None:
        assert rig.port.fetch(rig.proposal(), moment()) is None

    def test_what_was_removed_there_is_nothing(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.forget(visit)
        assert rig.port.fetch(visit, moment()) is None

    def test_what_is_asked_for_by_our_id_alone_is_found(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        nameless = replace(visit, external_id=None, etag=None)
        assert rig.fetched(nameless).external_id == visit.external_id

    def test_the_clinic_books_and_the_time_is_known(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        seen = rig.fetched(visit)
        assert (seen.external_id, seen.status) == (visit.external_id, PeerStatus.BOOKED)
        assert seen.starts_at == ten_oclock(visit)
        assert seen.starts_at.tzinfo is not None
        assert seen.ends_at is None or seen.ends_at > seen.starts_at

    def test_a_proposal_that_comes_again_does_not_undo_a_booking(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        seen = rig.port.suggest(replace(visit, version=3), moment())
        assert (seen.status, seen.starts_at) == (PeerStatus.BOOKED, ten_oclock(visit))
        assert rig.fetched(visit).status is PeerStatus.BOOKED

    def test_a_booking_moves_and_its_order_is_told(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches and rig.port.capabilities.reschedule)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        before = rig.fetched(visit)
        rig.confirm(visit, ten_oclock(visit, days=4))
        after = rig.fetched(known(visit, before))
        assert (after.status, after.starts_at) == (PeerStatus.BOOKED, ten_oclock(visit, days=4))
        assert before.version is None or after.version != before.version
        assert before.changed_at is None or (after.changed_at and after.changed_at >= before.changed_at)

    def test_the_clinic_cancels_what_was_booked(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        booked = known(visit, rig.fetched(visit))
        rig.cancel(booked)
        assert rig.fetched(booked).status is PeerStatus.CANCELLED

    def test_what_ends_before_it_was_booked_is_declined(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.cancel(visit)
        assert rig.fetched(visit).status is PeerStatus.DECLINED

    def test_the_visit_took_place(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        booked = known(visit, rig.fetched(visit))
        rig.complete(booked)
        assert rig.fetched(booked).status is PeerStatus.FULFILLED

    def test_what_is_withdrawn_is_gone_there_or_cancelled(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.cancel)
        visit = rig.suggested()
        _is_over(rig.port.withdraw(visit, moment()))
        assert rig.visits(visit) == 0
        if rig.port.capabilities.fetches:
            _is_over(rig.port.fetch(visit, moment()))

    def test_withdrawing_twice_or_what_never_was_there_is_harmless(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.cancel)
        visit = rig.suggested()
        for _ in range(2):
            _is_over(rig.port.withdraw(visit, moment()))
        never = rig.proposal()
        _is_over(rig.port.withdraw(never, moment()))
        assert rig.visits(never) == 0

    def test_what_is_booked_is_not_withdrawn(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.fetches)
        visit = rig.suggested()
        rig.confirm(visit, ten_oclock(visit))
        seen = rig.port.withdraw(visit, moment())  # we do not know yet that it was booked
        assert seen is not None
        assert seen.status is PeerStatus.BOOKED
        assert rig.fetched(visit).status is PeerStatus.BOOKED

    def test_a_system_that_is_away_is_away(self, rig: Rig) -> None:
        visit, port = rig.suggested(), rig.away()
        calls = [port.suggest, *([port.fetch, port.withdraw] if port.capabilities.fetches else [])]
        for call in calls:
            with pytest.raises(SendError) as caught:
                call(visit, moment())
            assert (caught.value.away, caught.value.permanent) == (True, False)
            assert re.fullmatch("[a-z0-9_]+", str(caught.value))

    def test_nothing_but_the_allowed_members_leaves(self, rig: Rig) -> None:
        for call in (rig.port.suggest, rig.port.fetch, rig.port.find_slots, rig.port.withdraw):
            call(rig.proposal(), moment())
        sent = rig.sent().decode("utf-8", "replace").lower()
        assert [word for word in FORBIDDEN if word in sent] == []

    def test_no_address_names_the_patient(self, rig: Rig) -> None:
        visit = rig.suggested()
        rig.port.fetch(visit, moment())
        rig.port.find_slots(visit, moment())
        rig.port.withdraw(visit, moment())
        addresses = b" ".join(re.findall(rb"^[A-Z]+ (\S+) HTTP/1\.[01]\r?$", rig.sent(), re.MULTILINE))
        names = [name for name in (str(visit.patient_id), visit.mapped.patient) if name]
        # An id of a digit or two is found in anything.
        assert [name for name in names if len(name) > 3 and name.encode() in addresses] == []

    def test_no_secret_stands_in_a_lane_or_where_an_adapter_is_shown(self, rig: Rig) -> None:
        said = (rig.port.lane(), repr(rig.port))
        assert rig.port.lane()
        assert [secret for secret in rig.secrets if any(secret in text for text in said)] == []

    def test_slots_lie_in_the_window_the_earliest_first(self, rig: Rig) -> None:
        visit = rig.proposal()
        if not rig.port.capabilities.slots:
            assert list(rig.port.find_slots(visit, moment())) == []
            return
        inside = [ten_oclock(visit, days=d) for d in (5, 1, 3, 2, 4, 6)]
        rig.open_times([*inside, ten_oclock(visit, days=-3), ten_oclock(visit, days=30)])
        slots = rig.port.find_slots(visit, moment())
        assert [slot.starts_at for slot in slots] == sorted(inside)[:MOST_SLOTS]
        assert all(slot.ends_at > slot.starts_at for slot in slots)

    def test_a_message_points_at_the_visit(self, rig: Rig) -> None:
        self._needs(rig.port.capabilities.events)
        visit = rig.suggested()
        events = rig.port.parse_event(rig.event(visit))
        assert events
        assert all(e.suggestion_id == visit.id or e.external_id == visit.external_id for e in events)

    def test_a_message_of_nonsense_is_refused(self, rig: Rig) -> None:
        for body in NONSENSE:
            with pytest.raises(ValueError):
                raise AssertionError(rig.port.parse_event(RawEvent(body, JSON)), body)

    @staticmethod
    def _needs(can: bool) -> None:
        if not can:
            pytest.skip("this kind of system can't")

    def _whichever_is_lost(
        self,
        rig: Rig,
        made: Callable[[], Proposed],
        call: Callable[[Proposed], object],
        again: Callable[[Proposed], object],
    ) -> None:
        """Lose the first answer of ``call``, then the second one, and so on until it has no more."""
        for number in range(1, MOST_ANSWERS):
            visit = made()
            rig.lose_answer(number)
            with suppress(SendError):
                call(visit)
            if not rig.has_lost():
                return
            again(visit)
        pytest.fail("a call that asks so often is no call")


def _is_over(seen: Seen | None) -> None:
    assert seen is None or seen.status in OVER
