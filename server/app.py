"""`create_app`: the only place where the parts are joined."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from flask import Flask, Response, redirect
from flask_jwt_extended import JWTManager
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint

from jobs.timetable import LIMITS
from server.api import BLUEPRINTS, contract, errors, health, metrics, tokens
from server.api.answer_json import AnswerJson
from server.api.body import drained
from server.api.converters import Uuid7Converter, WeekConverter
from server.api.edge import EXTENSION, CheckConnection, Surroundings
from server.api.fhir import BLUEPRINTS as FHIR_BLUEPRINTS
from server.api.fhir.blueprint import ROOT as FHIR_ROOT
from server.database import Database
from server.gateways.scheduling import adapters
from server.readiness import crisis_directory
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys, new_master_key, signing_keys

API_ROOT = "/v1"


def utc_now() -> datetime:
    """Return the time: the only clock of the API."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Flask:
    """Join settings, database, blueprints and error answers into one WSGI application.

    Raises SettingsError for crisis lines that can't be used, in production also for stale ones.
    """
    directory = crisis_directory(settings, clock().date())
    app = Flask("afterglow", static_folder=None)
    app.json = AnswerJson(app)
    app.config.update(
        contract.CONFIG,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        **tokens.config(settings, signing_keys(settings)),
    )
    app.url_map.converters.update(uuid7=Uuid7Converter, week=WeekConverter)
    database = Database(settings.sqlalchemy_url, master_keys(settings))
    passwords = Passwords(settings.password_cost)
    app.extensions[EXTENSION] = Surroundings(
        settings, database, clock, passwords, directory, LIMITS, _connection_check(settings)
    )
    JWTManager(app)
    api = contract.ContractApi(app)
    contract.describe(api)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=API_ROOT)
    for blueprint in FHIR_BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=FHIR_ROOT)
    errors.register(app)
    _add_pages(app, api)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    metrics.register(app)
    app.after_request(_never_cached)
    app.after_request(drained)
    return app


def contract_text(settings: Settings) -> str:
    """Return the text of `openapi.yaml`. Touches neither database nor disk."""
    app = create_app(replace(settings, jwt_key=secrets.token_urlsafe(48), master_key=new_master_key()))
    (registered,) = app.extensions["flask-smorest"]["apis"].values()
    return contract.as_yaml(registered["ext_obj"])


def _add_pages(app: Flask, api: Api) -> None:
    docs = get_swaggerui_blueprint("/docs", f"{API_ROOT}/openapi.json", config={"app_name": "Afterglow API"})
    app.register_blueprint(docs)
    app.add_url_rule("/", "home", lambda: redirect("/docs/"))
    app.add_url_rule(f"{API_ROOT}/openapi.json", "openapi", lambda: contract.document(api))


def _connection_check(settings: Settings) -> CheckConnection:
    # The API may not know the adapters; whether they could use some settings, it has to ask.
    loopback = settings.allow_loopback_egress == "yes"
    return lambda kind, config: adapters.check(kind, config, loopback)


def _never_cached(answer: Response) -> Response:
    # Health data must not stay in a proxy or a browser.
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer
