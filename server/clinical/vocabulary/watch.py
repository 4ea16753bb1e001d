"""What the watch says, how sure it is, and by which policy."""

from enum import StrEnum


class WatchState(StrEnum):
    """State of the watch for one patient and arm (docs/clinical.md, "States")."""

    NO_BASELINE = "no_baseline"
    BASELINE = "baseline"
    RESPONDING = "responding"
    HOLDING = "holding"
    FADING = "fading"
    RELAPSED = "relapsed"
    RE_TREATED = "re_treated"
    NO_RESPONSE = "no_response"
    INSUFFICIENT_DATA = "insufficient_data"


class Stage(StrEnum):
    """How sure the watch and the clinician are of a relapse in one arm (docs/clinical.md, "Stages")."""

    CALM = "calm"
    WATCH = "watch"
    PROBABLE = "probable"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class MovedBy(StrEnum):
    """Whose move of a stage it is."""

    WATCH = "watch"
    CLINICIAN = "clinician"


class Verdict(StrEnum):
    """What a clinician says of a relapse alert."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class PolicyState(StrEnum):
    """What a version of a clinic's policy is: not yet switched on, in force, or replaced by a newer one."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    REPLACED = "replaced"


class ReplayState(StrEnum):
    """Life of the replay of a draft policy."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
