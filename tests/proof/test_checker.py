"""The checker notices each thing that may go wrong, and nothing in a good history."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.proof.checker import INVARIANTS, first_broken
from tests.proof.history import Line


def good() -> list[Line]:
    """Return a small history of a calm and a red entry, the second one answered at its repeat."""
    asked = {"patient": "ana", "f": "put"}
    calm = {**asked, "entry": "e1", "red": False}
    red = {**asked, "entry": "e2", "red": True}
    entries = [
        {"id": "e1", "patient_id": "ana", "version": 1, "sequence": 1},
        {"id": "e2", "patient_id": "ana", "version": 1, "sequence": 2},
    ]
    mail = {"id": "d1", "subject": "alert", "subject_id": "a1", "account_id": "bo", "channel": "email"}
    probe = {"id": "p1", "subject": "alert", "subject_id": "a0", "account_id": "ops", "channel": "email"}
    went = {"state": "accepted", "failure": None}
    end = {
        "entries": entries,
        "revisions": [{"entry_id": "e1"}, {"entry_id": "e2"}],
        "patients": [{"id": "ana", "change_counter": 2}],
        "late": [],
        "alerts": [{"id": "a1", "patient_id": "ana"}],
        "deliveries": [
            {**mail, **went, "bundle_id": "d1", "template": "emergency_needs_review"},
            {**probe, **went, "bundle_id": None, "template": "probe"},
        ],
        "job_runs": [{"job": "probe", "slot": "12:00"}, {"job": "deliver", "slot": "12:00"}],
    }
    return [
        {"at": 0, "type": "run", "seed": 7},
        {"at": 1, "type": "invoke", "op": 1, **calm},
        {"at": 2, "type": "ok", "op": 1, "entry": "e1", "outcome": "created"},
        {"at": 3, "type": "invoke", "op": 2, **red},
        {"at": 3.5, "type": "fault", "what": "kill api"},
        {"at": 4, "type": "unknown", "op": 2, "entry": "e2"},
        {"at": 5, "type": "invoke", "op": 3, **red},
        {"at": 6, "type": "ok", "op": 3, "entry": "e2", "outcome": "duplicate"},
        {"at": 7, "type": "pull", "patient": "ana", "entries": ["e1"]},
        {"at": 8, "type": "pull", "patient": "ana", "entries": ["e2"]},
        {"at": 8, "type": "mail", "id": "d1"},
        {"at": 8, "type": "mail", "id": "d1"},
        {"at": 8, "type": "mail", "id": "p1"},
        {"at": 8.1, "type": "fault", "what": "kill -9 worker"},
        {"at": 9, "type": "end", "state": end},
    ]


def end_of(history: list[Line]) -> dict[str, list[dict[str, Any]]]:
    state: dict[str, list[dict[str, Any]]] = history[-1]["state"]
    return state


def add_mail(history: list[Line], name: str = "d1") -> None:
    history.insert(-1, {"at": 8, "type": "mail", "id": name})


def say(history: list[Line], number: int, **parts: Any) -> None:
    history[number].update(parts)


def lose(history: list[Line], name: str, number: int = 0) -> None:
    end_of(history)[name].pop(number)


def double(history: list[Line], name: str, **parts: Any) -> None:
    rows = end_of(history)[name]
    rows.append({**rows[0], **parts})


def wrong(history: list[Line], name: str, **parts: Any) -> None:
    end_of(history)[name][0].update(parts)


BREAKS: list[tuple[str, Callable[[list[Line]], Any]]] = [
    ("whole", lambda h: h.pop(2)),
    ("whole", lambda h: say(h, 2, at=0.5)),
    ("civil", lambda h: say(h, 5, status=500)),
    ("durable", lambda h: lose(h, "entries")),
    ("durable", lambda h: double(h, "entries")),
    ("durable", lambda h: double(h, "entries", id="e3", sequence=3)),
    ("once", lambda h: (say(h, 5, type="ok", outcome="created"), say(h, 7, outcome="created"))),
    ("once", lambda h: double(h, "revisions")),
    ("once", lambda h: wrong(h, "entries", version=2)),
    ("once", lambda h: wrong(h, "entries", patient_id="fay")),
    ("numbered", lambda h: wrong(h, "entries", sequence=2)),
    ("numbered", lambda h: wrong(h, "patients", change_counter=3)),
    ("pulled", lambda h: h.pop(9)),
    ("pulled", lambda h: say(h, 9, entries=["e1", "e2"])),
    ("alerted", lambda h: lose(h, "alerts")),
    ("alerted", lambda h: double(h, "alerts", id="a2")),
    ("alerted", lambda h: double(h, "alerts", id="a2", patient_id="fay")),
    ("addressed", lambda h: double(h, "deliveries", id="d2")),
    ("addressed", lambda h: lose(h, "deliveries")),
    ("drained", lambda h: wrong(h, "deliveries", state="queued")),
    ("drained", lambda h: wrong(h, "deliveries", state="failed", failure="worn_out")),
    ("sent", add_mail),
    ("sent", lambda h: say(h, 13, at=30)),
    ("sent", lambda h: say(h, 13, what="kill -9 api")),
    ("sent", lambda h: add_mail(h, "somebody's")),
    ("sent", lambda h: h.pop(12)),
    ("stopped", lambda h: end_of(h)["late"].append({"name": "api 0"})),
    ("ticked", lambda h: double(h, "job_runs")),
    ("ticked", lambda h: lose(h, "job_runs")),
]


def test_a_good_history_holds() -> None:
    assert first_broken(good()) is None


@pytest.mark.parametrize(("name", "spoil"), BREAKS)
def test_what_goes_wrong_is_found_by_its_name_and_with_the_seed(
    name: str, spoil: Callable[[list[Line]], Any]
) -> None:
    history = deepcopy(good())
    spoil(history)
    broken = first_broken(history)
    assert broken is not None
    assert broken.startswith(f"seed 7: {name}: ")


def test_each_invariant_can_fail() -> None:
    assert {name for name, _ in BREAKS} == {invariant.__name__ for invariant in INVARIANTS}
