"""From the text of a data file to an `Instrument`, or a complaint that names file and field."""

import tomllib
from collections.abc import Iterator, Mapping

from server.clinical.instruments.checks import check
from server.clinical.instruments.fields import Fields
from server.clinical.instruments.instrument import (
    Band,
    ChangeRule,
    Content,
    Fold,
    Instrument,
    InstrumentError,
    Item,
    Licence,
    LicenceClass,
    Loinc,
    Method,
    Option,
    Respondent,
    SafetyRule,
    Scoring,
    Skip,
    Subscore,
    Tier,
)
from server.clinical.redflags import Notice, RedFlag
from server.clinical.vocabulary import AlertClass, AlertFamily, Direction, Sensitivity

OptionSets = Mapping[str, tuple[Option, ...]]


def parse(file: str, text: str) -> Instrument:
    """Return the instrument described by the TOML ``text``; ``file`` is its name without ending.

    Raises `InstrumentError` naming the file and the field that is missing, unknown, of the wrong
    type, or at odds with another one.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InstrumentError(file, "syntax", str(problem)) from problem
    fields = Fields(file, values)
    instrument = _instrument(fields)
    fields.finish()
    if instrument.name != file:
        raise fields.error("key", f"key, version and locale make {instrument.name}, not the file's name")
    check(instrument)
    return instrument


def _instrument(fields: Fields) -> Instrument:
    sets = _option_sets(fields.table("options"))
    return Instrument(
        key=fields.text("key"),
        version=fields.whole("version"),
        locale=fields.text("locale"),
        title=fields.text("title"),
        content=fields.one_of("content", Content),
        licence=_licence(fields.table("licence")),
        source=fields.text("source"),
        review=fields.text("review"),
        respondent=fields.one_of("respondent", Respondent, Respondent.PATIENT),
        sensitivity=fields.one_of("sensitivity", Sensitivity, Sensitivity.ORDINARY),
        recall=fields.text("recall"),
        direction=fields.one_of("direction", Direction),
        instructions=fields.maybe_text("instructions"),
        items=(*_repeated(fields.table("repeat")), *(_item(f, sets) for f in fields.tables("items"))),
        scoring=_scoring(fields.table("scoring"), fields),
        bands=tuple(_band(f) for f in fields.tables("bands")),
        change=_change(fields.table("change")),
        safety=tuple(_safety(f) for f in fields.tables("safety")),
        loinc=_loinc(fields.table("loinc")),
    )


def _option_sets(fields: Fields) -> OptionSets:
    return {name: tuple(_options(fields.table(name))) for name in fields.names()}


def _options(fields: Fields) -> Iterator[Option]:
    for name in fields.names():
        if not name.isdecimal():
            raise fields.error(name, "must be the whole number that the option stands for")
        yield Option(int(name), fields.text(name))


def _licence(fields: Fields) -> Licence:
    licence = Licence(fields.one_of("class", LicenceClass), fields.text("notice"))
    fields.finish()
    return licence


def _loinc(fields: Fields) -> Loinc:
    loinc = Loinc(fields.maybe_text("panel"), fields.maybe_text("total"))
    fields.finish()
    return loinc


def _repeated(fields: Fields) -> tuple[Item, ...]:
    """Return ``count`` items q1, q2, … of one range: the structure of a scale without its words."""
    if not fields.names():
        return ()
    low, high = fields.whole("low"), fields.whole("high")
    items = tuple(Item(f"q{n}", low, high) for n in range(1, fields.whole("count") + 1))
    fields.finish()
    return items


def _item(fields: Fields, sets: OptionSets) -> Item:
    options = _chosen(fields, sets)
    values = [option.value for option in options]
    item = Item(
        id=fields.text("id"),
        low=fields.whole("low", min(values, default=None)),
        high=fields.whole("high", max(values, default=None)),
        text=fields.maybe_text("text"),
        options=options,
        scored=fields.flag("scored", True),
        loinc=fields.maybe_text("loinc"),
    )
    fields.finish()
    return item


def _chosen(fields: Fields, sets: OptionSets) -> tuple[Option, ...]:
    name = fields.maybe_text("options")
    if name is None:
        return ()
    if name not in sets:
        raise fields.error("options", f"there are no options named {name}")
    return sets[name]


def _scoring(fields: Fields, whole_file: Fields) -> Scoring:
    scoring = Scoring(
        method=fields.one_of("method", Method),
        low=fields.number("low"),
        high=fields.number("high"),
        whole=fields.flag("whole", True),
        factor=fields.whole("factor", 1),
        allowed_missing=fields.whole("allowed_missing", 0),
        never_impute=fields.texts("never_impute"),
        alternatives=fields.groups("alternatives"),
        skips=tuple(_skip(f) for f in whole_file.tables("skips")),
        tiers=tuple(_tier(f) for f in whole_file.tables("tiers")),
        subscores=tuple(_subscore(f) for f in whole_file.tables("subscores")),
    )
    fields.finish()
    return scoring


def _skip(fields: Fields) -> Skip:
    skip = Skip(fields.text("item"), fields.whole("equals"), fields.texts("items"))
    fields.finish()
    return skip


def _tier(fields: Fields) -> Tier:
    tier = Tier(fields.whole("value"), fields.texts("items"))
    fields.finish()
    return tier


def _subscore(fields: Fields) -> Subscore:
    subscore = Subscore(fields.text("id"), fields.texts("items"), fields.one_of("fold", Fold))
    fields.finish()
    return subscore


def _band(fields: Fields) -> Band:
    band = Band(fields.text("key"), fields.number("low"), fields.number("high"), fields.text("label"))
    fields.finish()
    return band


def _change(fields: Fields) -> ChangeRule:
    rule = ChangeRule(
        meaningful_points=fields.maybe_number("meaningful_points"),
        meaningful_percent=fields.maybe_number("meaningful_percent"),
        reliable_points=fields.maybe_number("reliable_points"),
        response_points=fields.maybe_number("response_points"),
        response_percent=fields.maybe_number("response_percent"),
        response_at=fields.maybe_number("response_at"),
        remission_at=fields.maybe_number("remission_at"),
        relapse_at=fields.maybe_number("relapse_at"),
    )
    fields.finish()
    return rule


def _safety(fields: Fields) -> SafetyRule:
    flag = RedFlag(
        code=fields.text("code"),
        urgency=fields.one_of("urgency", AlertClass),
        family=fields.one_of("family", AlertFamily, AlertFamily.SAFETY),
        notice=fields.one_of("notice", Notice),
    )
    rule = SafetyRule(
        item=fields.text("item"),
        at_least=fields.number("at_least"),
        flag=flag,
        until_screened=fields.flag("until_screened", False),
        contact_today=fields.flag("contact_today", False),
        while_missing=fields.maybe_text("while_missing"),
    )
    fields.finish()
    return rule
