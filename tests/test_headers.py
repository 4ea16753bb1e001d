"""What every answer carries: not kept, not guessed at, not framed, and told to nobody."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_urlsafe

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.api.edge import Surroundings
from server.app import create_app
from server.settings import Settings, new_master_key
from tests.cast import Cast

EVERYWHERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PATHS = ("/v1/status", "/v1/me", "/v1/nowhere", "/v1/openapi.json", "/", "/docs/", "/livez", "/metrics")


def policy(answer: TestResponse) -> dict[str, str]:
    """Return the content security policy, directive by directive."""
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.partition(" ")[::2] for part in parts)


@pytest.fixture
def production(settings: Settings) -> Iterator[FlaskClient]:
    """A client of an app as in production."""
    secrets = {"jwt_key": token_urlsafe(48), "master_key": new_master_key()}
    told = replace(settings, environment="production", public_url="https://journal.example", **secrets)
    app = create_app(told)
    yield app.test_client()
    Surroundings.of(app).database.close()


def test_every_answer_is_kept_nowhere_and_taken_for_nothing_else(client: FlaskClient) -> None:
    for path in PATHS:
        answer = client.get(path)
        assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE, path
        assert policy(answer)["frame-ancestors"] == "'none'", path
        assert policy(answer)["default-src"] == "'none'", path


def test_answers_to_whoever_is_signed_in_too(cast: Cast) -> None:
    for answer in (cast.ana.get("/me"), cast.ana.get("/me/trend.svg"), cast.ana.get("/me/export?format=csv")):
        assert answer.status_code == 200
        assert {name: answer.headers[name] for name in EVERYWHERE} == EVERYWHERE


def test_production_wants_to_be_asked_over_tls_only_and_a_laptop_does_not(
    client: FlaskClient, production: FlaskClient
) -> None:
    assert "Strict-Transport-Security" not in client.get("/v1/status").headers
    for path in PATHS:
        assert production.get(path).headers["Strict-Transport-Security"] == "max-age=31536000", path


def test_the_page_of_the_contract_runs_its_own_scripts_alone(client: FlaskClient) -> None:
    answer = client.get("/docs/")
    script_sources = policy(answer)["script-src"].split(" ")
    (inline,) = re.findall(r"<script>(.*?)</script>", answer.get_data(as_text=True), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert script_sources == ["'self'", f"'sha256-{digest}'"]
    assert policy(answer)["connect-src"] == "'self'"
    outside = re.findall(r"(?:src|href)=\"(https?:)?//", answer.get_data(as_text=True))
    assert outside == []


def test_no_other_site_may_read_an_answer(client: FlaskClient, cast: Cast) -> None:
    """There is no setting that would let one: a wildcard can't be set by mistake."""
    asking = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    asked = client.options("/v1/me", headers=asking)
    read = cast.ana.client.get("/v1/me", headers={**asking, "Authorization": f"Bearer {cast.ana.token}"})
    for answer in (asked, read):
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []
    assert not [name for name in Settings.__dataclass_fields__ if "cors" in name or "origin" in name]
