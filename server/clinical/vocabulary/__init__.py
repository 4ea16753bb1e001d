"""The words of the field as enumerations and tables: the one place where a code is spelled.

Numeric diary items are 0-10 unless their ``Item`` says otherwise. ``symptom()`` turns any of them
into "higher is worse", which is what every detector works on.
"""

from server.clinical.vocabulary.alert import (
    ARM_OF,
    RELAPSE_OF,
    AlertClass,
    AlertFamily,
    AlertState,
    DeliveryState,
    DeliverySubject,
    Outcome,
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
from server.clinical.vocabulary.people import BipolarRisk, EnteredBy, Role, Source
from server.clinical.vocabulary.treatment import Arm, Condition, Phase, Route, SessionStatus
from server.clinical.vocabulary.visit import DeclineCode, SuggestionState
from server.clinical.vocabulary.watch import MovedBy, PolicyState, ReplayState, Stage, Verdict, WatchState

__all__ = [
    "ARM_OF",
    "ITEMS",
    "RELAPSE_OF",
    "Adherence",
    "AlertClass",
    "AlertFamily",
    "AlertState",
    "Arm",
    "BipolarRisk",
    "Circumstance",
    "Condition",
    "DeclineCode",
    "DeliveryState",
    "DeliverySubject",
    "Direction",
    "EnteredBy",
    "Item",
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
    "Verdict",
    "WatchState",
    "symptom",
]
