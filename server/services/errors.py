"""What can go wrong in a service, as plain exceptions. `api/errors.py` maps each to its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import Language, Purpose


@dataclass(frozen=True, slots=True)
class Heeded:
    """Red flags in something that was refused, acted on all the same.

    ``country``, ``zone``: of the patient, whom the lines are for. ``language``: their clinic's.
    """

    flags: tuple[RedFlag, ...]
    country: str
    zone: str
    language: Language
    contact_today: bool


class ServiceError(Exception):
    """Base: ``code`` is stable and machine-readable, ``detail`` is for people and holds no health data.

    ``heeded``: what was acted on although the rest was refused. That is kept, and shown.
    """

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra: Mapping[str, Any] = extra
        self.heeded: Heeded | None = None


class NotFound(ServiceError):
    """No such thing for this actor: missing, or somebody else's. Both are told alike."""

    def __init__(self, what: str) -> None:
        super().__init__("not-found", f"There is no such {what}.")


class Invalid(ServiceError):
    """The request is well-formed but can't be taken; ``pointer`` names the member (JSON pointer)."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"pointer": pointer, "detail": detail}])


class AllInvalid(Invalid):
    """Several members can't be taken, each named by its pointer; whoever mends them asks once."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in found]
        ServiceError.__init__(
            self, "invalid", f"{len(errors)} thing(s) in the request can't be taken.", errors=errors
        )


def pointer_step(key: str) -> str:
    """Return the member ``key`` as a step of a JSON pointer (RFC 6901), with the slash before it."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


class Conflict(ServiceError):
    """It contradicts what is already there."""


class AddressTaken(Conflict):
    """Another account of the clinic has this e-mail address; whose it is nobody is told."""

    def __init__(self) -> None:
        super().__init__("email-taken", "This e-mail is in use at this clinic.")


class Gone(ServiceError):
    """What is asked from was here once and is not any more; ``code`` says how to go on."""


class OtherJournal(Gone):
    """The journal that a phone goes on from is somebody else's than whose sign-in it sends."""

    def __init__(self) -> None:
        detail = "This phone holds the journal of somebody else. Send nothing of it as this patient."
        super().__init__("other-journal", detail)


class VersionError(ServiceError):
    """It stands against what is stored; ``current`` is that, for the edge to show.

    ``about``: the patient it is about, once it is shown.
    """

    def __init__(self, code: str, detail: str, current: object) -> None:
        super().__init__(code, detail)
        self.current = current
        self.about: UUID | None = None


class Stale(VersionError):
    """The version named is not the current one."""

    def __init__(self, current: object) -> None:
        super().__init__("stale-version", "It has changed since the version you name.", current)


class Blocked(VersionError):
    """Guards speak against it: say why it should be done all the same."""

    def __init__(self, current: object) -> None:
        super().__init__("blocked", "Guards speak against it. Give a reason to override them.", current)


class SafetyFirst(VersionError):
    """A guard speaks against it that no reason overrides: somebody may be in danger."""

    def __init__(self, current: object) -> None:
        super().__init__("safety-first", "An urgent safety alert is open. Assess it and close it.", current)


class KeyReused(ServiceError):
    """The key that was to name one request was given to another one."""

    def __init__(self) -> None:
        detail = "This Idempotency-Key was given to another request. Send the very same, or a new key."
        super().__init__("key-reused", detail, errors=[{"header": "Idempotency-Key", "detail": detail}])


class VersionRequired(VersionError):
    """It exists already with other content: say which version you change."""

    def __init__(self, current: object) -> None:
        super().__init__("version-required", "Send If-Match with the version you want to change.", current)


class Withheld(ServiceError):
    """The patient's consent to ``purpose`` does not hold: nothing of it is shared, whoever asks."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(
            "consent-withdrawn", "The patient has not agreed to this, or not any more.", purpose=purpose.value
        )


class OutOfScope(ServiceError):
    """The patient lets this caregiver do other things, not this."""

    def __init__(self) -> None:
        super().__init__("out-of-scope", "You may not do this for the patient.")


NOT_THEIRS: tuple[type[ServiceError], ...] = (AddressTaken, NotFound, OutOfScope, Withheld)
"""What is answered to who asks for something that is not there, or not there for them: on record alike.

That an address is somebody else's, too: who asks for many might look for who is here.
"""


class NotSignedIn(ServiceError):
    """The credentials are not good. Never says which part."""

    CODE = "not-signed-in"

    def __init__(self, detail: str = "Sign in again.") -> None:
        super().__init__(self.CODE, detail)


class DoesNotFit(NotSignedIn):
    """What was to prove something is wrong; whoever is signed in stays so, a fresh token does not help."""

    CODE = "does-not-fit"

    def __init__(self, detail: str = "That does not fit.") -> None:
        super().__init__(detail)


class Busy(ServiceError):
    """Too much of the same at once; nothing was done. Asking again in a moment helps."""

    def __init__(self) -> None:
        super().__init__("busy", "Too many are signing in at this moment. Try again.")


class TooMany(ServiceError):
    """Tried too often. ``seconds``: after how long trying again makes sense."""

    def __init__(self, detail: str, seconds: int, code: str = "too-many-tries") -> None:
        super().__init__(code, detail)
        self.seconds = seconds


class StepUpRequired(ServiceError):
    """It needs an authentication of the last minutes; ``ways`` says with what."""

    def __init__(self) -> None:
        super().__init__("step-up-required", "Prove again that it is you: POST /v1/sign-ins/step-up.")


class FactorRequired(ServiceError):
    """The password is right; a second factor has to follow. ``asked`` says which, and under what ticket."""

    def __init__(self, **asked: Any) -> None:
        super().__init__("second-factor-required", "Prove your second factor.", **asked)
