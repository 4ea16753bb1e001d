"""The few words in a calendar object, in every language of outgoing messages. None can hold health data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.clinical.vocabulary import Language


@dataclass(frozen=True, slots=True)
class Words:
    """``calendar``, ``suggestion``, ``visit``, ``ended``: titles. ``reference``: what the id is called.
    ``asks``, ``tells``, ``takes_back``: what a mail says of a suggestion, a booked visit, one that is over.
    """

    calendar: str
    suggestion: str
    visit: str
    ended: str
    reference: str
    asks: str
    tells: str
    takes_back: str


WORDS: Mapping[Language, Words] = MappingProxyType(
    {
        Language.EN: Words(
            calendar="Clinic visits",
            suggestion="Clinic visit suggestion",
            visit="Clinic visit",
            ended="No visit needed",
            reference="Reference",
            asks="A visit is suggested for the days of this entry. Please give it a time, or decline.",
            tells="This visit is booked at the time of this entry.",
            takes_back="This visit is not needed any more. There is nothing to do.",
        ),
        Language.DE: Words(
            calendar="Termine der Klinik",
            suggestion="Terminvorschlag",
            visit="Termin in der Klinik",
            ended="Kein Termin nötig",
            reference="Kennung",
            asks="Für die Tage dieses Eintrags wird ein Termin vorgeschlagen. Bitte eine Uhrzeit geben oder "
            "ablehnen.",
            tells="Der Termin ist zur Zeit dieses Eintrags gebucht.",
            takes_back="Dieser Termin wird nicht mehr gebraucht. Es ist nichts zu tun.",
        ),
        Language.ES: Words(
            calendar="Citas de la clínica",
            suggestion="Propuesta de cita",
            visit="Cita en la clínica",
            ended="Cita no necesaria",
            reference="Referencia",
            asks="Se propone una cita para los días de esta entrada. Por favor, fije una hora o rechácela.",
            tells="Esta cita está reservada a la hora de esta entrada.",
            takes_back="Esta cita ya no es necesaria. No hay nada que hacer.",
        ),
        Language.FR: Words(
            calendar="Rendez-vous de la clinique",
            suggestion="Proposition de rendez-vous",
            visit="Rendez-vous à la clinique",
            ended="Rendez-vous sans objet",
            reference="Référence",
            asks="Un rendez-vous est proposé pour les jours de cette entrée. Merci de fixer une heure ou de "
            "décliner.",
            tells="Ce rendez-vous est fixé à l'heure de cette entrée.",
            takes_back="Ce rendez-vous n'est plus nécessaire. Il n'y a rien à faire.",
        ),
        Language.NB: Words(
            calendar="Timer på klinikken",
            suggestion="Forslag om time",
            visit="Time på klinikken",
            ended="Timen trengs ikke",
            reference="Referanse",
            asks="Det foreslås en time på dagene i denne oppføringen. Gi den et klokkeslett, eller avslå.",
            tells="Denne timen er satt opp til tiden i denne oppføringen.",
            takes_back="Denne timen trengs ikke lenger. Det er ingenting å gjøre.",
        ),
    }
)


def words(language: str) -> Words:
    """Return the words of ``language`` (ISO 639-1), English where there are none."""
    return WORDS[Language(language) if language in tuple(Language) else Language.EN]
