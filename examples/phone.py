"""A small phone: what an app does to keep a journal offline and sync it, in one file to read.

Standard library only. It follows docs/mobile.md; everything it knows is in one SQLite file, so it may
be killed at any moment. The password comes from the variable PHONE_PASSWORD.

    python examples/phone.py --clinic demo --email ana@demo.example log --mood 6 --note "Slept better."
    python examples/phone.py --clinic demo --email ana@demo.example sync
    python examples/phone.py --clinic demo --email ana@demo.example --week
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

ITEMS_MOST, BYTES_MOST = 200, 900_000
NOTE_LONGEST = 10_000
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
STORED = {"created", "updated", "duplicate"}
TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entry (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT);
CREATE TABLE IF NOT EXISTS pending (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, base_version INTEGER, body TEXT,
    state TEXT NOT NULL DEFAULT 'waiting', errors TEXT);
"""
# The members of an entry that the patient wrote; the server adds others.
WRITTEN = (
    "occurred_at",
    "zone",
    "recorded_at",
    "items",
    "side_effects",
    "side_effect_onset",
    "safety",
    "medication",
    "tags",
    "note",
)

Json = dict[str, Any]
Send = Callable[[str, str, Json | None], tuple[int, Json]]


class Unreachable(Exception):
    """No answer, or 5xx: nothing is known about what became of the request."""


class Refused(Exception):
    """The server answered, and repeating will not help."""


def uuid7(now: float) -> str:
    """Return a new UUIDv7 for the time ``now`` (seconds)."""
    number = (int(now * 1000) << 80) | secrets.randbits(80)
    number = number & ~(0xF << 76) | (7 << 76)
    return str(UUID(int=number & ~(0b11 << 62) | (0b10 << 62)))


class Store:
    """One SQLite file. `entry` is what the server has; `pending` lies over it until it is answered.

    An entry has at most two pending changes: one that may have been sent and must not be touched
    (`sent`), and one that waits behind it and is rewritten in place.
    """

    def __init__(self, file: str) -> None:
        self.db = sqlite3.connect(file, isolation_level=None, timeout=15)
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

    def version(self, entry_id: str) -> int | None:
        """Return the version of the server's copy, or None where there is none yet."""
        row = self.db.execute("SELECT version FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return row[0] if row else None

    def write(self, entry_id: str, body: Json | None) -> None:
        """Put a change (None deletes) behind what is pending for this entry."""
        text = None if body is None else json.dumps(body)
        last = self.db.execute(
            "SELECT number, state, base_version FROM pending WHERE id = ? ORDER BY number DESC LIMIT 1",
            (entry_id,),
        ).fetchone()
        if last is None or last[1] == "sent":
            # Behind a change on its way it says the same base: the answer will correct it.
            row = (entry_id, last[2] if last else self.version(entry_id), text)
            self.db.execute("INSERT INTO pending (id, base_version, body) VALUES (?, ?, ?)", row)
        elif body is None and self.version(entry_id) is None and not self._sent(entry_id):
            self.db.execute("DELETE FROM pending WHERE number = ?", (last[0],))  # the server never saw it
        else:
            change = "UPDATE pending SET body = ?, state = 'waiting', errors = NULL WHERE number = ?"
            self.db.execute(change, (text, last[0]))

    def _sent(self, entry_id: str) -> bool:
        query = "SELECT 1 FROM pending WHERE id = ? AND state = 'sent'"
        return self.db.execute(query, (entry_id,)).fetchone() is not None

    def batch(self, most: int) -> list[Json]:
        """Return the next changes to push, at most one an entry, and mark them as sent for ever."""
        items: list[Json] = []
        size = 0
        with self.all_or_nothing() as db:
            rows = db.execute(
                "SELECT number, id, base_version, body FROM pending WHERE state IN ('waiting', 'sent') "
                "AND number IN (SELECT min(number) FROM pending GROUP BY id) ORDER BY number LIMIT ?",
                (most,),
            ).fetchall()
            for number, entry_id, base, body in rows:
                size += len((body or "").encode()) + 200
                if size > BYTES_MOST:
                    break
                item = {"id": entry_id, "action": "delete" if body is None else "put", "base_version": base}
                items.append(item if body is None else {**item, "entry": json.loads(body)})
                db.execute("UPDATE pending SET state = 'sent' WHERE number = ?", (number,))
        return items

    def apply(self, entry_id: str, version: int, body: Json | None) -> None:
        """Take over the server's copy, unless it is older than ours (a cursor may go back)."""
        if (self.version(entry_id) or 0) <= version:
            row = (entry_id, version, None if body is None else json.dumps(body))
            self.db.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", row)

    def journal(self) -> dict[str, Json]:
        """Return what the patient sees: the server's copy with the pending changes on it."""
        rows = self.db.execute("SELECT id, body FROM entry").fetchall()
        rows += self.db.execute("SELECT id, body FROM pending ORDER BY number").fetchall()
        seen = dict(rows)
        return {entry_id: json.loads(body) for entry_id, body in seen.items() if body is not None}

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

    def log(self, body: Json) -> str:
        """Log an entry offline: it is on the disk before this returns its id."""
        entry_id = uuid7(self.clock().timestamp())
        with self.store.all_or_nothing():
            self.store.write(entry_id, {**body, "recorded_at": self.clock().isoformat()})
        return entry_id

    def edit(self, entry_id: str, body: Json) -> None:
        """Correct an entry offline."""
        with self.store.all_or_nothing():
            self.store.write(entry_id, body)

    def delete(self, entry_id: str) -> None:
        """Take an entry back offline."""
        with self.store.all_or_nothing():
            self.store.write(entry_id, None)

    def sync(self) -> None:
        """Push what is pending and pull what is new, until there is neither."""
        more = True
        while more:
            more = self._exchange() or bool(self.store.count("waiting", "sent"))

    def _exchange(self) -> bool:
        items = self.store.batch(self.most)
        cursor = self.store.get("cursor")
        body = {"cursor": cursor, "items": items, "limit": self.page, "sent_at": self.clock().isoformat()}
        status, answer = self.send("POST", "/v1/sync", body)
        if status == 410:
            with self.store.all_or_nothing():
                self.store.keep("cursor", None)  # the pending list stays
            return True
        if status == 413 and self.most > 1:
            self.most //= 2
            return True
        if status != 200:
            raise Refused(f"{status} {answer.get('detail')}")
        for notice in filter(None, (result["notice"] for result in answer["results"])):
            self.show(notice)  # before anything is stored: if we die here it comes again
        with self.store.all_or_nothing():
            for item, result in zip(items, answer["results"], strict=True):
                self._settle(item, result)
            for change in answer["changes"]:
                self.store.apply(change["id"], change["version"], written(change))
            self.store.keep("cursor", answer["next_cursor"])
        if any(result["verdict"] == "retry" for result in answer["results"]):
            raise Unreachable("the server asks to send some of it later")
        return bool(answer["has_more"])

    def _settle(self, item: Json, result: Json) -> None:
        db, entry_id, verdict = self.store.db, item["id"], result["verdict"]
        mine = "(SELECT min(number) FROM pending WHERE id = ?)"
        if verdict == "retry":
            return
        waits = db.execute("SELECT count(*) FROM pending WHERE id = ?", (entry_id,)).fetchone()[0] > 1
        if verdict in ("invalid", "forbidden") and not waits:
            row = (json.dumps(result["errors"]), entry_id)
            db.execute(f"UPDATE pending SET state = 'refused', errors = ? WHERE number = {mine}", row)
            return
        db.execute(f"DELETE FROM pending WHERE number = {mine}", (entry_id,))
        if verdict in STORED:
            version = result["version"] or self.store.version(entry_id)
            if version is not None:  # None: we deleted what the server never had
                self.store.apply(entry_id, version, item.get("entry"))
            db.execute("UPDATE pending SET base_version = ? WHERE id = ?", (version, entry_id))
        elif verdict == "conflict":
            self._both_texts(item, result["current"])

    def _both_texts(self, item: Json, current: Json) -> None:
        """It changed elsewhere: push our change again on top of theirs, with both notes.

        A change that waits behind the refused one is newer: it takes its place. Deleting what
        somebody has corrected since is dropped: the correction was not seen.
        """
        entry_id, theirs = item["id"], written(current)
        waiting = self.store.db.execute("SELECT body FROM pending WHERE id = ?", (entry_id,)).fetchone()
        text = waiting[0] if waiting else json.dumps(item["entry"]) if "entry" in item else None
        self.store.db.execute("DELETE FROM pending WHERE id = ?", (entry_id,))
        self.store.apply(entry_id, current["version"], theirs)
        mine = None if text is None else json.loads(text)
        if mine is None or mine == theirs:
            return
        notes = join_notes((theirs or {}).get("note"), mine.get("note"))
        if len(notes or "") > NOTE_LONGEST:
            self.store.write(uuid7(self.clock().timestamp()), mine)  # an entry of its own
        else:
            self.store.write(entry_id, {**mine, "note": notes} if notes else mine)


def written(change: Json) -> Json | None:
    """Return the part of an entry that can be pushed again; None for a tombstone."""
    if change["deleted"]:
        return None
    return {name: change[name] for name in WRITTEN if change[name] is not None}


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
        """Trade the refresh token. It works once: if we died with the answer, only signing in is left."""
        body = {"refresh_token": self.store.get("refresh_token")}
        status, answer = self._ask("POST", "/v1/sign-ins/refresh", body)
        if status == 200:
            self._keep(answer)
        else:
            self._sign_in()

    def _sign_in(self) -> None:
        status, answer = self._ask("POST", "/v1/sign-ins", self.who)
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
            for name in ("access_token", "refresh_token"):
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
            if error.code >= 500 or error.code == 429:
                raise Unreachable(f"{error.code}") from None
            return error.code, json.load(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Also an answer cut off in the middle: what the server did is not known.
            raise Unreachable(type(error).__name__) from None


def sync_patiently(phone: Phone, tries: int, first_pause: float) -> None:
    """Sync; without an answer try again after pauses that grow, with chance in them."""
    for left in reversed(range(tries)):
        try:
            return phone.sync()
        except Unreachable:
            if not left:
                raise
            pause = min(LONGEST_PAUSE, first_pause * 2 ** (tries - 1 - left))
            time.sleep(pause * random.uniform(0.5, 1.5))
    return None


def log_a_week(phone: Phone, entries: int) -> None:
    """Log, correct and take back entries offline; a phone that was killed goes on where it was.

    Entry n says "entry n"; of the one before, every 5th is corrected and every 9th taken back.
    """
    store = phone.store
    if store.get("week") is None:
        with store.all_or_nothing():
            store.keep("week", json.dumps([phone.clock().isoformat(), 0, None]))
    began, done, last = json.loads(store.get("week") or "")
    for number in range(done, entries):
        felt = datetime.fromisoformat(began) - timedelta(days=7) * (1 - number / entries)
        body = {"occurred_at": felt.isoformat(), "zone": "Europe/Oslo", "items": {"mood": number % 11}}
        body |= {"note": f"entry {number}", "recorded_at": phone.clock().isoformat()}
        body["safety"] = "often" if number == 20 else "no"
        with store.all_or_nothing():  # the entry and how far we are: both or neither
            entry_id = uuid7(phone.clock().timestamp())
            store.write(entry_id, body)
            if number and number % 5 == 0:
                before = store.journal()[last]
                store.write(last, {**before, "note": f"{before['note']}, corrected"})
            elif number and number % 9 == 0:
                store.write(last, None)
            store.keep("week", json.dumps([began, number + 1, entry_id]))
            last = entry_id


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
    if options.week:
        log_a_week(phone, options.entries)
    elif options.do == "log":
        now = phone.clock().isoformat()
        phone.log(
            {"occurred_at": now, "zone": options.zone, "items": {"mood": options.mood}} | _note(options)
        )
    if options.week or options.do == "sync":
        try:
            sync_patiently(phone, options.tries, options.pause)
        except (Unreachable, Refused) as error:
            sys.exit(f"not synced ({error}); {store.count('waiting', 'sent')} pending, nothing is lost")
    for entry_id, entry in store.journal().items():
        print(entry_id, entry["occurred_at"], entry.get("items"), entry.get("note", ""))
    print(f"{store.count('waiting', 'sent')} pending, {store.count('refused')} can't be taken")


def _note(options: argparse.Namespace) -> Json:
    return {"note": options.note} if options.note else {}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("do", nargs="?", choices=["log", "sync", "list"], default="list")
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--store", default="phone.db", help="the phone's file")
    parser.add_argument("--clinic", default="demo")
    parser.add_argument("--email", required=True)
    parser.add_argument("--mood", type=int, default=5, choices=range(11))
    parser.add_argument("--zone", default="Europe/Oslo")
    parser.add_argument("--note")
    parser.add_argument("--week", action="store_true", help="log a week offline, then sync")
    parser.add_argument("--entries", type=int, default=42, help="entries of that week")
    parser.add_argument("--most", type=int, default=ITEMS_MOST, help="changes a call")
    parser.add_argument("--tries", type=int, default=8)
    parser.add_argument("--pause", type=float, default=FIRST_PAUSE, help="seconds before the second try")
    return parser.parse_args()


if __name__ == "__main__":
    main()
