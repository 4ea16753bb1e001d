"""Every gauge of `GET /metrics` as a table: its name, meaning, labels, and how it is taken from the figures.

Labels hold codes of the vocabulary and names of jobs, never an id, a name or a path.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from types import MappingProxyType

from server.services.health import Health
from server.services.messages.probe import Verdict

Rows = Iterable[tuple[Sequence[str], float]]


@dataclass(frozen=True, slots=True)
class Gauge:
    """``rows`` gives the values of the labels, in their order, and the number."""

    help: str
    labels: tuple[str, ...]
    rows: Callable[[Health], Rows]


def _job_age(found: Health) -> Rows:
    return [([job.name], inf if job.age is None else _seconds(job.age)) for job in found.jobs]


def _job_late(found: Health) -> Rows:
    return [([job.name], float(job.late)) for job in found.jobs]


def _waiting(found: Health) -> Rows:
    return [([one.state, one.urgency], one.count) for one in found.backlog]


def _oldest(found: Health) -> Rows:
    ages = (found.oldest or {}).items()
    return [([urgency], 0 if age is None else _seconds(age)) for urgency, age in ages]


def _lost(found: Health) -> Rows:
    counts: dict[str, int] = {}
    for one in found.lost:
        counts[one.channel] = counts.get(one.channel, 0) + one.count
    return [([channel], count) for channel, count in counts.items()]


def _alerts(found: Health) -> Rows:
    return [([one.urgency, one.state], one.count) for one in found.alerts]


def _exhausted(found: Health) -> Rows:
    counts: dict[str, int] = {}
    for one in found.alerts:
        counts[one.urgency] = counts.get(one.urgency, 0) + one.exhausted
    return [([urgency], count) for urgency, count in counts.items()]


def _left(found: Health) -> Rows:
    return [([urgency], number) for urgency, number in (found.left or {}).items()]


def _probe_ok(found: Health) -> Rows:
    judged = [one for one in found.probes if one.verdict is not None]
    return [([one.channel], float(one.verdict is Verdict.OK)) for one in judged]


def _probe_seconds(found: Health) -> Rows:
    return [([one.channel], one.seconds) for one in found.probes if one.seconds is not None]


def _probe_age(found: Health) -> Rows:
    return [([one.channel], _seconds(found.at - one.sent_at)) for one in found.probes]


def _backup_age(found: Health) -> Rows:
    return [] if found.unsaved is None else [((), _seconds(found.unsaved))]


def _apart(found: Health) -> Rows:
    return [] if found.apart is None else [((), _seconds(found.apart))]


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


GAUGES: Mapping[str, Gauge] = MappingProxyType(
    {
        "afterglow_database_up": Gauge("1 while the database answers.", (), lambda _: [((), 1)]),
        "afterglow_database_migrated": Gauge(
            "1 while the database has every table of this version.",
            (),
            lambda found: [((), float(found.migrated))],
        ),
        "afterglow_job_age_seconds": Gauge(
            "Since a job last succeeded; infinite where it never has.", ("job_name",), _job_age
        ),
        "afterglow_job_late": Gauge("1 where a job counts as stopped.", ("job_name",), _job_late),
        "afterglow_deliveries_waiting": Gauge("Messages not over yet.", ("state", "urgency"), _waiting),
        "afterglow_oldest_undelivered_seconds": Gauge(
            "Age of the oldest urgent message that could have left; 0 where there is none. "
            "A webhook's counts while no other way has told its recipient.",
            ("urgency",),
            _oldest,
        ),
        "afterglow_deliveries_lost": Gauge(
            "Messages of the last hour that reached nobody.", ("channel",), _lost
        ),
        "afterglow_alerts": Gauge("Alerts that nobody has closed.", ("urgency", "state"), _alerts),
        "afterglow_alerts_exhausted": Gauge(
            "Alerts of which everybody was told and nobody answered.", ("urgency",), _exhausted
        ),
        "afterglow_alerts_left": Gauge(
            "Alerts due to be told further that the last look had no time for.", ("urgency",), _left
        ),
        "afterglow_probe_ok": Gauge(
            "1 where the last judged probe was taken in time, 0 where it was late or failed.",
            ("channel",),
            _probe_ok,
        ),
        "afterglow_probe_seconds": Gauge("Until the last probe was taken.", ("channel",), _probe_seconds),
        "afterglow_probe_age_seconds": Gauge("Since that probe was sent.", ("channel",), _probe_age),
        "afterglow_backup_age_seconds": Gauge(
            "Since the newest backup; where none was made, since the first clinic opened.", (), _backup_age
        ),
        "afterglow_clock_apart_seconds": Gauge(
            "How far this process's clock is ahead of PostgreSQL's; below 0 it is behind.", (), _apart
        ),
    }
)
