"""How far away the server is: whoever has to wait for it leaves the processor to somebody else meanwhile."""

from time import perf_counter
from typing import Any

from sqlalchemy import Engine

TRIPS = 9


def round_trip(engine: Engine) -> float:
    """Return the seconds that asking the server next to nothing takes, the quickest of some times.

    A busy machine makes any one of them longer, but none shorter than the way there and back. Raises
    DBAPIError where the server can't be reached.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        return min(_taken(driver) for _ in range(TRIPS))


def _taken(driver: Any) -> float:
    begun = perf_counter()
    driver.execute("SELECT 1")
    return perf_counter() - begun
