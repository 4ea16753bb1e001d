"""The texts that a clinic asks its patients to agree to: published, never changed."""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, func, select

from server.clinical.consent import Texts
from server.clinical.vocabulary import Purpose
from server.models import ConsentText
from server.services.errors import Invalid, NotFound
from server.services.people import clinic as clinics
from server.services.work import Work

Words = Mapping[str, Mapping[str, str]]
_NEWEST = (
    select(ConsentText.purpose, func.max(ConsentText.version))
    .where(ConsentText.clinic_id == bindparam("clinic"))
    .group_by(ConsentText.purpose)
)
_MATERIAL = _NEWEST.where(ConsentText.material.is_(True))


def publish(work: Work, purpose: Purpose, texts: Words, material: bool) -> ConsentText:
    """Publish the next version of a purpose's text. ``texts``: language -> {title, text}.

    Raises Invalid where the clinic's own language is missing: it is what everybody else is shown.
    """
    clinic = clinics.lock(work)
    if clinic.language not in texts:
        raise Invalid("/texts", f"Must hold the clinic's own language ({clinic.language}).")
    row = ConsentText(
        clinic_id=work.clinic_id,
        purpose=purpose,
        version=of_purpose(work, purpose).newest + 1,
        texts={language: dict(words) for language, words in texts.items()},
        material=material,
        published_at=work.now,
        published_by=work.actor.account_id,
    )
    work.session.add(row)
    work.session.flush()
    work.audit("consent-text.publish", object_id=f"{purpose}:{row.version}")
    return row


def page(work: Work) -> Sequence[ConsentText]:
    """Return every version of every text of the clinic, by purpose, the newest first."""
    query = select(ConsentText).where(ConsentText.clinic_id == work.clinic_id)
    return list(work.session.scalars(query.order_by(ConsentText.purpose, ConsentText.version.desc())))


def get(work: Work, purpose: Purpose, version: int) -> ConsentText:
    """Return one version, or raise NotFound."""
    row = work.session.get(ConsentText, (work.clinic_id, purpose, version))
    if row is None:
        raise NotFound("text of this consent")
    return row


def known(work: Work) -> Mapping[Purpose, Texts]:
    """Return which versions there are, by purpose."""
    newest = {row[0]: row[1] for row in work.rows(_NEWEST)}
    material = {row[0]: row[1] for row in work.rows(_MATERIAL)}
    return {one: Texts(newest.get(one, 0), material.get(one, 0)) for one in Purpose}


def of_purpose(work: Work, purpose: Purpose) -> Texts:
    """Return which versions there are of one purpose."""
    return known(work)[purpose]


def shown(row: ConsentText, language: str, fallback: str) -> tuple[str, Mapping[str, str]]:
    """Return which language a version is shown in, and its words: ``language``, else the clinic's own."""
    chosen = language if language in row.texts else fallback if fallback in row.texts else min(row.texts)
    return chosen, row.texts[chosen]


def digest(words: Mapping[str, str]) -> str:
    """Return what names a text word for word: SHA-256 of its title and text, 64 hexadecimal digits."""
    return hashlib.sha256(f"{words['title']}\n\n{words['text']}".encode()).hexdigest()
