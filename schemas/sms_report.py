"""What an SMS gateway reports of a message it took."""

from schemas.base import Body
from schemas.fields import Text
from schemas.query import QueryState


class SmsReportQuery(Body):
    """The state as the gateway writes it, and the proof that we made the address."""

    status = QueryState(required=True, metadata={"description": "1 delivered, 2 and 16 failed"})
    proof = Text(longest=64, shortest=1, required=True)
