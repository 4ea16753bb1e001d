"""What the care team hears, how urgent it is, and what became of the message."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from server.clinical.vocabulary.treatment import Arm


class AlertClass(StrEnum):
    """Urgency, most urgent first (docs/clinical.md). Order is that of the names."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class AlertFamily(StrEnum):
    """What kind of worry an alert episode is about. One open episode per patient and family."""

    SAFETY = "safety"
    SIDE_EFFECT = "side_effect"
    MOOD_RELAPSE = "mood_relapse"
    PAIN_RELAPSE = "pain_relapse"
    ACTIVATION = "activation"
    SILENCE = "silence"


class AlertState(StrEnum):
    """Life of an alert episode. Escalation is a level beside it, not a state."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """Why a clinician closed an alert."""

    CONTACTED = "contacted"
    VISIT_ARRANGED = "visit_arranged"
    PLAN_CHANGED = "plan_changed"
    EMERGENCY_CARE = "emergency_care"
    NO_ACTION_NEEDED = "no_action_needed"
    FALSE_ALARM = "false_alarm"


class Usefulness(StrEnum):
    """What a clinician says of one rule that spoke in an alert, apart from the alert's outcome."""

    USEFUL = "useful"
    NOISE = "noise"


class Channel(StrEnum):
    """The ways a message goes out."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """Life of one message to one destination.

    sent: handed over, the answer was lost. accepted: the provider took it. delivered: the destination
    confirmed. unknown: a report was promised and never came. failed: the provider reported that it did
    not arrive. given_up: we stopped trying.
    """

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    FAILED = "failed"
    GIVEN_UP = "given_up"


# Not over yet; taken by somebody; ended without anybody having it.
WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENT)
TAKEN = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
LOST = (DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.GIVEN_UP)


class DeliverySubject(StrEnum):
    """What a delivery is about, and so whom it concerns.

    The care team, a patient, whoever runs this; visit: a move of a suggestion; webhook: a test of one;
    account: how its owner signs in; recovery: the way back in.
    export: leave to take a journal away.
    """

    ALERT = "alert"
    REMINDER = "reminder"
    SHIFT = "shift"
    ROTA = "rota"
    DIGEST = "digest"
    OPERATIONS = "operations"
    VISIT = "visit"
    REVIEW = "review"
    SUGGESTION = "suggestion"
    WEBHOOK = "webhook"
    ACCOUNT = "account"
    RECOVERY = "recovery"
    EXPORT = "export"


# What is told to systems that listen, not to a person: nobody is told another way when it is lost.
EVENT_SUBJECTS = (DeliverySubject.SUGGESTION, DeliverySubject.WEBHOOK)


class EventKind(StrEnum):
    """What a webhook listens to: the messages of its account, or what becomes of suggested visits."""

    ALERTS = "alerts"
    VISITS = "visits"


# Which family of alerts a relapse of an arm belongs to, and back.
RELAPSE_OF: Mapping[Arm, AlertFamily] = MappingProxyType(
    {Arm.MOOD: AlertFamily.MOOD_RELAPSE, Arm.PAIN: AlertFamily.PAIN_RELAPSE}
)
ARM_OF: Mapping[AlertFamily, Arm] = MappingProxyType({family: arm for arm, family in RELAPSE_OF.items()})
