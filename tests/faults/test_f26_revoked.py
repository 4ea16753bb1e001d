"""Fault 26: somebody is shut out, between two requests, in the middle of a batch, of a sync, of an export."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.api.streaming import PIECE, Incomplete
from server.database import Database
from server.models import Entry
from tests.cast import Cast, Person, entry, push, pushed, sign_in
from tests.conftest import Clock
from tests.test_concurrency import at_once, count
from tests.years import live_through

BATCH = 40


def signs_out(cast: Cast) -> None:
    assert cast.ana.delete("/sign-ins/current").status_code == 204


def ends_it_on_another_device(cast: Cast) -> None:
    other = again(cast.ana)
    assert other.delete("/me/sign-ins").status_code == 204


def is_ended_by_her_care_team(cast: Cast) -> None:
    assert cast.bo.delete(f"/patients/{cast.ana.patient_id}/sign-ins").status_code == 204


def is_ended_by_the_admin(cast: Cast) -> None:
    assert cast.admin.delete(f"/clinic/accounts/{cast.ana.account_id}/sign-ins").status_code == 204


def has_her_account_closed(cast: Cast) -> None:
    assert cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/disable").status_code == 204


WAYS: Mapping[str, Callable[[Cast], None]] = {
    way.__name__: way
    for way in (
        signs_out,
        ends_it_on_another_device,
        is_ended_by_her_care_team,
        is_ended_by_the_admin,
        has_her_account_closed,
    )
}


def again(person: Person) -> Person:
    """Sign in once more, on another device."""
    tokens = sign_in(person.client, "demo", "ana@home.example")
    return replace(person, token=tokens["access_token"])


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_shut_out_gets_nothing_from_the_next_request_on(
    way: str, app: Flask, cast: Cast, clock: Clock
) -> None:
    tokens = sign_in(cast.ana.client, "demo", "ana@home.example")
    phone = replace(cast.ana, token=tokens["access_token"])
    assert phone.get("/me").status_code == 200
    WAYS[way](replace(cast, ana=phone))
    answers = [
        phone.get("/me"),
        phone.get("/me/export"),
        phone.put(f"/entries/{uuid7()}", entry(clock.now)),
        phone.post("/sync", {"items": [pushed("entry", entry(clock.now))]}),
        phone.client.post("/v1/sign-ins/refresh", json={"refresh_token": tokens["refresh_token"]}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.get_data() for answer in answers[:4]}) == 1
    assert count(app, Entry) == 0


@pytest.mark.parametrize("way", WAYS)
def test_an_export_under_way_stops_and_does_not_look_whole(
    way: str, cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    pieces = cast.ana.get("/me/export").iter_encoded()
    got = [next(pieces)]
    WAYS[way](cast)
    with pytest.raises(Incomplete):
        got.extend(pieces)
    assert sum(map(len, got)) < 3 * PIECE
    with pytest.raises(ValueError):
        json.loads(b"".join(got))


def test_a_sync_that_was_cut_off_goes_on_where_it_was_after_a_new_sign_in(cast: Cast, clock: Clock) -> None:
    push(cast.ana, [pushed("entry", entry(clock.now)) for _ in range(BATCH)])
    first = cast.ana.post("/sync", {"items": [], "limit": BATCH // 2}).json
    assert first["has_more"]
    has_her_account_closed(cast)
    rest = {"items": [], "limit": BATCH, "cursor": first["next_cursor"]}
    assert cast.ana.post("/sync", rest).status_code == 401
    assert cast.admin.post(f"/clinic/accounts/{cast.ana.account_id}/enable").status_code == 204
    second = again(cast.ana).post("/sync", rest).json
    ids = [change["id"] for page in (first, second) for change in page["changes"]]
    assert (len(ids), len(set(ids)), second["has_more"]) == (BATCH, BATCH, False)


def test_a_batch_in_hand_is_stored_whole_or_not_at_all(app: Flask, cast: Cast, clock: Clock) -> None:
    """Whichever comes first, the answer says what is stored; the next request of that phone is refused."""
    stored = 0
    for _ in range(5):
        phone, other = again(cast.ana), again(cast.ana)
        batch = {"items": [pushed("entry", entry(clock.now)) for _ in range(BATCH)]}
        answer, ended = at_once(
            [lambda: phone.post("/sync", batch), lambda: other.delete("/me/sign-ins")]  # noqa: B023
        )
        assert ended.status_code == 204
        assert answer.status_code in (200, 401)
        verdicts = [one["verdict"] for one in answer.json.get("results", ())]
        assert verdicts == ["created"] * BATCH or answer.status_code == 401
        stored += len(verdicts)
        assert count(app, Entry) == stored
        assert phone.get("/me").status_code == 401


def test_a_clinician_who_leaves_reads_nothing_more_and_what_they_took_on_waits_for_others(
    cast: Cast, clock: Clock
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert cast.bo.post(f"/alerts/{alert['id']}/acknowledge").status_code == 200
    assert cast.admin.post(f"/clinic/accounts/{cast.bo.account_id}/disable").status_code == 204
    for path in ("/alerts", f"/alerts/{alert['id']}", f"/patients/{cast.ana.patient_id}/entries"):
        assert cast.bo.get(path).status_code == 401
    left = cast.coordinator.get(f"/alerts/{alert['id']}").json
    assert left["state"] == "open"
    taken, ended = left["events"][1:]
    assert (taken["kind"], taken["account_id"]) == ("acknowledged", str(cast.bo.account_id))
    assert (ended["kind"], ended["account_id"]) == ("acknowledgement_expired", str(cast.admin.account_id))
