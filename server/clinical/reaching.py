"""Whether a value reaches a limit: what rounding leaves of a mean must not decide."""

# Means of thirds are not exact in binary: 17/3 to 14/3 is one point.
TOLERANCE = 1e-9


def reaches(value: float, limit: float) -> bool:
    """Return whether ``value`` is at least ``limit``, give or take what rounding leaves."""
    return value >= limit - TOLERANCE
