"""Two phones and a server through whatever happens: in the end they agree, nothing lost, nothing doubled.

The phones are the one of `examples/phone.py` on stores in memory; the wire is the WSGI client. Every
text a patient types is one word, used once (`w17`), so a lost or doubled text can be named.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

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

from examples.phone import STORED, Json, Phone, Store, Unreachable, written
from server.api.edge import Surroundings
from server.database import Database
from server.models import Entry
from tests.cast import Cast, Person, entry
from tests.conftest import NOON, Clock, Rows, empty, fill, rows_of

WORD = re.compile(r"w\d+")
PHONES = st.integers(0, 1)
# PostgreSQL takes three times as long an example, and runs the same rules.
EXAMPLES = {"sqlite": 40, "postgresql": 12}
# Enough calls to settle any conflict between two phones that are no longer used.
QUIET = 6


def words(body: Json | None) -> set[str]:
    """Return the words in an entry's note."""
    return set(WORD.findall((body or {}).get("note") or ""))


@dataclass
class Ledger:
    """What the server acknowledged, and which words the patient knowingly replaced."""

    acknowledged: set[str] = field(default_factory=set)
    replaced_by: dict[str, set[str]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    taken_back: dict[str, set[str]] = field(default_factory=dict)

    def hear(self, item: Json, result: Json) -> None:
        """Note the verdict on one item; it reached the phone."""
        if result["verdict"] not in STORED:
            return
        said = words(item.get("entry"))
        self.acknowledged |= said
        self.replaced |= set().union(*(self.replaced_by.get(word, set()) for word in said))
        if item["action"] == "delete":
            self.replaced |= self.taken_back.get(item["id"], set())

    @property
    def owed(self) -> set[str]:
        """The words that must be there in the end."""
        return self.acknowledged - self.replaced


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
    rows: Rows

    @initialize()
    def begin(self) -> None:
        database = Surroundings.of(self.app).database
        empty(database)
        fill(database, self.rows)
        self.clock.now = NOON
        self.ledger, self.count = Ledger(), 0
        self.skew = [timedelta(), timedelta()]
        self.versions: Counter[str] = Counter()
        self.wires = [Wire(self.cast.ana, self.ledger) for _ in range(2)]
        self.phones = [self.new_phone(which) for which in range(2)]

    def new_phone(self, which: int) -> Phone:
        """A phone out of the box; few items a call, so that a sync takes several."""
        send, clock = self.wires[which].send, lambda: self.clock.now + self.skew[which]
        return Phone(Store(":memory:"), send, lambda _: None, clock, most=3)

    def word(self) -> str:
        self.count += 1
        return f"w{self.count}"

    def picked(self, which: int, number: int) -> tuple[str, Json] | None:
        seen = sorted(self.phones[which].store.journal().items())
        return seen[number % len(seen)] if seen else None

    @rule(which=PHONES, mood=st.integers(0, 10))
    def log(self, which: int, mood: int) -> None:
        self.phones[which].log(entry(self.clock.now, items={"mood": mood}, note=self.word()))

    @rule(which=PHONES, number=st.integers(0, 9))
    def edit(self, which: int, number: int) -> None:
        if (found := self.picked(which, number)) is not None:
            entry_id, body = found
            word = self.word()
            before = words(body)
            self.ledger.replaced_by[word] = before.union(
                *(self.ledger.replaced_by.get(w, ()) for w in before)
            )
            self.phones[which].edit(entry_id, {**body, "note": word})

    @rule(which=PHONES, number=st.integers(0, 9))
    def delete(self, which: int, number: int) -> None:
        if (found := self.picked(which, number)) is not None:
            entry_id, body = found
            before = words(body)
            gone = before.union(*(self.ledger.replaced_by.get(w, ()) for w in before))
            self.ledger.taken_back.setdefault(entry_id, set()).update(gone)
            self.phones[which].delete(entry_id)

    @rule(which=PHONES)
    def sync(self, which: int) -> None:
        self.phones[which].sync()

    @rule(which=PHONES, lose=st.sampled_from(["request", "answer"]))
    def sync_without_an_answer(self, which: int, lose: str) -> None:
        self.wires[which].lose = lose
        try:
            self.phones[which].sync()
        except Unreachable:
            return
        raise AssertionError("the phone believed an answer it never got")

    @rule(which=PHONES)
    def reinstall(self, which: int) -> None:
        self.phones[which] = self.new_phone(which)

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

    @rule(number=st.integers(0, 4))
    def half_a_year_passes(self, number: int) -> None:
        if number == 0:
            self.clock.forward(days=181)

    @invariant()
    def versions_only_grow_and_every_entry_is_there_once(self) -> None:
        for row in self.stored():
            entry_id = str(row.id)
            assert row.version >= self.versions[entry_id], entry_id
            self.versions[entry_id] = row.version
        assert len(self.stored()) == len(self.versions), "what was stored once stays, if only as a tombstone"

    def teardown(self) -> None:
        for _ in range(QUIET):
            for phone in self.phones:
                phone.sync()
        server = {str(r.id): (r.version, self.content(r)) for r in self.stored()}
        for phone in self.phones:
            assert phone.store.count("waiting", "sent") == 0
            assert self.copy_of(phone) == server
        kept = Counter(word for _, body in server.values() for word in words(body))
        assert self.ledger.owed <= kept.keys(), "an acknowledged text is lost"
        assert [word for word, times in kept.items() if times > 1] == [], "a text is doubled"

    def stored(self) -> list[Entry]:
        with Surroundings.of(self.app).database.read() as session:
            return list(session.scalars(select(Entry).where(Entry.patient_id == self.cast.ana.patient_id)))

    def content(self, row: Entry) -> Json | None:
        """Return an entry as a phone keeps it, read past the sync."""
        found = self.cast.ana.get(f"/entries/{row.id}")
        return written({**found.json, "deleted": False}) if found.status_code == 200 else None

    def copy_of(self, phone: Phone) -> dict[str, tuple[int, Any]]:
        """Return a phone's copy of the server's entries, without what lies over it as refused."""
        rows = phone.store.db.execute("SELECT id, version FROM entry").fetchall()
        phone.store.db.execute("DELETE FROM pending")
        seen = phone.store.journal()
        return {entry_id: (version, seen.get(entry_id)) for entry_id, version in rows}


def test_two_phones_and_the_server_agree_whatever_happens(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    world = {"app": app, "cast": cast, "clock": clock, "rows": rows_of(database)}
    machine = type("TwoPhones", (TwoPhones,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[database.engine.dialect.name],
            stateful_step_count=24,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
