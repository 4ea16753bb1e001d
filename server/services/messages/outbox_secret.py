"""What a message tells that stands in no text: the code of a link, or of a number."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.models import Delivery
from server.services.messages import delivery_address
from server.services.messages import number_code as number_codes
from server.services.people import recovery as recoveries


def of(session: Session, now: datetime, row: Delivery) -> str | None:
    """Return the secret of a delivery; None where it has none."""
    kept_by = (delivery_address, recoveries, number_codes)
    return next(filter(None, (one.secret_of(session, now, row) for one in kept_by)), None)
