"""What proves, beside a password, who signs in: authenticators, passkeys, recovery codes, and tickets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import FactorKind
from server.models.base import Base
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant


class Factor(Base):
    """A second factor of an account; it counts once it is confirmed.

    `secret` holds an authenticator's secret, or of a passkey its credential id and public key.
    `last_step` is the last time step a code was taken of: none is taken twice. `sign_count` is what a
    passkey counted at its last use: one that counts back was copied.
    """

    __tablename__ = "factors"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        Index(None, "clinic_id", "account_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    kind: Mapped[FactorKind] = mapped_column(Coded(FactorKind))
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    sign_count: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)

    name = Sealed("sealed_name")
    secret = SealedJson("sealed_secret")


class RecoveryCode(Base):
    """One of the codes that stand in for a lost factor, kept as a SHA-256 only; it works once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Ticket(Base):
    """A step that waits for its second half, kept as a SHA-256 only: short-lived, and it works once.

    `challenge` is what a passkey has to sign, base64url. `sign_in_id` is the sign-in it belongs to; none
    where there is no sign-in yet.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        Index(None, "expires_at"),
    )

    ticket_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinic_id: Mapped[UUID]
    account_id: Mapped[UUID]
    sign_in_id: Mapped[UUID | None]
    challenge: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
