"""Two phones and a server through whatever happens: in the end they agree, nothing lost, nothing doubled.

The phones are the one of `examples/phone.py` on stores in memory; the wire is the WSGI client. Every
text a patient types is one word, used once (`w17`), so a lost or doubled text can be named.
"""

import json
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
FEW = st.integers(0, 2)
# What the server said in all examples, to see that every road was taken.
VERDICTS: Counter[str] = Counter()
# PostgreSQL takes three times as long an example, and runs the same rules.
EXAMPLES = {"sqlite": 30, "postgresql": 10}
# Enough calls to settle any conflict between two phones that are no longer used.
QUIET = 6


def words(body: Json | None) -> set[str]:
    """Return the words in an entry's note."""
    return set(WORD.findall((body or {}).get("note") or ""))


@dataclass
class Ledger:
    """Every word typed, what became of it on the phones, and what the server acknowledged."""

    typed: set[str] = field(default_factory=set)
    over: dict[str, set[str]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    taken_back: dict[str, set[str]] = field(default_factory=dict)
    lost_with_the_phone: set[str] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)

    def type(self, body: Json | None = None) -> str:
        """Return a new word, typed over what ``body`` said."""
        word = f"w{len(self.typed) + 1}"
        self.typed.add(word)
        self.over[word] = self.all_before(body)
        return word

    def take_back(self, entry_id: str, body: Json) -> None:
        """Note that the patient took back what ``body`` says."""
        self.taken_back.setdefault(entry_id, set()).update(self.all_before(body))

    def all_before(self, body: Json | None) -> set[str]:
        """Return the words of ``body`` and those they were typed over."""
        seen = words(body)
        return seen.union(*(self.over[word] for word in seen))

    def hear(self, item: Json, result: Json) -> None:
        """Note the verdict on one item; it reached the phone."""
        self.verdicts[result["verdict"]] += 1
        if result["verdict"] not in STORED:
            return
        said = words(item.get("entry"))
        self.acknowledged |= said
        self.replaced |= set().union(*(self.over[word] for word in said))
        if item["action"] == "delete":
            self.replaced |= self.taken_back[item["id"]]

    def owed(self, refused: set[str]) -> set[str]:
        """Return the words that must be there in the end.

        What was acknowledged, unless the server also acknowledged its replacement; and what was
        typed last and neither refused nor lost with a phone, whether acknowledged or not.
        """
        gone = set().union(*self.over.values(), *self.taken_back.values())
        typed_last = self.typed - gone - refused - self.lost_with_the_phone
        return (self.acknowledged - self.replaced) | typed_last


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
    rows: Rows

    @initialize()
    def begin(self) -> None:
        database = Surroundings.of(self.app).database
        empty(database)
        fill(database, self.rows)
        self.clock.now = NOON
        self.ledger = Ledger()
        self.skew = [timedelta(), timedelta()]
        self.versions: Counter[str] = Counter()
        self.wires = [Wire(self.cast.ana, self.ledger) for _ in range(2)]
        self.phones = [self.new_phone(which) for which in range(2)]
        self.log(0, 5)
        self.phones[0].sync(), self.phones[1].sync()

    def new_phone(self, which: int) -> Phone:
        """A phone out of the box; few items a call, so that a sync takes several."""
        send, clock = self.wires[which].send, lambda: self.clock.now + self.skew[which]
        return Phone(Store(":memory:"), send, lambda _: None, clock, most=2, page=2)

    def picked(self, which: int, number: int) -> tuple[str, Json] | None:
        """Return one of the first entries a phone shows: few, so that the two phones meet."""
        seen = sorted(self.phones[which].store.journal().items(), key=lambda pair: pair[1]["note"])
        return seen[number % len(seen)] if seen else None

    @rule(which=PHONES, mood=st.integers(0, 10))
    def log(self, which: int, mood: int) -> None:
        self.phones[which].log(entry(self.clock.now, items={"mood": mood}, note=self.ledger.type()))

    @rule(which=PHONES, number=FEW)
    def edit(self, which: int, number: int) -> None:
        if (found := self.picked(which, number)) is not None:
            entry_id, body = found
            felt = self.clock.now.isoformat()
            self.phones[which].edit(entry_id, {**body, "occurred_at": felt, "note": self.ledger.type(body)})

    @rule(number=FEW)
    def edit_on_both(self, number: int) -> None:
        self.edit(0, number)
        self.edit(1, number)

    @rule(which=PHONES, number=FEW)
    def delete(self, which: int, number: int) -> None:
        if (found := self.picked(which, number)) is not None:
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

    @rule(which=PHONES)
    def reinstall(self, which: int) -> None:
        rows = self.phones[which].store.db.execute("SELECT body FROM pending WHERE body IS NOT NULL")
        self.ledger.lost_with_the_phone |= set().union(*(words(json.loads(body)) for (body,) in rows))
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

    @precondition(lambda self: self.clock.now < NOON + timedelta(days=181))
    @rule()
    def half_a_year_passes(self) -> None:
        self.clock.forward(days=181)

    @rule(which=PHONES)
    def log_what_lies_too_far_back(self, which: int) -> None:
        self.phones[which].log(entry(self.clock.now - timedelta(days=40), note=self.ledger.type()))

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
        refused = set[str]()
        for phone in self.phones:
            assert phone.store.count("waiting", "sent") == 0
            rows = phone.store.db.execute("SELECT body FROM pending WHERE body IS NOT NULL")
            refused |= set().union(*(words(json.loads(body)) for (body,) in rows))
            assert self.copy_of(phone) == server
        kept = Counter(word for _, body in server.values() for word in words(body))
        assert self.ledger.owed(refused) <= kept.keys(), "a text is lost"
        VERDICTS.update(self.ledger.verdicts)
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
    VERDICTS.clear()
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
            phases=[Phase.generate],
        ),
    )
    assert VERDICTS.keys() >= {"created", "duplicate", "updated", "conflict", "invalid", "resync"}
