"""The database's clock: the one that all machines share."""

from datetime import datetime

from sqlalchemy import Engine, text


def moment(engine: Engine) -> datetime:
    """Return what time it is on the server, aware; raises DBAPIError where it is away."""
    with engine.connect() as connection:
        found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found
