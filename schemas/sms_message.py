"""An SMS that came in at the gateway."""

from schemas.base import Body
from schemas.fields import Text


class SmsMessageQuery(Body):
    """Who sent it, its first word, and the proof that we made the address."""

    number = Text(longest=32, shortest=1, required=True, metadata={"description": "who sent it"})
    keyword = Text(
        longest=160, load_default="", metadata={"description": "its first word", "example": "STOP"}
    )
    proof = Text(longest=64, shortest=1, required=True)
