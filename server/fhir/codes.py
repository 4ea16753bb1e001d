"""Systems, codes and the small shapes every resource is made of (docs/fhir.md has the table of codes).

A LOINC code stands here only where it was seen in a public LOINC artefact; everything else has a code
of our own, which nobody can mistake for a validated one.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from server.clinical import substance_use
from server.clinical.vocabulary import Sensitivity
from server.fhir.identifiers import Resource

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
URI = "urn:ietf:rfc:3986"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
VALUE_LABEL = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
ACT_LABEL = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
# R4's extension for the zone in which a time was told: https://hl7.org/fhir/R4/extension-tz-code.html
ZONE = "http://hl7.org/fhir/StructureDefinition/tz-code"

# Our own systems. A URN names without promising that something can be fetched there.
ITEM = "urn:afterglow:diary-item"
SIDE_EFFECT = "urn:afterglow:side-effect"
ONSET = "urn:afterglow:side-effect-onset"
SCALE = "urn:afterglow:scale"
SCALE_ITEM = "urn:afterglow:scale-item"
SUBSCORE = "urn:afterglow:scale-subscore"
SAFETY = "urn:afterglow:safety-answer"
ADHERENCE = "urn:afterglow:adherence"
CIRCUMSTANCE = "urn:afterglow:circumstance"
FAMILY = "urn:afterglow:alert-family"
RULE = "urn:afterglow:alert-rule"
OUTCOME = "urn:afterglow:alert-outcome"
ACCOUNT = "urn:afterglow:account"
CLINIC = "urn:afterglow:clinic"
QUESTIONNAIRE = "urn:afterglow:questionnaire"
NOTICE = "urn:afterglow:notice"

# Beside a moment: the phone whose clock gave it was off, so it may be another day.
CLOCK_SUSPECT = "urn:afterglow:clock-suspect"

# The diary's form: raised when a number of it comes to mean something else.
DIARY_FORM = f"{QUESTIONNAIRE}:diary|1"

# How severe pain is, 0-10, as said by the patient; whether now or on average says our own code. Worst and
# least have none: who knows LOINC alone would read a day's least pain as its pain, of the same moment.
_PAIN = ("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")
ITEM_LOINC: Mapping[str, tuple[str, str]] = MappingProxyType(
    dict.fromkeys(("pain_average", "pain_now"), _PAIN)
)
_SCORE, _HOURS = ("score", "{score}"), ("h", "h")
UNITS: Mapping[str, tuple[str, str]] = MappingProxyType({"points": _SCORE, "hours": _HOURS})

PATIENT_REPORTED = {"system": VALUE_LABEL, "code": "PATRPT", "display": "patient reported"}
CLINICIAN_REPORTED = {"system": VALUE_LABEL, "code": "CLINRPT", "display": "clinician reported"}
SENSITIVITY: Mapping[Sensitivity, Resource] = MappingProxyType(
    {
        Sensitivity.SUBSTANCE_USE: {
            "system": ACT_LABEL,
            "code": "ETH",
            "display": "substance abuse information sensitivity",
        }
    }
)
# The words of the notice travel with every resource that must not be passed on.
REDISCLOSURE: Resource = {"system": NOTICE, "code": "redisclosure", "display": substance_use.REDISCLOSURE}
ABOUT_SUBSTANCE_USE = (SENSITIVITY[Sensitivity.SUBSTANCE_USE], REDISCLOSURE)
# A blank that R4's pattern of a string does not know, such as the one before a French question mark, or
# between the two parts of a Japanese name.
_ODD_BLANK = re.compile("[^\\S \\r\\n\\t]|\\ufeff")
SURVEY = {"coding": [{"system": CATEGORY, "code": "survey", "display": "Survey"}]}


def coding(system: str, code: str, display: str | None = None) -> Resource:
    """Return one coding."""
    return {"system": system, "code": code} | ({} if display is None else {"display": display})


def concept(*codings: Resource, text: str | None = None) -> Resource:
    """Return a concept with all of ``codings``, the most exact first."""
    return {"coding": list(codings)} | ({} if text is None else {"text": text})


def quantity(value: float, unit: str = "points") -> Resource:
    """Return ``value`` in ``unit`` ("points" or "hours") as UCUM writes it."""
    name, code = UNITS[unit]
    return {"value": number(value), "unit": name, "system": UCUM, "code": code}


def number(value: float) -> float | int:
    """Return ``value`` as people would write it: 7, not 7.0."""
    return int(value) if float(value).is_integer() else value


def instant(at: datetime) -> str:
    """Return a moment in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def words(said: str) -> str:
    """Return a text with the usual blank in the place of any that R4 does not know."""
    return _ODD_BLANK.sub(" ", said)


def named(key: str) -> str:
    """Return a key of ours as words."""
    return key.replace("_", " ").capitalize()
