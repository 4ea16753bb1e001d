"""Every instrument the project ships, read and checked once when this module is imported."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType

from server.clinical.instruments.instrument import Instrument, InstrumentError, Respondent
from server.clinical.instruments.loader import parse

Edition = tuple[str, int, str]
DEFAULT_LOCALE = "en"


def editions(texts: Iterable[tuple[str, str]]) -> Mapping[Edition, Instrument]:
    """Return (file name, TOML text) pairs as instruments by key, version and locale.

    Raises `InstrumentError` for the first bad file, and where the translations of one version do
    not score alike: a locale may change words, never numbers.
    """
    found: dict[Edition, Instrument] = {}
    first: dict[tuple[str, int], Instrument] = {}
    for name, text in texts:
        made = parse(name.removesuffix(".toml"), text)
        found[made.key, made.version, made.locale] = made
        other = first.setdefault((made.key, made.version), made)
        if _numbers(made) != _numbers(other):
            raise InstrumentError(made.name, "scoring", f"differs from {other.name}")
    return MappingProxyType(found)


def _numbers(instrument: Instrument) -> tuple[object, ...]:
    items = tuple((i.id, i.low, i.high, i.scored) for i in instrument.items)
    bands = tuple((band.key, band.low, band.high) for band in instrument.bands)
    return items, bands, instrument.scoring, instrument.change, instrument.safety, instrument.direction


def _shipped() -> Iterable[tuple[str, str]]:
    folder = files("server.clinical.instruments") / "data"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        yield file.name, file.read_text(encoding="utf-8")


EDITIONS = editions(_shipped())


def instrument(key: str, version: int | None = None, locale: str = DEFAULT_LOCALE) -> Instrument:
    """Return an instrument; the newest version unless one is asked for.

    ``locale`` is BCP 47; a region that has no text of its own gets that of its language ("en-GB"
    gets "en"), never that of another language. Raises `LookupError` where there is none.
    """
    for wanted in dict.fromkeys((locale, locale.partition("-")[0])):
        versions = [v for k, v, of in EDITIONS if (k, of) == (key, wanted) and version in (None, v)]
        if versions:
            return EDITIONS[key, max(versions), wanted]
    raise LookupError(f"no instrument {key!r}, version {version or 'any'}, locale {locale!r}")


def edition_of(key: str, version: int, locale: str) -> Instrument:
    """Return the edition that was answered, for its numbers and its title, without a clinic's own words.

    Editions of one version score alike, so a locale that is not shipped gets another's. Raises
    `LookupError` where there is no such version.
    """
    found = EDITIONS.get((key, version, locale))
    return instrument(key, version) if found is None else found


INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType({key: instrument(key) for key, _, _ in EDITIONS})
# What a clinician rates is no report of the patient's.
RATED = frozenset(key for key, made in INSTRUMENTS.items() if made.respondent is Respondent.CLINICIAN)
