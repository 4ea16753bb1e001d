"""What a message tells that stands in no text: the code of a link, or of a number."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.models import Delivery
from server.services.messages import delivery_address
from server.services.messages import number_code as number_codes


def of(session: Session, now: datetime, row: Delivery) -> str | None:
    """Return the secret of a delivery; None where it has none."""
    return delivery_address.secret_of(session, now, row) or number_codes.secret_of(session, now, row)
