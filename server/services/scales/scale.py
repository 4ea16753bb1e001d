"""Which scales a clinic can ask, in which words; a clinic's own words for those shipped without any."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import select

from server.clinical import substance_use
from server.clinical.instruments import catalog
from server.clinical.instruments.instrument import Content, Instrument, InstrumentError
from server.clinical.instruments.slots import with_text
from server.models import ScaleText
from server.services.errors import Invalid, NotFound
from server.services.people import clinic as clinics
from server.services.work import Work

# Not everybody reads them who reads the others.
_FOR_FEW = (catalog.RATED, substance_use.SCALES)
_SHIPPED = {made.key for made in catalog.EDITIONS.values() if made.content is not Content.SLOT}


def page(work: Work, locale: str) -> Sequence[Instrument]:
    """Return the newest version of every scale offered at the actor's clinic, by key.

    Each comes in ``locale`` (BCP 47), else in its language, also of another region, else in English, else in
    what there is.
    A slot is offered only where the clinic has filled it.
    """
    by_key: dict[str, list[Instrument]] = {}
    for made in _offered(work):
        by_key.setdefault(made.key, []).append(made)
    return [_newest(by_key[key], locale) for key in sorted(by_key)]


def get(work: Work, key: str, locale: str) -> Instrument:
    """Return one offered scale as `page` would. Raises NotFound, also for a slot nobody filled."""
    found = [made for made in _offered(work) if made.key == key]
    if not found:
        raise NotFound("scale")
    return _newest(found, locale)


def not_offered(work: Work, keys: Set[str]) -> Set[str]:
    """Return those of ``keys`` that the actor's clinic can't ask: slots nobody filled, and no scales."""
    unshipped = keys - _SHIPPED
    if not unshipped:
        return unshipped
    query = select(ScaleText.instrument).where(
        ScaleText.clinic_id == work.clinic_id, ScaleText.instrument.in_(unshipped)
    )
    return unshipped - set(work.session.scalars(query))


def edition(work: Work, key: str, version: int, locale: str) -> Instrument:
    """Return exactly the edition that was answered. Raises Invalid where the clinic does not offer it."""
    name = (key, version, locale)
    # The shipped files first: they need no look into the database.
    shipped = catalog.EDITIONS.get(name)
    if shipped is not None and shipped.content is not Content.SLOT:
        return shipped
    for made in _filled(work):
        if (made.key, made.version, made.locale) == name:
            return made
    raise Invalid("/instrument", "Is not offered here in this version and locale.")


def check_readers(before: str, after: str) -> None:
    """Raise Invalid where not the same people may read two scales: one is rated, or about substance use.

    Under one id the one would be read among the versions of the other, or stay where nothing tells of it.
    """
    if any((before in few) is not (after in few) for few in _FOR_FEW):
        said = "Is not read by the same people as the one it would replace: take that back, and use a new id."
        raise Invalid("/instrument", said)


def fill(work: Work, key: str, texts: Mapping[str, Any]) -> Instrument:
    """Put a clinic's words into the newest version of slot ``key``; the same words again change nothing.

    Raises NotFound where there is no such slot, Invalid for words that do not fit it.
    """
    slots = [made for made in catalog.EDITIONS.values() if made.key == key and made.content is Content.SLOT]
    if not slots:
        raise NotFound("scale that takes a clinic's own words")
    slot = max(slots, key=lambda made: made.version)
    made = _worded(slot, texts)
    clinics.lock(work)  # of two admins one waits: each revision has one number
    before = [t for t in _texts(work) if t.instrument == key]
    same = [t for t in before if (t.instrument_version, t.locale) == (slot.version, made.locale)]
    if same and same[-1].texts == texts:
        return made
    text = ScaleText(
        clinic_id=work.clinic_id,
        instrument=key,
        instrument_version=slot.version,
        locale=made.locale,
        revision=len(same) + 1,
        texts=dict(texts),
        created_at=work.now,
        account_id=work.actor.account_id,
    )
    work.session.add(text)
    work.audit("scale.fill", object_id=made.name)
    return made


def _worded(slot: Instrument, texts: Mapping[str, Any]) -> Instrument:
    try:
        return with_text(slot, texts)
    except InstrumentError as error:
        pointer = "/" + error.field.replace(".", "/")
        raise Invalid(pointer, f"{error.problem[:1].upper()}{error.problem[1:]}.") from None


def _offered(work: Work) -> Iterable[Instrument]:
    yield from (made for made in catalog.EDITIONS.values() if made.content is not Content.SLOT)
    yield from _filled(work)


def _filled(work: Work) -> Iterable[Instrument]:
    newest = {(t.instrument, t.instrument_version, t.locale): t for t in _texts(work)}
    for text in newest.values():
        yield with_text(catalog.instrument(text.instrument, text.instrument_version), text.texts)


def _texts(work: Work) -> Sequence[ScaleText]:
    """Return every revision of the clinic's words, the newest of each last."""
    query = select(ScaleText).where(ScaleText.clinic_id == work.clinic_id)
    order = (ScaleText.instrument, ScaleText.instrument_version, ScaleText.locale, ScaleText.revision)
    return list(work.session.scalars(query.order_by(*order)))


def _newest(found: Sequence[Instrument], locale: str) -> Instrument:
    """Return the newest version in the best locale; words a person can read matter more than newness."""
    wanted, language = _plain(locale), _language(locale)
    spoken: Sequence[Instrument] = (
        [made for made in found if _plain(made.locale) == wanted]
        or [made for made in found if _plain(made.locale) == language]
        or [made for made in found if _language(made.locale) == language]
        or [made for made in found if made.locale == catalog.DEFAULT_LOCALE]
        or found
    )
    return max(spoken, key=lambda made: (made.version, made.locale))


def _language(locale: str) -> str:
    return _plain(locale).partition("-")[0]


def _plain(locale: str) -> str:
    """Return ``locale`` as its like is compared: some telephones say de_DE, and words were stored so."""
    return locale.lower().replace("_", "-")
