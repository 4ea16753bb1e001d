"""What must hold between the fields of one instrument. A file that breaks it is refused whole."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from server.clinical.instruments.instrument import (
    TOTAL,
    Band,
    Content,
    Fold,
    Instrument,
    InstrumentError,
    Item,
    LicenceClass,
    Method,
    SafetyRule,
)
from server.clinical.vocabulary import AlertClass, Direction

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ITEM_ID = re.compile(r"[a-z][a-z0-9_]*")
_LOINC = re.compile(r"\d{1,7}-\d")
_PRORATED = (Method.SUM, Method.MEAN)

Problems = Iterator[tuple[str, str]]


def check(instrument: Instrument) -> None:
    """Raise `InstrumentError` for the first field that contradicts another or the licence."""
    for problems in (
        _identity,
        _content,
        _items,
        _references,
        _skips,
        _method,
        _domains,
        _range,
        _bands,
        _change,
        _safety,
    ):
        for field, problem in problems(instrument):
            raise InstrumentError(instrument.name, field, problem)


def _identity(instrument: Instrument) -> Problems:
    if not _KEY.fullmatch(instrument.key):
        yield "key", "must be lower-case letters and digits joined by hyphens"
    if instrument.version < 1:
        yield "version", "must be 1 or more"
    if instrument.direction is Direction.NEUTRAL:
        yield "direction", "a scale has a good and a bad end"
    codes = {"loinc.panel": instrument.loinc.panel, "loinc.total": instrument.loinc.total}
    codes.update({f"items.{item.id}.loinc": item.loinc for item in instrument.items})
    yield from (
        (f, "is not a LOINC code") for f, code in codes.items() if code and not _LOINC.fullmatch(code)
    )


def _content(instrument: Instrument) -> Problems:
    """Text is shipped where the licence allows it, and then all of it."""
    if (instrument.content is Content.SCORE) != (instrument.licence.kind is LicenceClass.NO_TEXT):
        yield "content", f"{instrument.content} does not go with licence class {instrument.licence.kind}"
    if instrument.content is not Content.TEXT:
        worded = [item.id for item in instrument.items if item.text or item.options]
        yield from ((f"items.{name}.text", "the licence does not let us ship this") for name in worded)
        if instrument.instructions:
            yield "instructions", "the licence does not let us ship this"
        return
    if not instrument.instructions:
        yield "instructions", "is missing"
    for item in instrument.items:
        if not item.text or not item.options:
            yield f"items.{item.id}.text", "text and options are both needed"


def _items(instrument: Instrument) -> Problems:
    ids = [item.id for item in instrument.items]
    yield from ((f"items.{name}.id", "is there twice") for name in _repeats(ids))
    for item in instrument.items:
        if not _ITEM_ID.fullmatch(item.id) or item.id == TOTAL:
            yield f"items.{item.id}.id", "must be a lower-case word and not 'total'"
        if not 0 <= item.low < item.high:
            yield f"items.{item.id}.low", f"{item.low}..{item.high} is not a range from 0 up"
        yield from _item_options(item)
    if not instrument.scored_items and instrument.scoring.method is not Method.ENTERED:
        yield "items", "there is none to score"


def _item_options(item: Item) -> Problems:
    values = [option.value for option in item.options]
    if not values:
        return
    if values != sorted(set(values)):
        yield f"items.{item.id}.options", "must rise, each value once"
    # Either every value has its words, or the two ends have them.
    if values not in (list(range(item.low, item.high + 1)), [item.low, item.high]):
        yield f"items.{item.id}.options", f"must name every value of {item.low}..{item.high}, or its two ends"


def _references(instrument: Instrument) -> Problems:
    scoring, known = instrument.scoring, {item.id for item in instrument.scored_items}
    uses = [("scoring.never_impute", scoring.never_impute)]
    uses += [("scoring.alternatives", group) for group in scoring.alternatives]
    uses += [("skips", (skip.item, *skip.items)) for skip in scoring.skips]
    uses += [(f"tiers.{tier.value}", tier.items) for tier in scoring.tiers]
    uses += [(f"subscores.{part.id}", part.items) for part in scoring.subscores]
    uses += [("safety", (rule.item,)) for rule in instrument.safety if rule.item != TOTAL]
    uses += [("safety", (rule.while_missing,)) for rule in instrument.safety if rule.while_missing]
    for field, names in uses:
        yield from ((field, f"there is no scored item {name}") for name in names if name not in known)
        yield from ((field, f"{name} is there twice") for name in _repeats(names))
        if field not in ("scoring.never_impute", "safety") and not names:
            yield field, "names no items"
    ids = [part.id for part in scoring.subscores]
    yield from ((f"subscores.{name}", "is there twice") for name in _repeats(ids))


def _method(instrument: Instrument) -> Problems:
    """Only the parts that the method uses may be there."""
    scoring = instrument.scoring
    if scoring.factor < 1 or (scoring.factor > 1 and scoring.method is not Method.SUM):
        yield "scoring.factor", "a factor of 2 or more multiplies a sum only"
    most = len(instrument.scored_items) - 1 if scoring.method in _PRORATED else 0
    if not 0 <= scoring.allowed_missing <= max(most, 0):
        yield "scoring.allowed_missing", "only sums and means can be pro-rated, from one item at the least"
    if bool(scoring.tiers) != (scoring.method is Method.TIER):
        yield "tiers", "go with the method tier, and only with it"
    if scoring.method is Method.PROFILE and not scoring.subscores:
        yield "subscores", "a profile needs some"
    if scoring.method is Method.DOMAIN_MAX and any(part.fold is not Fold.MAX for part in scoring.subscores):
        yield "subscores", "every domain takes its highest item"
    if scoring.method is Method.ENTERED and instrument.items:
        yield "items", "an entered total has none"


def _skips(instrument: Instrument) -> Problems:
    ranges = {item.id: range(item.low, item.high + 1) for item in instrument.items}
    for skip in instrument.scoring.skips:
        if skip.equals not in ranges[skip.item]:
            yield "skips", f"{skip.item} is never {skip.equals}"
        yield from (("skips", f"{name} cannot count as 0") for name in skip.items if 0 not in ranges[name])


def _domains(instrument: Instrument) -> Problems:
    """Every scored item belongs to one domain, and answers stand in for each other within it only."""
    scoring = instrument.scoring
    if scoring.method is not Method.DOMAIN_MAX:
        if scoring.alternatives:
            yield "scoring.alternatives", "go with the method domain_max only"
        return
    placed = [name for part in scoring.subscores for name in part.items]
    if sorted(placed) != sorted(item.id for item in instrument.scored_items):
        yield "subscores", "must hold every scored item once"
    for group in scoring.alternatives:
        if not any(set(group) <= set(part.items) for part in scoring.subscores):
            yield "scoring.alternatives", f"{', '.join(group)} are not of one domain"


def _range(instrument: Instrument) -> Problems:
    """The stated range of the total is the one that its items make."""
    scoring = instrument.scoring
    low, high = _reachable(instrument)
    if (scoring.low, scoring.high) != (low, high):
        yield "scoring.high", f"items make {low:g}..{high:g}, the file says {scoring.low:g}..{scoring.high:g}"
    if scoring.low >= scoring.high:
        yield "scoring.low", "must be less than scoring.high"
    measured = scoring.method in (Method.MEAN, Method.PROFILE)
    if scoring.method is not Method.ENTERED and scoring.whole is measured:
        yield "scoring.whole", "sums and tiers are counted; means and profiles are measured"


def _reachable(instrument: Instrument) -> tuple[float, float]:
    scoring, items = instrument.scoring, {item.id: item for item in instrument.scored_items}
    lows, highs = [i.low for i in items.values()], [i.high for i in items.values()]
    if scoring.method is Method.ENTERED:
        return scoring.low, scoring.high
    if scoring.method is Method.SUM:
        return sum(lows) * scoring.factor, sum(highs) * scoring.factor
    if scoring.method is Method.TIER:
        return 0, max(tier.value for tier in scoring.tiers)
    if scoring.method is Method.DOMAIN_MAX:
        parts = [[items[name] for name in part.items] for part in scoring.subscores]
        return sum(max(i.low for i in part) for part in parts), sum(
            max(i.high for i in part) for part in parts
        )
    # A mean of items of different ranges would weigh them by their length.
    return max(lows), min(highs)


def _bands(instrument: Instrument) -> Problems:
    bands, scoring = instrument.bands, instrument.scoring
    if not bands:
        return
    yield from ((f"bands.{name}", "is there twice") for name in _repeats([band.key for band in bands]))
    if scoring.method is Method.PROFILE:
        yield "bands", "a profile has no total to put into bands"
    if (bands[0].low, bands[-1].high) != (scoring.low, scoring.high):
        yield "bands", f"must cover {scoring.low:g}..{scoring.high:g}"
    for band in bands:
        if band.low > band.high or (band.low == band.high and not scoring.whole):
            yield f"bands.{band.key}", "ends before it begins"
    yield from _band_edges(bands, 1 if scoring.whole else 0)


def _band_edges(bands: Sequence[Band], step: int) -> Problems:
    for below, above in pairwise(bands):
        if above.low > below.high + step:
            yield f"bands.{above.key}", f"leaves a gap after {below.key}"
        if above.low < below.high + step:
            yield f"bands.{above.key}", f"overlaps {below.key}"


def _change(instrument: Instrument) -> Problems:
    rule, scoring = instrument.change, instrument.scoring
    for name in ("response_at", "remission_at", "relapse_at"):
        value = getattr(rule, name)
        if value is not None and not scoring.low <= value <= scoring.high:
            yield f"change.{name}", f"is outside {scoring.low:g}..{scoring.high:g}"
    for name in ("meaningful_points", "reliable_points", "response_points"):
        value = getattr(rule, name)
        if value is not None and not 0 < value <= scoring.high - scoring.low:
            yield f"change.{name}", "must be more than 0 and fit into the range"
    for name in ("meaningful_percent", "response_percent"):
        value = getattr(rule, name)
        if value is not None and not (0 < value <= 100 and scoring.low == 0):
            yield f"change.{name}", "must be 1..100 of a total that starts at 0"


def _safety(instrument: Instrument) -> Problems:
    ranges: dict[str, tuple[float, float]] = {item.id: (item.low, item.high) for item in instrument.items}
    ranges[TOTAL] = (instrument.scoring.low, instrument.scoring.high)
    for rule in instrument.safety:
        low, high = ranges[rule.item]
        if not low < rule.at_least <= high:
            yield f"safety.{rule.flag.code}", f"{rule.item} can never fall short of it, or never reach it"
        urgent = rule.flag.urgency <= AlertClass.P1
        if urgent and rule.item != TOTAL and rule.item not in _kept(instrument):
            yield f"safety.{rule.flag.code}", f"{rule.item} could be imputed: name it in never_impute"
    yield from _safety_order(instrument.safety)


def _kept(instrument: Instrument) -> set[str]:
    """Return the items whose answers are never made up."""
    if not instrument.scoring.allowed_missing:
        return {item.id for item in instrument.items}
    return set(instrument.scoring.never_impute)


def _safety_order(rules: Sequence[SafetyRule]) -> Problems:
    """The first rule that holds wins, so the gravest must come first."""
    yield from ((f"safety.{c}", "is there twice") for c in _repeats([rule.flag.code for rule in rules]))
    by_item = [[rule for rule in rules if rule.item == item] for item in {rule.item: None for rule in rules}]
    for earlier, later in chain.from_iterable(pairwise(same) for same in by_item):
        if _hides(earlier, later) or earlier.flag.urgency > later.flag.urgency:
            yield f"safety.{later.flag.code}", f"must come before {earlier.flag.code}"


def _hides(earlier: SafetyRule, later: SafetyRule) -> bool:
    """Return whether ``later`` could never be the first that holds."""
    if earlier.while_missing is not None:
        return earlier.at_least < later.at_least
    return earlier.at_least <= later.at_least


def _repeats(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if list(names).count(name) > 1})


# Each may rely on what the ones before it found in order.
_CHECKS = (
    _identity,
    _content,
    _items,
    _references,
    _skips,
    _method,
    _domains,
    _range,
    _bands,
    _change,
    _safety,
)
