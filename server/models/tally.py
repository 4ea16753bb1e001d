"""How often something was tried, counted where every process sees it."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class Tally(Base):
    """`digest` names what is counted and for whom, keyed: nobody reads an address or an e-mail out of it.

    It counts until `ends_at` and begins anew then. Until `shut_until` nothing more is taken.
    """

    __tablename__ = "tallies"
    __table_args__ = (Index(None, "ends_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    cap: Mapped[str] = mapped_column(String(32))
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(Instant)
    shut_until: Mapped[datetime | None] = mapped_column(Instant)
