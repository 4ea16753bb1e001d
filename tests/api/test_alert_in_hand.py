"""Who has an alert in hand: whom it was given to, and whoever took it on after that."""

import pytest
from flask import Flask

from server.clinical.vocabulary import Role
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
