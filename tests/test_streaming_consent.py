"""An answer with substance use in it ends with that consent, while it is sent too."""

from collections.abc import Iterator

import pytest
from flask import Flask
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.streaming import Incomplete
from server.clinical.vocabulary import Purpose
from tests.cast import Cast, entry
from tests.conftest import Clock, Scene
from tests.consents import agree, publish, withdraw

EVERYTHING = "/fhir/R4/Patient/{patient}/$everything"
WAYS = {
    "her export": ("ana", "/v1/me/export?format=csv"),
    "her export in FHIR": ("ana", "/v1/me/export?format=fhir"),
    "her FHIR": ("ana", EVERYTHING),
    "the team's FHIR": ("bo", EVERYTHING),
}


@pytest.fixture
def diary(scene: Scene, cast: Cast, clock: Clock) -> Cast:
    """Ana's diary, longer than one piece and full of craving; she agreed that copies hold it."""
    scene(lambda: crave(cast, clock))
    return cast


def crave(cast: Cast, clock: Clock) -> None:
    for _ in range(3):
        said = [
            entry(clock.now, items={"mood": 5, "craving": 7}, note=f"craving {'x' * 1900}") for _ in range(40)
        ]
        items = [{"id": str(uuid7()), "action": "put", "entry": one} for one in said]
        assert cast.ana.post("/sync", {"items": items}).status_code == 200
    agree(cast, Purpose.SUBSTANCE_USE)


def asked(cast: Cast, who: str, path: str) -> TestResponse:
    person = getattr(cast, who)
    headers = {"Authorization": f"Bearer {person.token}"}
    answer: TestResponse = person.client.get(path.format(patient=cast.ana.patient_id), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def rest_of(pieces: Iterator[bytes]) -> bytes:
    """Return what comes after the no: at the most the mark that it is not whole."""
    got = []
    with pytest.raises(Incomplete):
        got.extend(pieces)
    return b"".join(got)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_who_takes_substance_use_back_meanwhile_ends_what_holds_it(way: str, diary: Cast) -> None:
    pieces = asked(diary, *WAYS[way]).iter_encoded()
    assert b"craving" in next(pieces)
    withdraw(diary, Purpose.SUBSTANCE_USE)
    assert b"craving" not in rest_of(pieces)


def test_a_materially_new_text_ends_it_too(diary: Cast) -> None:
    pieces = asked(diary, *WAYS["her export"]).iter_encoded()
    assert b"craving" in next(pieces)
    publish(diary, Purpose.SUBSTANCE_USE)
    assert b"craving" not in rest_of(pieces)


def test_an_answer_without_any_goes_on_whatever_is_said_of_it(diary: Cast) -> None:
    withdraw(diary, Purpose.SUBSTANCE_USE)
    pieces = asked(diary, *WAYS["her export"]).iter_encoded()
    next(pieces)
    agree(diary, Purpose.SUBSTANCE_USE)
    withdraw(diary, Purpose.SUBSTANCE_USE)
    assert not b"".join(pieces).endswith(b"incomplete\r\n")


def test_a_link_from_before_a_yes_never_gives_more_than_was_handed_over(diary: Cast, app: Flask) -> None:
    withdraw(diary, Purpose.SUBSTANCE_USE)
    link = diary.ana.post("/me/exports", {"formats": ["json"]}).json
    url = link["links"][0]["href"].removeprefix("http://127.0.0.1:8000")
    client = app.test_client()
    assert client.get(url).json["substance_use"] == "left_out"
    agree(diary, Purpose.SUBSTANCE_USE)
    assert client.get(url).status_code == 404
    assert diary.ana.get("/me/exports").json["items"] == []


def test_it_ends_a_link_that_is_followed_and_those_that_are_open(diary: Cast, app: Flask) -> None:
    link = diary.ana.post("/me/exports", {"formats": ["csv"]}).json
    url = link["links"][0]["href"].removeprefix("http://127.0.0.1:8000")
    with app.test_client() as client:
        pieces = client.get(url, buffered=False).iter_encoded()
        assert b"craving" in next(pieces)
        withdraw(diary, Purpose.SUBSTANCE_USE)
        assert b"craving" not in rest_of(pieces)
        assert client.get(url).status_code == 404
    assert diary.ana.get("/me/exports").json["items"] == []
