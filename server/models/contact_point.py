"""One way to reach an account beside its e-mail: a telephone, a device, a webhook."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Channel, EventKind
from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Coded, Instant


class ContactPoint(Base):
    """`address` is the channel's own text. `position`: the account's order, lowest first.

    `digest` stands for the address while the point is in use: a device has one owner in a clinic,
    a number or a web address is known once an account. `address_index` stands for a telephone number in
    use, whoever has it: an HMAC under a key that is not in the table. `rotated_at`: when a webhook got
    its newest secret. `retired_why` is a code. `hears_alerts`: the account's messages go there;
    `hears_visits`: it is told of every move of an approved visit (webhooks alone). `code`, made at
    `code_made_at`, is to prove a telephone number; without that moment nothing waits for a proof.
    """

    __tablename__ = "contact_points"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        UniqueConstraint("clinic_id", "digest"),
        Index(None, "clinic_id", "account_id", "position"),
        Index(None, "clinic_id", "channel", "hears_visits"),
        Index(None, "clinic_id", "address_index"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    channel: Mapped[Channel] = mapped_column(Coded(Channel))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    address = Sealed("sealed_address")
    digest: Mapped[str | None] = mapped_column(String(64))
    address_index: Mapped[str | None] = mapped_column(String(64))
    position: Mapped[int]
    hears_alerts: Mapped[bool] = mapped_column(default=True)
    hears_visits: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    rotated_at: Mapped[datetime | None] = mapped_column(Instant)
    sealed_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    code = Sealed("sealed_code")
    code_made_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_why: Mapped[str | None] = mapped_column(String(64))

    @property
    def proven(self) -> bool:
        """Whether messages go there."""
        return self.code_made_at is None

    @property
    def events(self) -> list[EventKind]:
        """What it listens to, in the order of the vocabulary."""
        heard = {EventKind.ALERTS: self.hears_alerts, EventKind.VISITS: self.hears_visits}
        return [kind for kind in EventKind if heard[kind]]
