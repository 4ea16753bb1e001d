"""A clinic's book and ours through whatever happens: in the end they agree, or a person was asked to look.

The book is a small practice's own system behind a real line, which loses answers; its messages come once,
twice, late, or signed by nobody. Staff there and the care team here do what they like.
"""

from collections.abc import Mapping, Set
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profiles
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.database import Database
from server.services.visits import review_task as review_tasks
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import NOON, Clock, Kept, bring_back, empty, keep
from tests.gateways.scheduling import http_configs
from tests.practice import Practice, practice_at

STATUSES = {word: PeerStatus(status) for word, status in http_configs.SEARCHED["statuses"].items()}
HOURS = st.integers(1, 96)
S, P = SuggestionState, PeerStatus
# What agrees with what, said here once more and apart from the rules under test: for each state of ours the
# phases of theirs that may stand beside it for ever. `None`: they do not know it.
_CALLED_OFF = frozenset({P.CANCELLED, P.DECLINED, None})
AGREES: Mapping[SuggestionState, Set[PeerStatus | None]] = MappingProxyType(
    {
        S.SENT: {P.PROPOSED},
        S.ACKNOWLEDGED: {P.PROPOSED, P.PENDING},
        S.BOOKED: {P.BOOKED},
        # Who never enters that somebody came has not said anything else.
        S.ARRIVED: {P.BOOKED, P.ARRIVED, P.PROPOSED, P.PENDING},
        S.FULFILLED: {P.BOOKED, P.ARRIVED, P.FULFILLED, P.PROPOSED, P.PENDING, None},
        S.NOSHOW: {P.NOSHOW, P.BOOKED, P.ARRIVED, None},
        **dict.fromkeys((S.DECLINED, S.CANCELLED, S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED), _CALLED_OFF),
    }
)
SHARE = {"sqlite": 60, "postgresql": 24}  # percent of the profile's examples


class TwoBooks(RuleBasedStateMachine):
    """Ana's visit in two books."""

    practice: Practice
    clock: Clock
    rows: Kept

    @initialize()
    def begin(self) -> None:
        database = self.practice.around.database
        empty(database)
        bring_back(database, self.rows)
        self.clock.now = NOON
        self.practice.system.book.clear()
        self.practice.line.has_lost()
        self.waiting: list[tuple[bytes, dict[str, str]]] = []
        self.clock_ahead = 0
        self.practice.sync(minutes=1)

    @rule()
    def sync(self) -> None:
        self.practice.sync(minutes=1)

    @rule(minutes=st.sampled_from([6, 31, 600, 60 * 26]))
    def time_passes(self, minutes: int) -> None:
        self.practice.sync(minutes=minutes)

    @rule(number=st.integers(1, 3))
    def the_line_loses_an_answer(self, number: int) -> None:
        self.practice.line.lose_answer(number)

    @rule(phase=st.sampled_from(sorted(STATUSES)), hours=HOURS, tells=st.booleans())
    def staff_there_do_something(self, phase: str, hours: int, tells: bool) -> None:
        if not self.practice.system.book:
            return
        begins = self.clock.now + timedelta(hours=hours) if phase == "fixed" else None
        self.practice.system.change(self.number, phase, begins)
        self.practice.system.book[self.number].touched = self.clock.now + timedelta(hours=self.clock_ahead)
        if tells:
            self.waiting.append(self.practice.message(self.number))

    @rule(hours=st.sampled_from([-30, 0, 30]))
    def their_clock_is_set(self, hours: int) -> None:
        self.clock_ahead = hours

    @rule()
    def somebody_there_deletes_it(self) -> None:
        self.practice.system.book.clear()

    @rule(which=st.integers(0, 3), twice=st.booleans())
    def a_message_comes_in_whatever_its_turn(self, which: int, twice: bool) -> None:
        if not self.waiting:
            return
        message = self.waiting[which % len(self.waiting)]
        for _ in range(1 + twice):
            status = self.practice.send(*message).status_code
            assert status in (202, 401)  # too old

    @rule()
    def somebody_else_sends_one(self) -> None:
        body, headers = self.practice.message("V/1")
        assert self.practice.send(body + b" ", headers).status_code == 401

    @rule()
    def bo_takes_it_back(self) -> None:
        path = f"/booking-suggestions/{self.practice.suggestion}/dismiss"
        version = self.practice.row().version
        answer = self.practice.cast.bo.post(path, {"reason": "No."}, version=version)
        assert answer.status_code in (200, 409), answer.text

    @rule(days=st.integers(1, 9))
    def bo_changes_the_window(self, days: int) -> None:
        row = self.practice.row()
        body = {"latest": (row.latest + timedelta(days=days)).isoformat(), "reason": "She is away."}
        path = f"/booking-suggestions/{self.practice.suggestion}/change"
        answer = self.practice.cast.bo.post(path, body, version=row.version)
        assert answer.status_code in (200, 409), answer.text

    @rule(answer=st.sampled_from(["accepted", "declined"]))
    def ana_answers(self, answer: str) -> None:
        path = f"/visits/{self.practice.suggestion}/answer"
        said = self.practice.cast.ana.post(path, {"answer": answer}, version=self.practice.row().version)
        assert said.status_code in (200, 409), said.text

    @rule(report=st.sampled_from(["acknowledge", "decline", "cancel", "noshow", "complete"]))
    def the_inbox_is_told(self, report: str) -> None:
        body = {"code": "no_capacity"} if report == "decline" else None
        self.tell(report, body)

    @rule(hours=HOURS)
    def the_inbox_is_told_of_a_booking(self, hours: int) -> None:
        starts_at = (self.clock.now + timedelta(hours=hours)).isoformat()
        self.tell("book", {"external_id": "apt-9", "starts_at": starts_at, "reschedule": True})

    @invariant()
    def there_is_never_a_second_visit(self) -> None:
        if self.practice.suggestion:
            assert self.practice.live() <= 1

    def teardown(self) -> None:
        if not hasattr(self, "waiting"):
            return
        self.practice.line.has_lost()
        self.practice.settle()
        said = f"{self.practice.state()} here, {self.there} there, asked: {self.practice.tasks()}"
        assert self.they_agree() or self.is_asked(), said

    def tell(self, report: str, body: object) -> None:
        path = f"/inbox/booking-suggestions/{self.practice.suggestion}/{report}"
        answer = self.practice.cast.scheduler.post(path, body, version=self.practice.row().version)
        assert answer.status_code in (200, 409, 422), answer.text

    def is_asked(self) -> bool:
        """Return whether somebody was asked about this visit as it stands here now."""
        with self.practice.around.database.read() as session:
            work = self.practice.visits.work(session)
            tasks = review_tasks.waiting_about(work, UUID(self.practice.suggestion))
            return any(task.detail["state"] == self.practice.state() for task in tasks)

    def they_agree(self) -> bool:
        """Return whether the two books say the same, or one only was never told that it took place."""
        state = SuggestionState(self.practice.state())
        return self.there in AGREES[state] and self.same_time()

    def same_time(self) -> bool:
        if self.practice.state() != SuggestionState.BOOKED or self.there is not PeerStatus.BOOKED:
            return True
        return self.practice.row().starts_at == self.practice.system.book[self.number].begins

    @property
    def number(self) -> str:
        return next(iter(self.practice.system.book))

    @property
    def there(self) -> PeerStatus | None:
        book = self.practice.system.book
        return STATUSES[book[self.number].phase] if book else None


@pytest.mark.long
def test_two_books_agree_in_the_end_or_a_person_is_asked(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> None:
    with practice_at(app, database, settings, clock, cast) as practice:
        practice.approve()
        machine = type("Played", (TwoBooks,), {"practice": practice, "clock": clock, "rows": keep(database)})
        run_state_machine_as_test(machine, settings=_few_long_runs(database))


def _few_long_runs(database: Database) -> profiles:
    profile = profiles.get_current_profile_name()
    most = profiles.get_profile(profile).max_examples
    return profiles(
        max_examples=most * SHARE[database.engine.dialect.name] // 100,
        stateful_step_count=20,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
