"""The master keys while a process runs: what their source holds now, and for an hour what it held before."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from server.keys.sealing import Keyring, decoded_keys, key_id_of, master_keyring

log = logging.getLogger(__name__)

OPENS_ON = 3600.0
"""Seconds. So long a key that was taken out opens what a long transaction read before; it seals nothing."""

Source = Callable[[bool], str]
"""Gives the text of the keys, checked, and never fails; asked with True it looks where it came from."""


class Masters:
    """What wraps the clinics' keys and opens them again: like a `Keyring`, but its keys may change meanwhile.

    ``keys`` alone stay as they are. Those of a source are its own, from the first use on.
    """

    def __init__(
        self, keys: Keyring, source: Source | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._keys, self._source, self._clock = keys, source, clock
        self._text: str | None = None
        self._gone: list[tuple[Keyring, float]] = []  # and until when they open
        self._told = False
        self._lock = threading.Lock()

    @property
    def current(self) -> int:
        """The id of the key that wraps now."""
        return self._look(fresh=True).current

    def has(self, key_id: int) -> bool:
        """Return whether a key is here now, by its id."""
        return key_id in self._look(fresh=True).ids

    def seal(self, text: str, context: str) -> bytes:
        """Return ``text`` sealed, as `Keyring.seal`: never with a key that was replaced a moment ago."""
        return self._look(fresh=True).seal(text, context)

    def open(self, sealed: bytes, context: str) -> str:
        """Return the text that was sealed; raises SealError as `Keyring.open`.

        For a key that is not known the source is asked at once.
        """
        key_id = key_id_of(sealed)
        keys = self._look()
        if key_id not in keys.ids:
            keys = self._look(fresh=True)
        if key_id not in keys.ids:
            keys = self._before(key_id) or keys
        return keys.open(sealed, context)

    def digest(self, text: str, context: str) -> str:
        """Return the digest of ``text`` as `Keyring.digest`; after a change of keys it may be another."""
        return self._look().digest(text, context)

    def _look(self, fresh: bool = False) -> Keyring:
        """Return the keys as they are now, or were a moment ago."""
        if self._source is None:
            return self._keys
        text = self._source(fresh)
        with self._lock:
            self._gone = [(keys, until) for keys, until in self._gone if until > self._clock()]
            if text != self._text:
                self._change(master_keyring(decoded_keys(text)))
                self._text = text
            return self._keys

    def _change(self, keys: Keyring) -> None:
        if self._text is not None:
            self._gone.append((self._keys, self._clock() + OPENS_ON))
        self._keys, self._told = keys, False

    def _before(self, key_id: int) -> Keyring | None:
        """Return keys that were replaced, with the one of ``key_id`` among them."""
        with self._lock:
            found = next((keys for keys, _ in reversed(self._gone) if key_id in keys.ids), None)
            is_news = found is not None and not self._told
            self._told = self._told or is_news
        if is_news:
            log.warning(
                "a clinic's key is under a master key that was taken out: put it back, run keys rotate"
            )
        return found
