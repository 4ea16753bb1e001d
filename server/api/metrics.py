"""`GET /metrics` for Prometheus. The database's figures are read when asked, so every process tells the same.

Requests are counted by each process for itself, by the route's template: a path may hold an id.
"""

import hmac
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.routing import Map

from server.api import tokens
from server.api.edge import here, open_to_all
from server.api.health import found
from server.api.metric_table import GAUGES, Rows
from server.services.errors import NotSignedIn
from server.turnstile import arrived

blueprint = Blueprint("metrics", __name__)
EXTENSION = "afterglow-metrics"
_LABELS = ("route", "method", "state")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Requests:
    """What this process answered: how often and how fast, by route, method and class of status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(Watch())
        self.count = Counter(
            "afterglow_requests", "Requests answered by this process.", _LABELS, registry=self.registry
        )
        self.seconds = Histogram(
            "afterglow_request_seconds",
            "How long this process took to answer, the wait for a turn with it.",
            _LABELS,
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note(self, answer: Response) -> Response:
        """Count one answer."""
        route = "none" if request.url_rule is None else request.url_rule.rule
        method = request.method if request.method in _METHODS else "other"
        count, seconds = self._of((route, method, answer.status_code // 100))
        count.inc()
        seconds.observe(perf_counter() - g.pop("metrics_begun", perf_counter()))
        return answer

    def expect(self, routes: Map) -> None:
        """Let every error of ours be counted from nothing: of a series that begins with 50, none shows."""
        for rule in routes.iter_rules():
            for method in _METHODS & (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                self.count.labels(rule.rule, method, "5xx")

    def _of(self, key: tuple[str, str, int]) -> tuple[Counter, Histogram]:
        # Asking the library for them at every request would cost more than the counting.
        if key not in self._known:
            labels = (key[0], key[1], f"{key[2]}xx")
            self._known[key] = self.count.labels(*labels), self.seconds.labels(*labels)
        return self._known[key]


class Watch(Collector):
    """The figures of `services.health`, as gauges. Without a database there is one: that it is away."""

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge; called once for every scrape."""
        try:
            now = found()
        except (DBAPIError, PoolTimeout):
            yield GaugeMetricFamily("afterglow_database_up", GAUGES["afterglow_database_up"].help, value=0)
            return
        for name, gauge in GAUGES.items():
            yield _family(name, gauge.help, gauge.labels, gauge.rows(now))

    def describe(self) -> Iterator[Metric]:
        """Name the gauges without asking the database, when they are registered."""
        return (GaugeMetricFamily(name, gauge.help, labels=gauge.labels) for name, gauge in GAUGES.items())


def _family(name: str, text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def register(app: Flask) -> None:
    """Count what ``app`` answers."""
    # When a counter began is no use to anybody, and would double what is stored.
    cast(Callable[[], None], disable_created_metrics)()
    requests = Requests()
    requests.expect(app.url_map)
    app.extensions[EXTENSION] = requests
    app.before_request(_begin)
    app.after_request(requests.note)


def _begin() -> None:
    g.metrics_begun = arrived(request.environ)


@blueprint.get("/metrics")
@open_to_all
def metrics() -> Response:
    """Answer in Prometheus' text format, to whoever has the token; 404 where production has none."""
    _check_token()
    requests = current_app.extensions[EXTENSION]
    return Response(generate_latest(requests.registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _check_token() -> None:
    settings = here().settings
    if not settings.metrics_token:
        if settings.environment == "production":
            abort(404)
        return
    said = tokens.bearer(request.headers.get("Authorization", ""))
    if not hmac.compare_digest(said.encode(), settings.metrics_token.encode()):
        raise NotSignedIn("The token is not that of AFTERGLOW_METRICS_TOKEN.")
