"""The language in which a patient reads about danger and about who reads their diary."""

from typing import Any

import pytest
from uuid_utils.compat import uuid7

from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import Language
from tests.cast import Cast, entry, pushed
from tests.conftest import Clock
from tests.visits import Visits

GERMAN = TEXTS[Language.DE]


@pytest.fixture
def cast(cast: Cast) -> Cast:
    """A clinic whose language is German."""
    assert cast.admin.patch("/clinic", {"language": "de"}).status_code == 200
    return cast


def ask(cast: Cast, method: str, path: str, body: Any = None, wish: str | None = None) -> Any:
    """Send a request as Ana's phone does, with the ``wish`` of its Accept-Language."""
    headers = {"Authorization": f"Bearer {cast.ana.token}"}
    headers |= {} if wish is None else {"Accept-Language": wish}
    return cast.ana.client.open(f"/v1{path}", method=method, json=body, headers=headers).json


@pytest.mark.parametrize(
    ("wish", "read"),
    [
        (None, Language.DE),
        ("", Language.DE),
        ("*", Language.DE),
        ("pl, *;q=0.5", Language.DE),
        ("fr;q=0, pl", Language.DE),
        ("; nonsense ;=,", Language.DE),
        ("fr-CH, en;q=0.9", Language.FR),
        ("en;q=0.5, es-MX", Language.ES),
        ("pl, EN-us;q=0.1", Language.EN),
        ("nn-NO", Language.NB),
        ("no", Language.NB),
    ],
)
def test_a_phone_says_its_language_else_it_is_the_clinics(
    cast: Cast, clock: Clock, wish: str | None, read: Language
) -> None:
    told = ask(cast, "PUT", f"/entries/{uuid7()}", entry(clock.now, safety="often"), wish)
    assert told["notice"]["text"] == TEXTS[read].crisis_lines
    assert told["who_reads_this"] == TEXTS[read].not_armed


def test_whatever_answers_is_in_that_language(cast: Cast, clock: Clock) -> None:
    danger = entry(clock.now, safety="plan")
    pushes = ask(cast, "POST", "/sync", {"items": [pushed("entry", danger)], "limit": 1})
    assert pushes["results"][0]["notice"]["text"] == GERMAN.emergency
    assert pushes["who_reads_this"] == GERMAN.not_armed
    refused = ask(cast, "PUT", f"/entries/{uuid7()}", {**danger, "mood": "bad"})
    assert (refused["status"], refused["notice"]["text"]) == (422, GERMAN.emergency)
    today = ask(cast, "GET", "/me/today")
    assert today["crisis"]["text"] == GERMAN.no_emergency_service
    assert today["watch"]["text"] == GERMAN.not_armed
    wished = ask(cast, "PUT", f"/entries/{uuid7()}", {**danger, "mood": "bad"}, "es")
    assert wished["notice"]["text"] == TEXTS[Language.ES].emergency


def test_so_are_visits(cast: Cast, visits: Visits) -> None:
    visit = visits.booked()
    listed = ask(cast, "GET", "/visits")["items"]
    assert [one["text"].startswith("Sie haben einen Termin am ") for one in listed] == [True]
    one = ask(cast, "GET", f"/visits/{visit}", wish="fr")
    assert one["text"].startswith("Vous avez rendez-vous le ")


def test_who_reads_says_so_where_the_monitoring_is_armed_or_the_consent_withdrawn(cast: Cast) -> None:
    assert cast.admin.post("/rota/arm").status_code == 200
    assert ask(cast, "GET", "/me/today")["watch"]["text"] == GERMAN.clinic_hours
    told = ask(cast, "POST", "/me/consents/care_team", {"given": False})
    assert told["told"] == GERMAN.team_withdrawn
    assert ask(cast, "GET", "/me/consents?language=fr")["told"] == TEXTS[Language.FR].team_withdrawn
    assert ask(cast, "GET", "/me/today")["watch"]["text"] == GERMAN.team_withdrawn
