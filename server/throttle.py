"""How many requests who may make: token buckets in this process, or counted in one place for all processes.

What these limits are for is load: that nobody takes the service from the others. What guesses secrets is
counted in the database (`services/tally.py`), where every process sees it and a restart forgets nothing.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)

MINUTE = 60.0
# More buckets than this are never kept: whoever comes from a million addresses must not fill the memory.
MOST_BUCKETS = 100_000
_ROUNDING = 1e-6  # seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """``a_minute`` requests on average (at least 1), and as many at once after a quiet minute."""

    name: str
    a_minute: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Who is counted: one device (a sign-in), one account over all its devices, the staff and systems of a
    clinic together, and one address for what is not signed in. ``heeded``: refused entries of one device
    that are read for what cannot wait all the same.
    """

    device: Rate
    account: Rate
    clinic: Rate
    address: Rate
    heeded: Rate


def rates(a_minute: int) -> Rates:
    """Return the limits that go with ``a_minute`` requests (at least 1) of one device."""
    return Rates(
        device=Rate("device", a_minute),
        account=Rate("account", 2 * a_minute),
        clinic=Rate("clinic", 20 * a_minute),
        address=Rate("address", a_minute),
        heeded=Rate("heeded", max(1, a_minute // 10)),
    )


class Counters(Protocol):
    """What counts. Both return 0.0, or after how many seconds a request would be taken again."""

    def take(self, rate: Rate, who: str) -> float:
        """Count one request of ``who``; one that is refused is not counted."""
        ...

    def wait(self, rate: Rate, who: str) -> float:
        """Say how it stands with ``who`` without counting."""
        ...


class Buckets:
    """Token buckets of this process alone. ``clock``: seconds that never go back.

    A bucket is one number, the moment at which it is full again (GCRA): nothing has to be refilled.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_BUCKETS) -> None:
        self._clock, self._most = clock, most
        self._full_at: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def take(self, rate: Rate, who: str) -> float:
        """Count one request of ``who``; one that is refused is not counted."""
        with self._lock:
            now, key = self._clock(), (rate.name, who)
            full_at = max(self._full_at.get(key, now), now) + MINUTE / rate.a_minute
            if (wait := full_at - now - MINUTE) > _ROUNDING:
                return wait
            self._full_at[key] = full_at
            if len(self._full_at) > self._most:
                self._make_room(now)
            return 0.0

    def wait(self, rate: Rate, who: str) -> float:
        """Say how it stands with ``who`` without counting."""
        full_at = self._full_at.get((rate.name, who))
        if full_at is None:
            return 0.0
        wait = full_at + MINUTE / rate.a_minute - self._clock() - MINUTE
        return wait if wait > _ROUNDING else 0.0

    def _make_room(self, now: float) -> None:
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        if len(self._full_at) > self._most // 2:
            self._full_at.clear()  # rather serve too much for a minute than keep everybody's address


class Shared:
    """Counted in a Redis or Valkey server at ``url``, for every process that names the same one.

    Where that is away each process counts for itself: a limit that is too generous for a while is no
    reason to refuse a patient.
    """

    def __init__(self, url: str) -> None:
        # Imported here: the client takes a tenth of a second to load, and few need it.
        from limits import RateLimitItemPerMinute, storage, strategies

        self._item = RateLimitItemPerMinute
        # A far end that hangs must not hold up what it only counts.
        timeouts = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
        self._storage = storage.storage_from_string(url, **timeouts)
        self._limiter = strategies.SlidingWindowCounterRateLimiter(self._storage)
        self._alone = Buckets()
        self._away_until = 0.0

    def take(self, rate: Rate, who: str) -> float:
        """Count one request of ``who``; one that is refused is not counted."""
        return self._asked(self._limiter.hit, rate, who, self._alone.take)

    def wait(self, rate: Rate, who: str) -> float:
        """Say how it stands with ``who`` without counting."""
        return self._asked(self._limiter.test, rate, who, self._alone.wait)

    def _asked(
        self, ask: Callable[..., bool], rate: Rate, who: str, alone: Callable[[Rate, str], float]
    ) -> float:
        if time.monotonic() < self._away_until:
            return alone(rate, who)
        item = self._item(rate.a_minute, namespace="afterglow")
        try:
            if ask(item, rate.name, who):
                return 0.0
            return max(1.0, self._limiter.get_window_stats(item, rate.name, who).reset_time - time.time())
        except self._storage.base_exceptions as error:
            log.warning("requests are counted by each process for itself: %s", type(error).__name__)
            self._away_until = time.monotonic() + 5
            return alone(rate, who)


def counters(url: str) -> Counters:
    """Return what counts: at ``url``, or in this process where there is none."""
    return Shared(url) if url else Buckets()


class Throttle:
    """The limits of one application. Every method returns 0.0, or after how many seconds to ask again."""

    def __init__(self, a_minute: int, counters: Counters | None = None) -> None:
        self.rates = rates(max(1, a_minute))
        # 0: what stands in front of the service limits it.
        self._counters = (Buckets() if counters is None else counters) if a_minute else _Unlimited()

    def signed_in(self, device: str, account: str) -> float:
        """Count a request with a good token."""
        wait = self._counters.take(self.rates.device, device)
        return wait or self._counters.take(self.rates.account, account)

    def clinic(self, clinic: str) -> float:
        """Count a request of a clinic's staff or systems. Patients and caregivers are not counted here: no
        system of their clinic, however busy, may keep their entries out.
        """
        return self._counters.take(self.rates.clinic, clinic)

    def heeding(self, device: str) -> float:
        """Count a refused entry that is read for what cannot wait."""
        return self._counters.take(self.rates.heeded, device)

    def stranger(self, address: str) -> float:
        """Count a request without a good token."""
        return self._counters.take(self.rates.address, address)

    def wait_of_stranger(self, address: str) -> float:
        """Say how it stands with ``address`` without counting."""
        return self._counters.wait(self.rates.address, address)


class _Unlimited:
    def take(self, rate: Rate, who: str) -> float:
        return 0.0

    def wait(self, rate: Rate, who: str) -> float:
        return 0.0
