"""The words of the field as enumerations and tables: the one place where a code is spelled.

Numeric diary items are 0-10 unless their ``Item`` says otherwise. ``symptom()`` turns any of them
into "higher is worse", which is what every detector works on.
"""

from server.clinical.vocabulary.alert import (
    ARM_OF,
    LOST,
    RELAPSE_OF,
    TAKEN,
    WAITING,
    AlertClass,
    AlertFamily,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
    Outcome,
    Usefulness,
)
from server.clinical.vocabulary.diary import (
    ITEMS,
    Adherence,
    Circumstance,
    Direction,
    Item,
    SafetyAnswer,
    Sensitivity,
    symptom,
)
from server.clinical.vocabulary.people import BipolarRisk, EnteredBy, Language, Role, Source
from server.clinical.vocabulary.treatment import Arm, Condition, Phase, Route, SessionStatus
from server.clinical.vocabulary.visit import DeclineCode, SuggestionState
from server.clinical.vocabulary.watch import MovedBy, PolicyState, ReplayState, Stage, Verdict, WatchState

__all__ = [
    "ARM_OF",
    "ITEMS",
    "LOST",
    "RELAPSE_OF",
    "TAKEN",
    "WAITING",
    "Adherence",
    "AlertClass",
    "AlertFamily",
    "AlertState",
    "Arm",
    "BipolarRisk",
    "Channel",
    "Circumstance",
    "Condition",
    "DeclineCode",
    "DeliveryState",
    "DeliverySubject",
    "Direction",
    "EnteredBy",
    "Item",
    "Language",
    "MovedBy",
    "Outcome",
    "Phase",
    "PolicyState",
    "ReplayState",
    "Role",
    "Route",
    "SafetyAnswer",
    "Sensitivity",
    "SessionStatus",
    "Source",
    "Stage",
    "SuggestionState",
    "Usefulness",
    "Verdict",
    "WatchState",
    "symptom",
]
