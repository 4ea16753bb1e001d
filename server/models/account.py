"""Who can sign in: patients, staff and integration clients."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Role
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import Sealed
from server.models.types import Coded, Instant

_CLOSED = "disabled_at IS NOT NULL"
_STAFF = "role NOT IN ('patient', 'caregiver')"


class Account(Base):
    """One way in. E-mail is unique inside a clinic only, so one clinic can't probe another's.

    `email_index` stands for the address in look-ups: an HMAC of it under a key that is not in the table.
    `plain_email` is the address where the previous version of the code still has to read it.
    `quiet_from` .. `quiet_until` ("22:00") are the staff's quiet hours, by the clinic's clock; None: none.
    `scopes` lists codes of `clinical.vocabulary.Scope`, of one of the clinic's systems. `factor_tries`
    and `factor_tries_since` were an earlier version's: nothing reads them; a later migration may drop them.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("clinic_id", "email"),
        UniqueConstraint("clinic_id", "email_index"),
        Index("ix_accounts_patient", "clinic_id", "patient_id", "id"),
        partial_index("ix_accounts_staff", "clinic_id", "role", "id", where=text(_STAFF)),
        partial_index("ix_accounts_closed", "disabled_at", where=text(_CLOSED)),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(Coded(Role))
    name: Mapped[str] = mapped_column(String(200))
    plain_email: Mapped[str | None] = mapped_column("email", String(254))
    sealed_email: Mapped[bytes | None] = mapped_column(LargeBinary)
    email = Sealed("sealed_email")
    email_index: Mapped[str | None] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    patient_id: Mapped[UUID | None]
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_until: Mapped[str | None] = mapped_column(String(5))
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    factor_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    factor_tries_since: Mapped[datetime | None] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)


# Staff and systems: with the values in the statement's text, as for `alert.UNRESOLVED`.
STAFF: ColumnElement[bool] = Account.role.not_in([literal_column("'patient'"), literal_column("'caregiver'")])
