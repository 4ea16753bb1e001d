"""What a questionnaire is, as values: items, scoring, bands, change rule, safety rules, licence.

The numbers come from the data files; each names its source and what is not certain about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import Direction, Sensitivity

TOTAL = "total"


class InstrumentError(ValueError):
    """A data file (or a clinic's own text for a slot) is wrong. Names the file and the field."""

    def __init__(self, file: str, field: str, problem: str) -> None:
        super().__init__(f"{file}: {field}: {problem}")
        self.file, self.field, self.problem = file, field, problem


class AnswersError(ValueError):
    """Answers or totals that the instrument cannot have. ``field`` is the item id, or "total"."""

    def __init__(self, instrument: str, field: str, problem: str) -> None:
        super().__init__(f"{instrument}: {field}: {problem}")
        self.instrument, self.field, self.problem = instrument, field, problem


class Content(StrEnum):
    """How much of an instrument is here: its text, its structure for a clinic's text, or its numbers."""

    TEXT = "text"
    SLOT = "slot"
    SCORE = "score"


class LicenceClass(StrEnum):
    """What the licence allows: ship the text, ship it apart from the code, or ship no text at all."""

    FREE = "A"
    SEPARATE = "B"
    NO_TEXT = "C"


class Respondent(StrEnum):
    """Who answers."""

    PATIENT = "patient"
    CLINICIAN = "clinician"


class Method(StrEnum):
    """How a total is made from item values."""

    SUM = "sum"
    MEAN = "mean"
    DOMAIN_MAX = "domain_max"  # the sum of the subscores, each the highest of its items
    TIER = "tier"  # the highest tier that any of its items reaches
    PROFILE = "profile"  # subscores only, no total
    ENTERED = "entered"  # the total is typed in; the items are not ours to hold


class Fold(StrEnum):
    """How a subscore is made from item values."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer a person can pick. A numeric item may label its two ends only."""

    value: int
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question: whole-number answers ``low..high``; no ``text`` where the licence forbids it."""

    id: str
    low: int
    high: int
    text: str | None = None
    options: tuple[Option, ...] = ()
    scored: bool = True
    loinc: str | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """When ``item`` is answered ``equals``, unanswered ``items`` were rightly skipped and count as 0."""

    item: str
    equals: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """A rank that is reached as soon as one of ``items`` is answered above zero."""

    value: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subscore:
    """A part score over ``items``; it needs every one of them."""

    id: str
    items: tuple[str, ...]
    fold: Fold


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the total is made. ``low..high`` bounds it; ``whole`` totals are counted, others measured.

    At most ``allowed_missing`` items may be missing, none of ``never_impute``; then the total is
    pro-rated from the others. Of each group in ``alternatives`` one answer is enough.
    """

    method: Method
    low: float
    high: float
    whole: bool
    factor: int = 1
    allowed_missing: int = 0
    never_impute: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    skips: tuple[Skip, ...] = ()
    tiers: tuple[Tier, ...] = ()
    subscores: tuple[Subscore, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """A named part of the range. Whole totals: both ends belong to it. Measured totals: bands share
    their edges, and an edge belongs to the upper band.
    """

    key: str
    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """When a difference of two totals means something; None where nothing is established.

    Points and percents are amounts of improvement. ``response_at`` and ``remission_at`` are totals:
    that good or better. ``relapse_at`` is a total too: that bad or worse is ill again, for somebody who
    was better than that.
    """

    meaningful_points: float | None = None
    meaningful_percent: float | None = None
    reliable_points: float | None = None
    response_points: float | None = None
    response_percent: float | None = None
    response_at: float | None = None
    remission_at: float | None = None
    relapse_at: float | None = None


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """Raise ``flag`` when ``item`` (or "total") is ``at_least`` so much; the first that holds wins.

    ``until_screened``: the urgency stands until a suicide risk screener is answered.
    ``contact_today``: the patient is also asked to contact the clinic today.
    ``while_missing``: holds only as long as that other item has no answer.
    """

    item: str
    at_least: float
    flag: RedFlag
    until_screened: bool = False
    contact_today: bool = False
    while_missing: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """What may be done with the instrument, and the notice that must stay with it."""

    kind: LicenceClass
    notice: str


@dataclass(frozen=True, slots=True)
class Loinc:
    """Codes seen in a public LOINC artefact; None where none could be verified."""

    panel: str | None
    total: str | None


@dataclass(frozen=True, slots=True)
class Instrument:
    """One questionnaire in one version and one locale (BCP 47)."""

    key: str
    version: int
    locale: str
    title: str
    content: Content
    licence: Licence
    source: str
    review: str
    respondent: Respondent
    sensitivity: Sensitivity
    recall: str
    direction: Direction
    instructions: str | None
    items: tuple[Item, ...]
    scoring: Scoring
    bands: tuple[Band, ...]
    change: ChangeRule
    safety: tuple[SafetyRule, ...]
    loinc: Loinc

    @property
    def name(self) -> str:
        """Return the name of its data file without the ending: key, version and locale."""
        return f"{self.key}.{self.version}.{self.locale}"

    @property
    def scored_items(self) -> tuple[Item, ...]:
        """Return the items that count towards scores."""
        return tuple(item for item in self.items if item.scored)

    @property
    def safety_from(self) -> Mapping[str, int]:
        """Return the items an answer to which cannot wait, each with the lowest such answer."""
        urgent: dict[str, int] = {}
        for rule in self.safety:
            if rule.item != TOTAL:
                urgent[rule.item] = min(ceil(rule.at_least), urgent.get(rule.item, ceil(rule.at_least)))
        return urgent

    @property
    def askable(self) -> bool:
        """Return whether its questions can be shown to a person."""
        return self.content is Content.TEXT
