"""A long-lived process keeps what it made at its start: the collector of cycles need not look through it.

Measured: an eighth of the processor time of a batch and a twentieth of a single entry's went into that.
"""

import gc

# Nearly all that an import makes stays. A sixth of a start went into looking through it.
_MAKING = 200_000, 50, 100
# How many are made before the youngest are looked through: the usual 700 are few for a request.
_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20


def begin() -> None:
    """Say that now is made what stays: called before the house is loaded."""
    gc.set_threshold(*_MAKING)


def settle() -> None:
    """Say that all is made which stays: called once, before the first request or job."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
