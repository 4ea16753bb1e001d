"""Two phones and a server through whatever happens: in the end they agree, nothing lost, nothing doubled.

The phones are the one of `examples/phone.py` on stores in memory; the wire is the WSGI client. Every
text a patient types, and every scale filled, is one word used once, so what is lost or doubled can be named.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from examples.phone import ENTRY, FILLED, Json, Phone, Store, Unreachable, filled, written
from schemas.scale import ScaleAnswer
from server.api.edge import Surroundings
from server.clinical.instruments.catalog import instrument
from server.database import Database
from server.models import Entry, QuestionnaireResponse, QuestionnaireResponseRevision
from server.services import vault
from tests.cast import Cast, Person, as_work, entry
from tests.conftest import NOON, Clock, Kept, bring_back, empty, keep
from tests.ledger import SCALE, Ledger, words

PHONES = st.integers(0, 1)
FEW = st.integers(0, 2)
KINDS = st.sampled_from([ENTRY, FILLED])
TABLES = {ENTRY: Entry, FILLED: QuestionnaireResponse}
PATHS = {ENTRY: "/entries", FILLED: "/questionnaire-responses"}
DEFINITION = ScaleAnswer().dump(instrument(SCALE, 1))
# What the server said in all examples, to see that every road was taken.
VERDICTS: Counter[str] = Counter()
# Few long runs, in percent of the profile's; PostgreSQL takes three times as long, and runs the same rules.
SHARE = {"sqlite": 40, "postgresql": 16}
ROADS = ("created", "duplicate", "updated", "conflict", "invalid")
# Enough calls to settle any conflict between two phones that are no longer used.
QUIET = 6


@dataclass
class Wire:
    """One phone's way to the server. The next request can be lost, or its answer."""

    person: Person
    ledger: Ledger
    lose: str = ""
    cursors: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """Send as Ana."""
        lost, self.lose = self.lose, ""
        if lost == "request":
            raise Unreachable("the request was lost")
        answer = self.person.send(method, path.removeprefix("/v1"), body)
        if lost == "answer":
            raise Unreachable("the answer was lost")
        assert answer.status_code in (200, 410), answer.text
        found: Json = answer.get_json()
        self.ledger.verdicts["resync"] += answer.status_code == 410
        if answer.status_code == 200:
            self.cursors.append(found["next_cursor"])
            for item, result in zip((body or {})["items"], found["results"], strict=True):
                self.ledger.hear(item, result)
        return answer.status_code, found


class TwoPhones(RuleBasedStateMachine):
    """Ana's phone and tablet."""

    app: Flask
    cast: Cast
    clock: Clock
    rows: Kept

    @initialize()
    def begin(self) -> None:
        database = Surroundings.of(self.app).database
        empty(database)
        bring_back(database, self.rows)
        self.clock.now = NOON
        self.ledger = Ledger()
        self.skew = [timedelta(), timedelta()]
        self.versions: Counter[str] = Counter()
        self.wires = [Wire(self.cast.ana, self.ledger) for _ in range(2)]
        self.phones = [self.new_phone(which) for which in range(2)]
        self.log(0, 5), self.fill(0)
        self.phones[0].sync(), self.phones[1].sync()

    def new_phone(self, which: int) -> Phone:
        """A phone out of the box; few items a call, so that a sync takes several."""
        send, clock = self.wires[which].send, lambda: self.clock.now + self.skew[which]
        return Phone(Store(":memory:"), send, lambda _: None, clock, most=2, page=2)

    def picked(self, which: int, number: int, kind: str) -> tuple[str, Json] | None:
        """Return one of the first entries or scales a phone shows: few, so that the two phones meet."""
        journal = self.phones[which].store.journal(kind)
        seen = sorted(journal.items(), key=lambda pair: sorted(words(pair[1])))
        return seen[number % len(seen)] if seen else None

    @rule(which=PHONES, mood=st.integers(0, 10))
    def log(self, which: int, mood: int) -> None:
        now = self.clock.now + self.skew[which]
        body = entry(now, items={"mood": mood}, note=self.ledger.type(), entered_by="caregiver")
        self.phones[which].log(body)

    @rule(which=PHONES)
    def fill(self, which: int) -> None:
        now = self.clock.now + self.skew[which]
        felt = {"occurred_at": now.isoformat(), "zone": "Europe/Oslo"}
        self.phones[which].log(filled(DEFINITION, self.ledger.fill()) | felt, FILLED)

    @rule(which=PHONES, number=FEW, kind=KINDS)
    def edit(self, which: int, number: int, kind: str) -> None:
        if (found := self.picked(which, number, kind)) is None:
            return
        row_id, body = found
        if kind == ENTRY:
            new = {"occurred_at": self.clock.now.isoformat(), "note": self.ledger.type(body)}
        else:
            new = filled(DEFINITION, self.ledger.fill(body))
        self.phones[which].edit(row_id, body | new)

    @rule(number=FEW, kind=KINDS)
    def edit_on_both(self, number: int, kind: str) -> None:
        self.edit(0, number, kind)
        self.edit(1, number, kind)

    @rule(which=PHONES, number=FEW, kind=KINDS)
    def delete(self, which: int, number: int, kind: str) -> None:
        if (found := self.picked(which, number, kind)) is not None:
            self.ledger.take_back(*found)
            self.phones[which].delete(found[0])

    @rule(which=PHONES)
    def sync(self, which: int) -> None:
        self.phones[which].sync()

    @rule(which=PHONES, lose=st.sampled_from(["request", "answer"]))
    def sync_without_an_answer(self, which: int, lose: str) -> None:
        if not self.phones[which].store.count("waiting", "sent"):
            self.log(which, 5)
        self.wires[which].lose = lose
        try:
            self.phones[which].sync()
        except Unreachable:
            return
        raise AssertionError("the phone believed an answer it never got")

    @rule(which=PHONES, kind=KINDS)
    def only_the_answer_is_lost(self, which: int, kind: str) -> None:
        self.phones[which].sync()  # what is new then goes in the next call, whatever waited before it
        self.log(which, 5) if kind == ENTRY else self.fill(which)
        self.sync_without_an_answer(which, "answer")
        self.phones[which].sync()

    @rule(which=PHONES)
    def reinstall(self, which: int) -> None:
        rows = self.phones[which].store.db.execute("SELECT body FROM pending WHERE body IS NOT NULL")
        self.ledger.lost_with_the_phone |= set().union(*(words(json.loads(body)) for (body,) in rows))
        self.phones[which] = self.new_phone(which)
        self.wires[which].cursors.clear()  # a cursor is of use only beside the copies it came with

    @rule(which=PHONES, days=st.integers(-400, 400))
    def jump_of_the_phones_clock(self, which: int, days: int) -> None:
        self.skew[which] = timedelta(days=days)

    @rule(hours=st.sampled_from([1, 30]))
    def time_passes(self, hours: int) -> None:
        self.clock.forward(hours=hours)

    @precondition(lambda self: any(wire.cursors for wire in self.wires))
    @rule(which=PHONES, number=st.integers(0, 30))
    def restore_an_old_cursor(self, which: int, number: int) -> None:
        if known := self.wires[which].cursors:
            self.phones[which].store.keep("cursor", known[number % len(known)])

    @precondition(lambda self: self.clock.now < NOON + timedelta(days=181))
    @rule()
    def half_a_year_passes(self) -> None:
        self.clock.forward(days=181)

    @rule(which=PHONES, kind=KINDS)
    def log_what_lies_too_far_back(self, which: int, kind: str) -> None:
        felt = self.clock.now - timedelta(days=4000)
        if kind == ENTRY:
            self.phones[which].log(entry(felt, note=self.ledger.type()))
            return
        body = filled(DEFINITION, self.ledger.fill())
        self.phones[which].log({**body, "occurred_at": felt.isoformat(), "zone": "UTC"}, kind)

    @invariant()
    def versions_only_grow_and_every_row_is_there_once(self) -> None:
        rows = self.stored()
        for row_id, (_, version) in rows.items():
            assert version >= self.versions[row_id], row_id
            self.versions[row_id] = version
        assert len(rows) == len(self.versions), "what was stored once stays, if only as a tombstone"

    def teardown(self) -> None:
        for _ in range(QUIET):
            for phone in self.phones:
                phone.sync()
        server = {key: (version, self.content(key, kind)) for key, (kind, version) in self.stored().items()}
        refused = set[str]()
        for phone in self.phones:
            assert phone.store.count("waiting", "sent") == 0
            rows = phone.store.db.execute("SELECT body FROM pending WHERE body IS NOT NULL")
            refused |= set().union(*(words(json.loads(body)) for (body,) in rows))
            assert self.copy_of(phone) == server
        VERDICTS.update(self.ledger.verdicts)
        bodies = [body for _, body in server.values() if body]
        kept = Counter(word for body in bodies if "answers" not in body for word in words(body))
        self.ledger.read({*kept}, {row_id for row_id, (_, body) in server.items() if body is None})
        assert self.ledger.owed(refused) <= kept.keys(), "a text is lost"
        assert [word for word, times in kept.items() if times > 1] == [], "a text is doubled"
        history = self.fillings()
        assert history.keys() <= self.ledger.filled, "a scale that nobody filled"
        assert self.ledger.owed_to_history(refused) <= history.keys(), "a scale is lost"
        assert [word for word, times in history.items() if times > 1] == [], "a scale is doubled"
        current = set().union(*(words(body) for body in bodies if "answers" in body))
        assert not current & self.ledger.outdated(), "a correction is undone"
        assert all(b["entered_by"] == "caregiver" for b in bodies if b.get("items", {}).keys() == {"mood"})

    def stored(self) -> dict[str, tuple[str, int]]:
        """Return kind and version of every row on the server."""
        found: dict[str, tuple[str, int]] = {}
        with Surroundings.of(self.app).database.read() as session:
            for kind, table in TABLES.items():
                found |= {str(row.id): (kind, row.version) for row in session.scalars(select(table))}
        return found

    def fillings(self) -> Counter[str]:
        """Return how often each filling is among the versions of the scales on record."""
        with Surroundings.of(self.app).database.read() as session:
            work = as_work(self.app, self.cast.ana, session)
            rows = vault.opened(work, list(session.scalars(select(QuestionnaireResponseRevision))))
        return Counter(word for row in rows if row.content for word in words(row.content))

    def content(self, row_id: str, kind: str) -> Json | None:
        """Return a row as a phone keeps it, read past the sync."""
        found = self.cast.ana.get(f"{PATHS[kind]}/{row_id}")
        return written({**found.json, "kind": kind, "deleted": False}) if found.status_code == 200 else None

    def copy_of(self, phone: Phone) -> dict[str, tuple[int, Any]]:
        """Return a phone's copy of what the server has, without what lies over it as refused."""
        rows = phone.store.db.execute("SELECT id, version, body FROM copy").fetchall()
        return {row_id: (version, body and json.loads(body)) for row_id, version, body in rows}


@pytest.mark.long
def test_two_phones_and_the_server_agree_whatever_happens(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    VERDICTS.clear()
    world = {"app": app, "cast": cast, "clock": clock, "rows": keep(database)}
    machine = type("TwoPhones", (TwoPhones,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings().max_examples * SHARE[database.engine.dialect.name] // 100,
            stateful_step_count=50,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    if not database.is_sqlite:  # it has fewer runs
        return
    thorough = settings().max_examples >= 100
    seen = set(VERDICTS) if thorough else {verdict.split()[-1] for verdict in VERDICTS}
    both = {f"{kind} {verdict}" for kind in ("entry", "scale") for verdict in ROADS}
    assert seen >= (both if thorough else set(ROADS)) | {"resync"}
