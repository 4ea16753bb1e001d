"""`create_app`: the only place where the parts are joined."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Flask, redirect
from flask_jwt_extended import JWTManager
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.middleware.proxy_fix import ProxyFix

from jobs.timetable import LIMITS
from server.api import (
    BLUEPRINTS,
    contract,
    correlation,
    crowding,
    errors,
    following,
    headers,
    health,
    metrics,
    rerunning,
    tokens,
)
from server.api.answer_json import AnswerJson
from server.api.body import drained
from server.api.converters import Uuid7Converter, WeekConverter
from server.api.edge import EXTENSION, CheckConnection, Surroundings, open_to_all
from server.api.fhir import BLUEPRINTS as FHIR_BLUEPRINTS
from server.api.fhir.blueprint import ROOT as FHIR_ROOT
from server.api.route_guard import check_routes
from server.api.throttling import count_stranger
from server.database import Database
from server.readiness import check_production, crisis_directory
from server.replica import replica_of
from server.services.people.passwords import Passwords
from server.settings import Settings, SettingsError, master_keys, new_master_key, signing_keys
from server.throttle import Throttle, counters

API_ROOT = "/v1"
log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the time: the only clock of the API."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Flask:
    """Join settings, database, blueprints and error answers into one WSGI application.

    Raises SettingsError for crisis lines that can't be used, and for what production refuses: stale ones,
    secrets that could be guessed, and the framework's debugging mode, which shows our code and data.
    """
    check_production(settings)
    app = Flask("afterglow", static_folder=None)
    app.json = AnswerJson(app)
    if app.debug and settings.environment == "production":
        raise SettingsError("FLASK_DEBUG must not be set in production")
    app.config.update(
        contract.CONFIG,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        **tokens.config(settings, signing_keys(settings), _source(settings)),
    )
    app.url_map.converters.update(uuid7=Uuid7Converter, week=WeekConverter)
    app.extensions[EXTENSION] = _surroundings(settings, clock)
    correlation.register(app)
    JWTManager(app).encode_key_loader(tokens.signs_now)
    api = contract.ContractApi(app)
    errors.register(app)
    _add_routes(api)
    _add_pages(app, api)
    check_routes(app, API_ROOT)
    check_routes(app, FHIR_ROOT)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    metrics.register(app)
    crowding.register(app)
    _add_layers(app, settings)
    return app


def _source(settings: Settings) -> tokens.Source | None:
    """Return where keys that may change come from while we run."""
    return partial(signing_keys, settings) if settings.jwt_key_file else None


def _add_layers(app: Flask, settings: Settings) -> None:
    """Put what lies around every view."""
    trust(app, settings.trusted_proxies)
    app.after_request(lambda answer: count_stranger(Surroundings.of(app).throttle, answer))
    headers.register(app, settings.environment == "production")
    app.after_request(drained)
    rerunning.register(app)
    following.register(app)


def _add_routes(api: contract.ContractApi) -> None:
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=API_ROOT)
    for blueprint in FHIR_BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=FHIR_ROOT)


def _surroundings(settings: Settings, clock: Callable[[], datetime]) -> Surroundings:
    database = Database(settings.sqlalchemy_url, master_keys(settings), settings.limits)
    if settings.environment == "production" and not database.is_sqlite and not settings.limits_url:
        log.warning("requests are counted by this process alone; AFTERGLOW_LIMITS_URL has all count together")
    return Surroundings(
        settings,
        database,
        clock,
        Passwords(settings.password_cost),
        crisis_directory(settings, clock().date()),
        LIMITS,
        _connection_check(settings),
        Throttle(settings.requests_per_minute, counters(settings.limits_url)),
        replica=replica_of(database, settings.replica_url, settings.limits),
    )


def be_seen(app: Flask) -> None:
    """Let a restore see that an API works on the database, before anybody has asked it."""
    Surroundings.of(app).database.be_seen()


def contract_text(settings: Settings) -> str:
    """Return the text of `openapi.yaml`. Touches neither database nor disk."""
    app = create_app(replace(settings, jwt_key=secrets.token_urlsafe(48), master_key=new_master_key()))
    (registered,) = app.extensions["flask-smorest"]["apis"].values()
    return contract.as_yaml(registered["ext_obj"])


def _add_pages(app: Flask, api: contract.ContractApi) -> None:
    docs = get_swaggerui_blueprint("/docs", f"{API_ROOT}/openapi.json", config={"app_name": "Afterglow API"})
    app.register_blueprint(docs)
    app.add_url_rule("/", "home", lambda: redirect("/docs/"))
    app.add_url_rule(f"{API_ROOT}/openapi.json", "openapi", open_to_all(lambda: contract.document(api)))


def trust(app: Flask, proxies: int) -> None:
    """Take a request's address, and nothing else, from what ``proxies`` of ours wrote into its headers."""
    if proxies:
        behind = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        vars(app)["wsgi_app"] = behind


def _connection_check(settings: Settings) -> CheckConnection:
    # The API may not know the adapters; whether they could use some settings, it has to ask.
    def check(kind: Any, config: Mapping[str, Any]) -> None:
        # Imported late: it happens once in the life of a connection.
        from server.gateways.scheduling import adapters

        adapters.check(kind, config, settings.allow_loopback_egress == "yes")

    return check
