"""A small phone: what an app does to keep a journal offline and sync it, in one file to read.

Standard library only. It follows docs/mobile.md; everything it knows is in one SQLite file, so it may
be killed at any moment. The password comes from the variable PHONE_PASSWORD.

    python examples/phone.py --email ana@demo.example log --mood 6 --note "Slept better."
    python examples/phone.py --email ana@demo.example due
    python examples/phone.py --email ana@demo.example fill phq-2 --answers 1,0
    python examples/phone.py --email ana@demo.example correct ID --answers 1,1
    python examples/phone.py --email ana@demo.example delete ID
    python examples/phone.py --email ana@demo.example sync
    python examples/phone.py --email ana@demo.example --week
"""

import argparse
import http.client
import json
import os
import random
import secrets
import sqlite3
import sys
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

ITEMS_MOST, BYTES_MOST = 200, 900_000
NOTE_LONGEST = 10_000
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_ASKED = 1.0, 300.0, 3600.0
# A lost refresh can be asked for again for 30 seconds.
AT_ONCE = 0.3
DEEDS = ("log", "due", "fill", "correct", "delete", "sync", "list")
STORED = {"created", "updated", "duplicate"}
ENTRY, FILLED = "entry", "questionnaire_response"
TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS copy (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, body TEXT);
CREATE TABLE IF NOT EXISTS before (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, body TEXT);
CREATE TABLE IF NOT EXISTS pending (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, kind TEXT NOT NULL,
    base_version INTEGER, base TEXT, body TEXT, state TEXT NOT NULL DEFAULT 'waiting', errors TEXT);
"""
# What this app knows to be taken in an entry and in a filled scale.
WRITABLE = {
    *("occurred_at", "zone", "recorded_at"),
    *("items", "side_effects", "side_effect_onset", "safety", "medication", "circumstances"),
    *("entered_by", "tags", "note"),
    *("instrument", "instrument_version", "locale", "answers", "total", "occurrence"),
}
# What the server adds to them. Members in neither set come from a newer app: they are kept and sent back.
MADE_BY_SERVER = {
    *("id", "kind", "version", "deleted", "local_day", "received_at", "source", "seen_by_team_at"),
    *("clock_skew_seconds", "clock_suspect", "side_effect_details", "hours_since_session"),
    *("entered_total", "subscores", "prorated", "missing", "superseded"),
}

Json = dict[str, Any]
Send = Callable[[str, str, Json | None], tuple[int, Json]]


class Unreachable(Exception):
    """No answer: nothing is known about what became of the request."""


class Later(Unreachable):
    """The server may take it later (429, 5xx): after ``seconds``. ``notice``: what was acted on already."""

    def __init__(self, status: int, seconds: float, notice: Json | None) -> None:
        super().__init__(f"{status}")
        self.seconds, self.notice = seconds, notice


class Refused(Exception):
    """The server answered, and repeating will not help."""


def uuid7(now: float) -> str:
    """Return a new UUIDv7 for the time ``now`` (seconds)."""
    number = (int(now * 1000) << 80) | secrets.randbits(80)
    number = number & ~(0xF << 76) | (7 << 76)
    return str(UUID(int=number & ~(0b11 << 62) | (0b10 << 62)))


class Store:
    """One SQLite file. `copy` is what the server has; `pending` lies over it until it is answered.

    While a copy is made anew, from the beginning, `before` is what the server had: it is seen until then, and
    what the server has no more is pushed again (an older backup was put back there).

    Entries and filled scales are rows of two kinds, treated alike. A row has at most two pending
    changes: one that may have been sent and must not be touched (`sent`), and one that waits behind
    it and is rewritten in place. `base` is what a change was made from.
    """

    def __init__(self, file: str) -> None:
        self.db = sqlite3.connect(file, isolation_level=None, timeout=15)
        weakref.finalize(self, self.db.close)
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript(TABLES)

    @contextmanager
    def all_or_nothing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: a phone that dies inside it wakes up before it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def get(self, name: str) -> str | None:
        """Return what is kept under ``name``."""
        row = self.db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep(self, name: str, value: str | None) -> None:
        """Keep ``value`` under ``name``; None forgets it."""
        self.db.execute("DELETE FROM kept WHERE name = ?", (name,))
        if value is not None:
            self.db.execute("INSERT INTO kept VALUES (?, ?)", (name, value))

    def copy(self, row_id: str) -> tuple[int | None, str | None]:
        """Return version and body of the server's copy; no version where there is none yet."""
        query = "SELECT version, body FROM {} WHERE id = ?"
        known = (self.db.execute(query.format(one), (row_id,)).fetchone() for one in ("copy", "before"))
        return next(filter(None, known), (None, None))

    def kind(self, row_id: str) -> str:
        """Return what a row is, or raise Refused."""
        parts = (f"SELECT kind FROM {one} WHERE id = :id" for one in ("copy", "before", "pending"))
        query = " UNION ".join(parts)
        found = self.db.execute(query, {"id": row_id}).fetchone()
        if found is None:
            raise Refused(f"nothing here has the id {row_id}")
        return str(found[0])

    def write(self, row_id: str, kind: str, body: Json | None) -> None:
        """Put a change (None deletes) behind what is pending for this row."""
        text = None if body is None else json.dumps(body)
        rows = self.db.execute(
            "SELECT number, state, base_version, body FROM pending WHERE id = ? ORDER BY number", (row_id,)
        ).fetchall()
        if not rows or rows[-1][1] == "sent":
            # Behind a change on its way it says the same base version: the answer will correct it.
            base_version, base = rows[-1][2:] if rows else self.copy(row_id)
            row = (row_id, kind, base_version, base, text)
            self.db.execute(
                "INSERT INTO pending (id, kind, base_version, base, body) VALUES (?,?,?,?,?)", row
            )
        elif body is None and self.copy(row_id)[0] is None and len(rows) == 1:
            self.db.execute("DELETE FROM pending WHERE id = ?", (row_id,))  # the server never saw it
        else:
            change = "UPDATE pending SET body = ?, state = 'waiting', errors = NULL WHERE number = ?"
            self.db.execute(change, (text, rows[-1][0]))

    def batch(self, most: int) -> list[Json]:
        """Return the next changes to push, at most one a row, and mark them as sent for ever."""
        items: list[Json] = []
        size, left_out = 0, self.made_by_server()
        with self.all_or_nothing() as db:
            rows = db.execute(
                "SELECT number, id, kind, base_version, body FROM pending WHERE state IN ('waiting', 'sent') "
                "AND number IN (SELECT min(number) FROM pending GROUP BY id) ORDER BY number LIMIT ?",
                (most,),
            ).fetchall()
            for number, row_id, kind, base_version, body in rows:
                size += len((body or "").encode()) + 200
                if size > BYTES_MOST:
                    break
                item = {"id": row_id, "kind": kind, "action": "put", "base_version": base_version}
                if body is None:
                    item["action"] = "delete"
                else:
                    item[kind] = {k: v for k, v in json.loads(body).items() if k not in left_out}
                items.append(item)
                db.execute("UPDATE pending SET state = 'sent' WHERE number = ?", (number,))
        return items

    def made_by_server(self) -> set[str]:
        """Return the members that are never pushed: those known, and those the server did not take back."""
        return MADE_BY_SERVER | set(json.loads(self.get("made_by_server") or "[]"))

    def apply(self, row_id: str, kind: str, version: int, body: Json | None) -> None:
        """Take over the server's copy, unless it is older than ours (a cursor may go back)."""
        row = (row_id, kind, version, None if body is None else json.dumps(body))
        self._take("copy", "VALUES (?, ?, ?, ?)", row)

    def _take(self, table: str, rows: str, values: Sequence[object] = ()) -> None:
        newer = "UPDATE SET version = excluded.version, body = excluded.body"
        newer += f" WHERE excluded.version >= {table}.version"
        self.db.execute(f"INSERT INTO {table} {rows} ON CONFLICT (id) DO {newer}", values)

    def begin_anew(self) -> None:
        """Begin the copy from the beginning; one that was begun and cut off loses nothing."""
        with self.all_or_nothing() as db:
            self._take("before", "SELECT * FROM copy WHERE true")
            db.execute("DELETE FROM copy")

    def push_lost(self) -> None:
        """The copy is whole: what the server had, and has no more or an older version of, waits again."""
        query = (
            "SELECT id, kind, body FROM before b WHERE id NOT IN (SELECT id FROM pending) AND "
            "NOT EXISTS (SELECT 1 FROM copy c WHERE c.id = b.id AND c.version >= b.version)"
        )
        lost = self.db.execute(query).fetchall()
        self.db.execute("DELETE FROM before")
        for row_id, kind, body in lost:
            if body is not None or self.copy(row_id)[1] is not None:
                self.write(row_id, kind, None if body is None else json.loads(body))

    def journal(self, kind: str = ENTRY) -> dict[str, Json]:
        """Return what the patient sees of one kind: the server's copy with the pending changes on it."""
        rows = [
            row
            for table in ("before", "copy", "pending ORDER BY number")
            for row in self.db.execute(f"SELECT kind, id, body FROM {table}").fetchall()
        ]
        seen = {row_id: body for of, row_id, body in rows if of == kind}
        return {row_id: json.loads(body) for row_id, body in seen.items() if body is not None}

    def count(self, *states: str) -> int:
        """Return how many changes are in one of ``states``: the app shows it."""
        marks = ",".join("?" * len(states))
        query = f"SELECT count(*) FROM pending WHERE state IN ({marks})"
        return int(self.db.execute(query, states).fetchone()[0])


@dataclass
class Phone:
    """The app. ``send`` asks the server, ``show`` puts a notice before the patient's eyes at once."""

    store: Store
    send: Send
    show: Callable[[Json], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    most: int = ITEMS_MOST
    page: int = 200

    def log(self, body: Json, kind: str = ENTRY) -> str:
        """Log an entry or a filled scale offline: it is on the disk before this returns its id."""
        row_id = uuid7(self.clock().timestamp())
        with self.store.all_or_nothing():
            self.store.write(row_id, kind, {**body, "recorded_at": self.clock().isoformat()})
        return row_id

    def edit(self, row_id: str, body: Json) -> None:
        """Correct an entry or a filled scale offline."""
        with self.store.all_or_nothing():
            self.store.write(row_id, self.store.kind(row_id), body)

    def delete(self, row_id: str) -> None:
        """Take an entry or a filled scale back offline."""
        with self.store.all_or_nothing():
            self.store.write(row_id, self.store.kind(row_id), None)

    def look(self) -> None:
        """Fetch what is due today and the scales that are, and keep them for when there is no network."""
        today = self._read("/v1/me/today")
        for key in {o["instrument"] for o in today["occurrences"]} - {None}:
            self.scale(key, anew=True)
        with self.store.all_or_nothing():
            self.store.keep("today", json.dumps(today))

    def due(self) -> list[Json]:
        """Return what is due now and not done, as far as is known here; what was done offline counts."""
        known: list[Json] = json.loads(self.store.get("today") or "{}").get("occurrences", [])
        answered = {body.get("occurrence") for body in self.store.journal(FILLED).values()}
        felt = [datetime.fromisoformat(body["occurred_at"]) for body in self.store.journal().values()]
        found = []
        for occurrence in known:
            until = datetime.fromisoformat(occurrence["until"])
            # A day has 23 or 25 hours where the clock changes; the next look puts that right.
            logged = any(until - timedelta(hours=24) <= moment < until for moment in felt)
            done = occurrence["key"] in answered if occurrence["instrument"] else logged
            if not (done or occurrence["done"]) and self.clock() < until:
                found.append(occurrence)
        return found

    def scale(self, key: str, anew: bool = False) -> Json:
        """Return a scale's definition: the one kept here, else (or ``anew``) the server's."""
        kept = None if anew else self.store.get(f"scale {key}")
        if kept is not None:
            return dict(json.loads(kept))
        found = self._read(f"/v1/scales/{key}")
        with self.store.all_or_nothing():
            self.store.keep(f"scale {key}", json.dumps(found))
        return found

    def fill(self, key: str, values: Sequence[int | None], zone: str) -> str:
        """Fill a scale offline: one value a question in their order, None where it was left open."""
        asked = [occurrence["key"] for occurrence in self.due() if occurrence["instrument"] == key]
        body = filled(self.scale(key), values) | {"occurred_at": self.clock().isoformat(), "zone": zone}
        return self.log({**body, "occurrence": asked[0]} if asked else body, FILLED)

    def _read(self, path: str) -> Json:
        status, answer = self.send("GET", path, None)
        if status != 200:
            raise Refused(f"{status} {answer.get('detail')}")
        return answer

    def sync(self) -> None:
        """Push what is pending and pull what is new, until there is neither."""
        more = True
        while more:
            more = self._exchange() or bool(self.store.count("waiting", "sent"))

    def _exchange(self) -> bool:
        items = self.store.batch(self.most)
        cursor = self.store.get("cursor")
        if cursor is None:
            self.store.begin_anew()
        body = {"cursor": cursor, "items": items, "limit": self.page, "sent_at": self.clock().isoformat()}
        try:
            status, answer = self.send("POST", "/v1/sync", body)
        except Later as later:
            if later.notice is not None:
                self.show(later.notice)  # it waits, what the patient must see does not
            raise
        self._show_notices(answer)  # before anything is stored: if we die here they come again
        if answer.get("code") == "other-journal":
            raise Refused("this phone holds the journal of somebody else")
        if status == 410:
            with self.store.all_or_nothing():
                self.store.keep("cursor", None)  # the pending list stays
            return True
        if status == 413 and self.most > 1:
            self.most //= 2
            return True
        if status != 200:
            raise Refused(f"{status} {answer.get('detail')}")
        self._take_in(items, answer)
        if any(result["verdict"] == "retry" for result in answer["results"]):
            raise Unreachable("the server asks to send some of it later")
        return bool(answer["has_more"])

    def _take_in(self, items: list[Json], answer: Json) -> None:
        with self.store.all_or_nothing():
            for item, result in zip(items, answer["results"], strict=True):
                self._settle(item, result)
            for change in answer["changes"]:
                self.store.apply(change["id"], change["kind"], change["version"], written(change))
            self.store.keep("cursor", answer["next_cursor"])
            if not answer["has_more"]:
                self.store.push_lost()

    def _show_notices(self, answer: Json) -> None:
        """Show those of the items, and that of a batch which was refused and heeded all the same."""
        for told in (answer, *answer.get("results", ())):
            if told.get("notice") is not None:
                self.show(told["notice"])

    def _settle(self, item: Json, result: Json) -> None:
        db, row_id, verdict = self.store.db, item["id"], result["verdict"]
        mine = "(SELECT min(number) FROM pending WHERE id = ?)"
        if verdict == "retry" or (verdict == "invalid" and self._learned(item, result["errors"])):
            return
        waits = db.execute("SELECT count(*) FROM pending WHERE id = ?", (row_id,)).fetchone()[0] > 1
        if verdict in ("invalid", "forbidden") and not waits:
            row = (json.dumps(result["errors"]), row_id)
            db.execute(f"UPDATE pending SET state = 'refused', errors = ? WHERE number = {mine}", row)
            return
        if verdict == "conflict":
            self._both(item, result["current"])
            return
        db.execute(f"DELETE FROM pending WHERE number = {mine}", (row_id,))
        if verdict in STORED:
            version = result["version"] or self.store.copy(row_id)[0]
            if version is not None:  # None: we deleted what the server never had
                self.store.apply(row_id, item["kind"], version, item.get(item["kind"]))
            db.execute("UPDATE pending SET base_version = ? WHERE id = ?", (version, row_id))

    def _learned(self, item: Json, errors: list[Json]) -> bool:
        """A member we only have from the server, and that it does not take back, is its own."""
        refused = {error.get("pointer", "").removeprefix(f"/{item['kind']}/") for error in errors}
        found = refused & set(item.get(item["kind"], {})) - WRITABLE
        if found:
            self.store.keep("made_by_server", json.dumps(sorted(self.store.made_by_server() | found)))
        return bool(found)

    def _both(self, item: Json, current: Json) -> None:
        """It changed elsewhere: push what we changed again, on top of what they did.

        A change that waits behind the refused one is newer: it takes its place. Deleting what
        somebody has corrected since is dropped: the correction was not seen.
        """
        row_id, kind, theirs = item["id"], item["kind"], written(current)
        query = "SELECT base, body FROM pending WHERE id = ? ORDER BY number"
        rows = self.store.db.execute(query, (row_id,)).fetchall()
        base, mine = json.loads(rows[0][0] or "{}"), json.loads(rows[-1][1] or "null")
        self.store.db.execute("DELETE FROM pending WHERE id = ?", (row_id,))
        self.store.apply(row_id, kind, current["version"], theirs)
        if mine is None or mine == base:
            return
        both = mine if theirs is None else merged(base, theirs, mine)
        if len(both.get("note") or "") > NOTE_LONGEST:
            self.store.write(uuid7(self.clock().timestamp()), kind, mine)  # an entry of its own
        elif both != theirs:
            self.store.write(row_id, kind, both)


def written(change: Json) -> Json | None:
    """Return what was reported, with every member we do not know; None for a tombstone."""
    if change["deleted"]:
        return None
    found = {k: v for k, v in change.items() if k not in MADE_BY_SERVER and v is not None}
    if change["kind"] == FILLED:  # its `total` is the score; what can be typed in is `entered_total`
        found.pop("total", None)
        found |= {"total": change["entered_total"]} if change["entered_total"] is not None else {}
    return found


def merged(base: Json, theirs: Json, mine: Json) -> Json:
    """Return theirs with what I changed since ``base``; where both changed a member, mine, and both notes.

    The answers to a scale are taken whole: half of each would be a scale that nobody filled.
    """
    found: Json = {}
    for name in {**theirs, **mine}:
        was, their, my = base.get(name), theirs.get(name), mine.get(name)
        if my == was:
            value = their
        elif their == was:
            value = my
        elif name == "note":
            value = join_notes(their, my)
        elif name != "answers" and isinstance(their, dict) and isinstance(my, dict):
            value = merged(was or {}, their, my)
        else:
            value = my
        if value is not None:
            found[name] = value
    return found


def filled(scale: Json, values: Sequence[int | None]) -> Json:
    """Return a filled scale, or raise Refused: every answer is one of the options that were shown."""
    items = scale["items"]
    if scale["content"] == "score" or len(values) != len(items):
        raise Refused(f"{scale['key']} takes {len(items)} answers")
    for item, value in zip(items, values, strict=True):
        options = {option["value"] for option in item["options"]} or {*range(item["low"], item["high"] + 1)}
        if value is not None and value not in options:
            raise Refused(f"{item['id']} has no answer {value}")
    answers = {item["id"]: value for item, value in zip(items, values, strict=True)}
    names = {"instrument": scale["key"], "instrument_version": scale["version"], "locale": scale["locale"]}
    return {**names, "answers": answers}


def join_notes(theirs: str | None, mine: str | None) -> str | None:
    """Return both notes, what they share only once."""
    lines = (theirs or "").split("\n")
    added = [line for line in (mine or "").split("\n") if line not in lines]
    return "\n".join(line for line in [*lines, *added] if line) or None


class Server:
    """The way to the server: signs in, refreshes, repeats once after 401."""

    def __init__(self, store: Store, url: str, who: Json) -> None:
        self.store, self.url, self.who = store, url.rstrip("/"), who

    def send(self, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """Send as the signed-in patient. Raises Unreachable and Refused (no sign-in)."""
        if self.store.get("access_token") is None:
            self._sign_in()
        status, answer = self._ask(method, path, body, self.store.get("access_token"))
        if status == 401:
            self._refresh()
            status, answer = self._ask(method, path, body, self.store.get("access_token"))
        return status, answer

    def _refresh(self) -> None:
        """Trade the refresh token. It works once: if we died with the answer, only signing in is left.

        Without an answer the very same may be sent again at once: it gives the same successor.
        """
        body = {"refresh_token": self.store.get("refresh_token")}
        answers: list[tuple[int, Json]] = []
        patiently(lambda: answers.append(self._ask("POST", "/v1/sign-ins/refresh", body)), 3, AT_ONCE)
        status, answer = answers[0]
        if status == 200:
            self._keep(answer)
        else:
            self._sign_in()

    def _sign_in(self) -> None:
        device = self.store.get("device_token")  # from the last one: others who guess then delay nobody here
        who = self.who if device is None else {**self.who, "device_token": device}
        status, answer = self._ask("POST", "/v1/sign-ins", who)
        if status != 201:
            raise Refused(f"{status} {answer.get('detail')}")
        _, me = self._ask("GET", "/v1/me", None, answer["access_token"])
        if self.store.get("patient_id") not in (None, me["patient_id"]):
            raise Refused("this phone holds the journal of somebody else")
        with self.store.all_or_nothing():
            self.store.keep("patient_id", me["patient_id"])
            self.store.keep("cursor", None)
        self._keep(answer)

    def _keep(self, tokens: Json) -> None:
        with self.store.all_or_nothing():  # before they are used; an app keeps them in the keychain
            for name in ("access_token", "refresh_token", "device_token"):
                if tokens.get(name) is not None:  # a refresh brings no device token: the old one stays
                    self.store.keep(name, tokens[name])

    def _ask(self, method: str, path: str, body: Json | None, token: str | None = None) -> tuple[int, Json]:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 429 or error.code >= 500:
                raise _later(error) from None
            return error.code, json.load(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Also an answer cut off in the middle: what the server did is not known.
            raise Unreachable(type(error).__name__) from None


def _later(error: urllib.error.HTTPError) -> Later:
    """Return what a 429 or a 5xx says; one of a proxy may say nothing we can read."""
    try:
        notice = json.load(error).get("notice")
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        notice = None
    said = error.headers.get("Retry-After", "")
    return Later(error.code, float(said) if said.isdecimal() else 0.0, notice)


def patiently(act: Callable[[], object], tries: int, first_pause: float) -> None:
    """Act; without an answer try again after pauses that grow, with chance in them, or that are asked for."""
    for left in reversed(range(tries)):
        try:
            act()
            return
        except Unreachable as silence:
            if not left:
                raise
            pause = min(LONGEST_PAUSE, first_pause * 2 ** (tries - 1 - left)) * random.uniform(0.5, 1.5)
            asked = silence.seconds if isinstance(silence, Later) else 0.0
            time.sleep(max(pause, min(asked, LONGEST_ASKED)))


def log_a_week(phone: Phone, entries: int) -> None:
    """Log, correct and take back entries and scales offline; a phone that was killed goes on where it was.

    Entry n says "entry n"; of the one before, every 5th is corrected and every 9th taken back. With
    every 4th a scale is filled with the digits of n; of three one is corrected and one taken back.
    """
    store = phone.store
    if store.get("week") is None:
        with store.all_or_nothing():
            store.keep("week", json.dumps([phone.clock().isoformat(), 0, None, None]))
    began, done, last, scale = json.loads(store.get("week") or "")
    for number in range(done, entries):
        felt = datetime.fromisoformat(began) - timedelta(days=7) * (1 - number / entries)
        body = {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": {"mood": number % 11}}
        body |= {"note": f"entry {number}", "recorded_at": phone.clock().isoformat()}
        body |= {"safety": "often" if number == 20 else "no", "entered_by": "caregiver"}
        with store.all_or_nothing():  # the entry and how far we are: both or neither
            entry_id = uuid7(phone.clock().timestamp())
            store.write(entry_id, ENTRY, body)
            if number and number % 5 == 0:
                before = store.journal()[last]
                store.write(last, ENTRY, {**before, "note": f"{before['note']}, corrected"})
            elif number and number % 9 == 0:
                store.write(last, ENTRY, None)
            scale = _scale_of_the_week(phone, number, scale, felt)
            store.keep("week", json.dumps([began, number + 1, entry_id, scale]))
            last = entry_id


def _scale_of_the_week(phone: Phone, number: int, last: str | None, felt: datetime) -> str | None:
    if phone.store.get("scale gad-7") is None:
        return last
    values = [number // 4**place % 4 for place in range(7)]
    body = filled(phone.scale("gad-7"), values)
    if number % 4 == 0:
        last = uuid7(phone.clock().timestamp())
        phone.store.write(last, FILLED, {**body, "occurred_at": felt.isoformat(), "zone": "Europe/Oslo"})
    elif number % 12 == 6 and last:
        phone.store.write(last, FILLED, phone.store.journal(FILLED)[last] | body)
    elif number % 12 == 10 and last:
        phone.store.write(last, FILLED, None)
    return last


def show(notice: Json) -> None:
    """Put a notice before the patient's eyes."""
    lines = ", ".join(notice["crisis_lines"])
    print(f"!! {notice['text']} Emergency: {notice['emergency_number']}. {lines}", flush=True)


def main() -> None:
    """Read the command line and do it."""
    options = _options()
    store = Store(options.store)
    who = {"clinic": options.clinic, "email": options.email, "password": os.environ.get("PHONE_PASSWORD", "")}
    phone = Phone(store, Server(store, options.server, who).send, show, most=options.most)
    try:
        _do(phone, options)
    except (Unreachable, Refused) as error:
        sys.exit(f"not done ({error}); {store.count('waiting', 'sent')} pending, nothing is lost")
    for row_id, entry in store.journal().items():
        print(row_id, entry["occurred_at"], entry.get("items"), entry.get("note", ""))
    for row_id, scale in store.journal(FILLED).items():
        print(row_id, scale["occurred_at"], scale["instrument"], list(scale.get("answers", {}).values()))
    print(f"{store.count('waiting', 'sent')} pending, {store.count('refused')} can't be taken")


def _do(phone: Phone, options: argparse.Namespace) -> None:
    said = {name: value for name, value in (("note", options.note),) if value}
    said |= {} if options.mood is None else {"items": {"mood": options.mood}}
    values = [None if v == "-" else int(v) for v in options.answers.split(",")] if options.answers else []
    if options.week:
        with suppress(Unreachable):  # a phone that never saw the scale keeps the diary alone
            patiently(lambda: phone.scale("gad-7"), options.tries, options.pause)
        log_a_week(phone, options.entries)
    elif options.do == "log":
        phone.log({"occurred_at": phone.clock().isoformat(), "zone": options.zone, **said})
    elif options.do == "due":
        patiently(phone.look, options.tries, options.pause)
        for occurrence in phone.due():
            print("due", occurrence["instrument"] or "diary", "until", occurrence["until"])
    elif options.do == "fill":
        print("filled", phone.fill(options.which, values, options.zone))
    elif options.do == "correct":
        kind = phone.store.kind(options.which)
        before = phone.store.journal(kind)[options.which]
        said = filled(phone.scale(before["instrument"]), values) if kind == FILLED else said
        phone.edit(options.which, before | said)
    elif options.do == "delete":
        phone.delete(options.which)
    if options.week or options.do == "sync":
        patiently(phone.sync, options.tries, options.pause)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("do", nargs="?", choices=DEEDS, default="list")
    parser.add_argument("which", nargs="?", help="fill: key of the scale; correct, delete: an id")
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--store", default="phone.db", help="the phone's file")
    parser.add_argument("--clinic", default="demo")
    parser.add_argument("--email", required=True)
    parser.add_argument("--mood", type=int, choices=range(11))
    parser.add_argument("--zone", default="Europe/Oslo")
    parser.add_argument("--note")
    parser.add_argument("--answers", help="one a question, with commas between; - where left open")
    parser.add_argument("--week", action="store_true", help="log a week offline, then sync")
    parser.add_argument("--entries", type=int, default=42, help="entries of that week")
    parser.add_argument("--most", type=int, default=ITEMS_MOST, help="changes a call")
    parser.add_argument("--tries", type=int, default=8)
    parser.add_argument("--pause", type=float, default=FIRST_PAUSE, help="seconds before the second try")
    return parser.parse_args()


if __name__ == "__main__":
    main()
