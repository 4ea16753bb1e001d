"""Who has an alert in hand: whom it was given to, and whoever took it on after that."""

from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from server.clinical.vocabulary import Role
from server.services.alerts import release
from tests.api.test_alert_handling import act, flagged, shown
from tests.cast import Cast, new_staff
from tests.conftest import Clock


def test_whoever_was_given_what_a_colleague_had_takes_it_on_with_a_word_of_their_own(
    cast: Cast, clock: Clock
) -> None:
    alert = flagged(cast, clock)
    act(cast.bo, alert, "acknowledge")
    act(cast.bo, alert, "assign", account_id=str(cast.coordinator.account_id), note="Knows her well.")
    clock.forward(hours=2)
    taken = act(cast.coordinator, alert, "acknowledge")
    assert taken["acknowledged_by"] == str(cast.coordinator.account_id)
    assert taken["acknowledged_until"] == "2026-03-03T14:00:00+00:00"
    last = shown(cast.bo)["events"][-1]
    assert (last["kind"], last["account"]) == ("acknowledged", "Dee")
    # Who gave it on has not got it back by pressing the button again.
    assert act(cast.bo, alert, "acknowledge") == taken


def test_every_word_that_holds_an_alert_back_is_on_record(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    for _ in range(2):
        act(cast.bo, alert, "acknowledge")
        clock.forward(hours=1)
    found = cast.admin.get("/audit-events?action=alert.acknowledge").json["items"]
    assert [one["object_id"] for one in found] == [alert["id"]] * 2
    assert {one["at"] for one in found} == {"2026-03-02T12:00:00+00:00", "2026-03-02T13:00:00+00:00"}


@pytest.mark.parametrize("way", ["acknowledge", "reopen"])
def test_whoever_takes_on_what_was_somebody_elses_has_it_in_hand_and_hands_it_over(
    app: Flask, cast: Cast, clock: Clock, way: str
) -> None:
    cat = new_staff(app, cast.bo.clinic_id, Role.CLINICIAN, "Cat")
    alert = flagged(cast, clock)
    act(cast.coordinator, alert, "assign", account_id=str(cat.account_id), note="Yours.")
    if way == "reopen":
        act(cat, alert, "resolve", outcome="contacted", note="Called.")
    act(cast.bo, alert, way, **({"reason": "The wrong one."} if way == "reopen" else {}))
    assert [who.get("/alerts/counts").json["mine"] for who in (cast.bo, cat)] == [1, 0]
    body = {"account_id": str(cast.coordinator.account_id), "note": "Call her at six."}
    assert cast.bo.post("/alerts/hand-over", body).json["alerts"] == [alert["id"]]


@pytest.mark.long
@pytest.mark.parametrize("way", ["acknowledge", "assign", "hand-over"])
def test_nobody_whose_account_is_being_closed_ends_up_with_an_alert_in_hand(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The closing is held just before it is done; whoever clicks meanwhile comes too late."""
    alert, reader, leaver = flagged(cast, clock), cast.coordinator, cast.bo
    path, body, status = f"/alerts/{alert['id']}/{way}", None, 401
    if way != "acknowledge":
        act(cast.bo, alert, "acknowledge")
        reader, leaver = leaver, reader
        body, status = {"account_id": str(leaver.account_id), "note": "Yours."}, 422
    if way == "hand-over":
        path = "/alerts/hand-over"
    let_go, go_on, real = Event(), Event(), release.of_account

    def slow(*args: Any) -> None:
        real(*args)
        let_go.set()
        go_on.wait(10)

    monkeypatch.setattr(release, "of_account", slow)
    closing = Thread(target=lambda: cast.admin.post(f"/clinic/accounts/{leaver.account_id}/disable"))
    closing.start()
    assert let_go.wait(10)
    clicks, version = list[int](), 2 if way == "assign" else None
    clicking = Thread(target=lambda: clicks.append(cast.bo.post(path, body, version).status_code))
    clicking.start()
    clicking.join(0.5)
    go_on.set()
    closing.join(15)
    clicking.join(15)
    assert clicks == [status]
    now = shown(reader)
    assert str(leaver.account_id) not in (now["acknowledged_by"], now["assigned_to"])
