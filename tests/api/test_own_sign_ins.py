"""Where one is signed in: read, end one, end all; it holds from the next request."""

from flask import Flask

from server.settings import Settings
from tests.cast import PASSWORD, Cast, Person
from tests.conftest import Clock


def on(app: Flask, device: str | None, email: str = "ana@home.example") -> Person:
    """Return Ana signed in on another device."""
    body = {"clinic": "demo", "email": email, "password": PASSWORD}
    body |= {} if device is None else {"device": device}
    client = app.test_client()
    token = client.post("/v1/sign-ins", json=body).json["access_token"]
    me = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json
    return Person(client, token, me["account_id"], me["clinic_id"])


def test_every_device_is_listed_by_the_name_its_owner_gave_it(app: Flask, cast: Cast, clock: Clock) -> None:
    clock.forward(minutes=1)
    tablet = on(app, "Ana's tablet")
    rows = tablet.get("/me/sign-ins").json["items"]
    assert [(row["device"], row["is_this_one"]) for row in rows] == [("Ana's tablet", True), (None, False)]
    assert rows[0]["last_used_at"] == "2026-03-02T12:01:00+00:00"
    assert rows[0]["ends_at"] == "2027-03-02T12:01:00+00:00"


def test_one_that_is_ended_is_refused_at_its_next_request_and_the_others_stay(app: Flask, cast: Cast) -> None:
    lost, kept = on(app, "lost"), on(app, "kept")
    (row,) = [one for one in kept.get("/me/sign-ins").json["items"] if one["device"] == "lost"]
    assert kept.delete(f"/me/sign-ins/{row['id']}").status_code == 204
    assert lost.get("/me").status_code == 401
    assert (kept.get("/me").status_code, cast.ana.get("/me").status_code) == (200, 200)
    assert kept.delete(f"/me/sign-ins/{row['id']}").status_code == 404


def test_all_are_ended_at_once_and_nobody_elses(app: Flask, cast: Cast) -> None:
    devices = [on(app, None) for _ in range(3)]
    assert devices[0].delete("/me/sign-ins").status_code == 204
    assert {one.get("/me").status_code for one in (*devices, cast.ana)} == {401}
    assert cast.bo.get("/me").status_code == 200


def test_nobody_elses_sign_in_is_listed_or_ended(app: Flask, cast: Cast) -> None:
    (row,) = cast.ana.get("/me/sign-ins").json["items"]
    for other in (cast.bo, cast.admin, cast.cyd, cast.other_patient):
        assert row["id"] not in other.get("/me/sign-ins").text
        assert other.delete(f"/me/sign-ins/{row['id']}").status_code == 404
    assert cast.ana.get("/me").status_code == 200


def test_what_ended_by_itself_is_not_listed(app: Flask, cast: Cast, clock: Clock, settings: Settings) -> None:
    clock.forward(days=settings.refresh_days)
    fresh = on(app, "new")
    assert len(fresh.get("/me/sign-ins").json["items"]) == 1
