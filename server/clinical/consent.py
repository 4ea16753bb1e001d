"""What a patient's last word on a purpose means now. Source: docs/privacy.md, "What holds when".

What care rests on holds until it is withdrawn; what goes beyond care holds once it was given, and rests
while a text that says something materially new waits for an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.clinical.vocabulary import Channel, ConsentState, Purpose

# Nobody is asked to agree to these by using the diary: without a yes they are a no.
OPT_IN = frozenset({Purpose.RESEARCH, Purpose.CAREGIVER, Purpose.SUBSTANCE_USE})
# By which consent a patient is written to. A webhook is a system's, never a patient's.
OF_CHANNEL: Mapping[Channel, Purpose] = MappingProxyType(
    {Channel.EMAIL: Purpose.EMAIL, Channel.SMS: Purpose.SMS, Channel.PUSH: Purpose.PUSH}
)

# How people write that they want no more messages; the first word of what they send (docs/operations.md).
STOP_WORDS = frozenset(
    {
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit"),
        *("stopp", "abmelden", "arret", "arrêt", "alto", "baja", "parar", "avslutt"),
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """The patient's last word, and the version of the text it was about (0: there was none)."""

    given: bool
    version: int


@dataclass(frozen=True, slots=True)
class Texts:
    """The newest version of a purpose's text, and the newest that was marked as material; 0: none."""

    newest: int = 0
    material: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds now. ``asks``: the patient should be shown the newest text and asked."""

    state: ConsentState
    holds: bool
    asks: bool


def is_stop(text: str) -> bool:
    """Return whether an SMS asks for no more messages."""
    first = next(iter(text.casefold().split()), "")
    return first.strip(".,;:!?\"'()") in STOP_WORDS


def standing(purpose: Purpose, said: Said | None, texts: Texts) -> Standing:
    """Return what ``said`` means for ``purpose`` with the texts there are now.

    A no stays a no, and is not asked about again. A yes to an older text is asked about again once a
    material one is there; until then it holds where care rests on it, and rests where it goes beyond.
    """
    if said is None:
        return Standing(ConsentState.NOT_ASKED, purpose not in OPT_IN, texts.newest > 0)
    if not said.given:
        return Standing(ConsentState.WITHDRAWN, False, False)
    is_outdated = said.version < texts.material
    return Standing(ConsentState.GIVEN, not (is_outdated and purpose in OPT_IN), is_outdated)
