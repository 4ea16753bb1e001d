"""A sign-in (one device) and its chain of refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class SignIn(Base):
    """One signed-in device: its id is the `sid` claim. Revoking it ends every token of its chain.

    `authenticated_at` is when its owner last proved who they are. While it `awaits_factor`, it opens
    nothing but the way to a second factor. `device` is what its owner calls it.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        Index(None, "clinic_id", "account_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    authenticated_at: Mapped[datetime | None] = mapped_column(Instant)
    awaits_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    sealed_device: Mapped[bytes | None] = mapped_column(LargeBinary)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    device = Sealed("sealed_device")


class RefreshToken(Base):
    """One opaque refresh token, kept as a SHA-256 only. `used_at` set and shown again means theft.

    But for a moment: whoever lost the answer may ask again. `successor` is the token it was traded for,
    sealed under a key made of the token itself, so that nobody but its holder can open it.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "sign_in_id"], ["sign_ins.clinic_id", "sign_ins.id"]),
        Index(None, "clinic_id", "sign_in_id"),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinic_id: Mapped[UUID]
    sign_in_id: Mapped[UUID]
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    successor: Mapped[bytes | None] = mapped_column(LargeBinary)
