"""How a person is reached: telephones and devices in their own order, and hours in which they are not."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import ContactPoint
from tests.cast import Cast, Person

KEYS = {
    "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
    "auth": "tBHItJI5svbpez7KI4CCXg",
}
ENDPOINT = "https://push.example.net/send/abcdef"


def sms(who: Person, number: str = "+4740000001") -> Any:
    return who.post("/me/contact-points", {"channel": "sms", "number": number})


def push(who: Person, endpoint: str = ENDPOINT) -> Any:
    subscription = {"endpoint": endpoint, "expirationTime": None, "keys": KEYS}
    return who.post("/me/contact-points", {"channel": "push", "subscription": subscription})


def shown(who: Person) -> list[tuple[str, str]]:
    return [(one["channel"], one["address"]) for one in who.get("/me/contact-points").json["items"]]


def test_a_point_is_shown_back_masked_and_twice_is_once(cast: Cast) -> None:
    first, second = sms(cast.bo), sms(cast.bo)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert push(cast.bo).json["address"] == "…cdef"
    assert shown(cast.bo) == [("sms", "…0001"), ("push", "…cdef")]
    assert "+474" not in cast.bo.get("/me/contact-points").text
    assert shown(cast.coordinator) == []


def test_no_address_lies_open_in_the_database(cast: Cast, database: Database) -> None:
    sms(cast.bo), push(cast.bo)
    with database.read() as session:
        rows = list(session.scalars(select(ContactPoint)))
    for row in rows:
        assert b"4740000001" not in row.sealed_address
        assert b"push.example" not in row.sealed_address
        assert "example" not in str(row.digest)


def test_a_device_has_one_owner_and_a_shared_telephone_has_two(cast: Cast) -> None:
    push(cast.ana), sms(cast.bo)
    push(cast.bo), sms(cast.coordinator)
    assert shown(cast.ana) == []
    assert shown(cast.bo) == [("sms", "…0001"), ("push", "…cdef")]
    assert shown(cast.coordinator) == [("sms", "…0001")]
    assert push(cast.cyd).status_code == 201  # another clinic's phones are its own
    assert len(shown(cast.bo)) == 2


def test_points_come_in_the_order_their_owner_wants(cast: Cast) -> None:
    ids = [sms(cast.bo).json["id"], push(cast.bo).json["id"]]
    ordered = cast.bo.put("/me/contact-points/order", {"ids": ids[::-1]})
    assert [one["id"] for one in ordered.json["items"]] == ids[::-1]
    assert [channel for channel, _ in shown(cast.bo)] == ["push", "sms"]
    for wrong in (ids[:1], [*ids, ids[0]], [ids[0], str(uuid7())], []):
        refused = cast.bo.put("/me/contact-points/order", {"ids": wrong})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/ids")


def test_a_point_that_is_taken_away_is_forgotten_and_may_come_back(cast: Cast, database: Database) -> None:
    point = sms(cast.bo).json["id"]
    for stranger in (cast.cyd, cast.coordinator, cast.ana):
        assert stranger.delete(f"/me/contact-points/{point}").status_code == 404
    assert cast.bo.delete(f"/me/contact-points/{point}").status_code == 204
    assert cast.bo.delete(f"/me/contact-points/{point}").status_code == 404
    assert shown(cast.bo) == []
    assert sms(cast.bo).json["id"] != point
    with database.read() as session:
        row = session.get_one(ContactPoint, (cast.bo.clinic_id, UUID(point)))
        assert (row.retired_why, row.digest) == ("removed", None)


def test_an_account_has_ten_points_at_the_most(cast: Cast) -> None:
    answers = [sms(cast.bo, f"+474000000{number}").status_code for number in range(10, 21)]
    assert answers == [201] * 10 + [409]


def test_a_system_has_no_points_of_its_own(cast: Cast) -> None:
    assert sms(cast.scheduler).status_code == 403


def test_quiet_hours_are_set_and_ended_by_staff_for_themselves(cast: Cast) -> None:
    none, night = ({"quiet_from": a, "quiet_until": b} for a, b in ((None, None), ("22:00", "07:00")))
    assert cast.bo.get("/me/quiet-hours").json == none
    assert cast.bo.put("/me/quiet-hours", night).json == night
    assert cast.bo.get("/me/quiet-hours").json == night
    assert cast.coordinator.get("/me/quiet-hours").json == none
    assert cast.bo.put("/me/quiet-hours", none).json == none
    assert cast.ana.get("/me/quiet-hours").status_code == 403
