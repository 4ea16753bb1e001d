"""What a patient reads at once about danger and about who reads their diary: static words, no inference.

They are in `patient_texts/`, one file a language, and read once: they must be there when nothing else works.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from server.clinical.vocabulary import Language


@dataclass(frozen=True, slots=True)
class PatientText:
    """The words in one language.

    ``clinic_hours``, ``not_armed``, ``team_withdrawn``: who reads the diary, as it stands at the clinic.
    ``emergency``, ``crisis_lines``, ``call_clinic``: what to do, by the kind of the notice;
    ``contact_today`` comes behind it.
    """

    clinic_hours: str
    not_armed: str
    team_withdrawn: str
    no_emergency_service: str
    emergency: str
    crisis_lines: str
    call_clinic: str
    contact_today: str


def _read(language: Language) -> PatientText:
    file = files("server.clinical").joinpath("patient_texts", f"{language}.toml")
    return PatientText(**tomllib.loads(file.read_text("utf-8")))


TEXTS: Mapping[Language, PatientText] = MappingProxyType({language: _read(language) for language in Language})
