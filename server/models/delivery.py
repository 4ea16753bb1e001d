"""One message to one destination, tried until delivered or given up (the outbox row)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject, SuggestionState
from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Coded, Instant


class Delivery(Base):
    """`key` makes writing it twice harmless. `template` names a text of the closed list; no text is stored.

    `subject` says what `subject_id` names. After `expires_at` it would come too late and is not sent.
    `attempt` is the fencing number: a worker that lost its lease can't record an outcome. `contact_id`
    names the recipient's contact point; none means the account's e-mail. `level` is the alert's level
    it was written at. Messages of one `bundle_id` go out as one, under the id of the first.
    `reference` is the provider's id; after `report_by` a promised report counts as missed.
    Of an event, `event_state` and `event_version` are those of the move it tells of, whatever came later.
    `tried_since`: when it was last replayed, or since when it is tried, without what quiet hours held it;
    `tries_before`: how many tries there were before a replay.
    `to`: the address it goes to, where that is not the account's; `secret`: what its link leads on with,
    until it is sent.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        UniqueConstraint("clinic_id", "key"),
        Index(None, "state", "urgency", "due_at"),
        Index(None, "state", "report_by"),
        Index(None, "state", "finished_at"),
        Index(None, "clinic_id", "subject_id"),
        Index(None, "clinic_id", "bundle_id"),
        Index(None, "clinic_id", "contact_id", "id"),
        Index(None, "id"),
        Index(None, "clinic_id", "account_id", "state", "finished_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200))
    account_id: Mapped[UUID]
    channel: Mapped[Channel] = mapped_column(Coded(Channel, 16))
    contact_id: Mapped[UUID | None]
    template: Mapped[str] = mapped_column(String(64))
    subject: Mapped[DeliverySubject] = mapped_column(Coded(DeliverySubject))
    subject_id: Mapped[UUID]
    urgency: Mapped[AlertClass] = mapped_column(Coded(AlertClass))
    level: Mapped[int] = mapped_column(default=0)
    bundle_id: Mapped[UUID | None]
    state: Mapped[DeliveryState] = mapped_column(Coded(DeliveryState))
    due_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    held: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int]
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    failure: Mapped[str | None] = mapped_column(String(64))
    reference: Mapped[str | None] = mapped_column(String(200))
    report_by: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    event_state: Mapped[SuggestionState | None] = mapped_column(Coded(SuggestionState))
    event_version: Mapped[int | None]
    tried_since: Mapped[datetime | None] = mapped_column(Instant)
    tries_before: Mapped[int] = mapped_column(default=0)
    sealed_to: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    to = Sealed("sealed_to")
    secret = Sealed("sealed_secret")
