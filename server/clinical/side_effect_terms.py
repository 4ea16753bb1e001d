"""The side-effect vocabulary: the one place where a term is spelled."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SideEffect:
    """One term of the side-effect vocabulary (docs/clinical.md).

    ``window_hours`` is how long after a session the effect is expected; ``None`` means it has no
    acute window (it belongs to repeated dosing or to any time).
    """

    key: str
    label: str
    window_hours: int | None


_SIDE_EFFECTS = (
    SideEffect("nausea", "Nausea", 24),
    SideEffect("vomiting", "Vomiting", 24),
    SideEffect("dizziness", "Dizziness or spinning", 24),
    SideEffect("fall", "A fall", None),
    SideEffect("headache", "Headache", 48),
    SideEffect("thunderclap_headache", "Sudden worst-ever headache", None),
    SideEffect("blurred_vision", "Blurred vision", 4),
    SideEffect("dissociation", "Feeling detached or unreal", 2),
    SideEffect("sedation", "Sleepiness", 4),
    SideEffect("unrousable", "Cannot be kept awake", None),
    SideEffect("hallucination", "Seeing or hearing things others do not", 2),
    SideEffect("confusion", "Confusion", 4),
    SideEffect("anxiety_panic", "Anxiety or panic", 24),
    SideEffect("agitation", "Agitation", 24),
    SideEffect("euphoria", "Unusually high spirits", 4),
    SideEffect("mania", "Racing, sleepless, driven", None),
    SideEffect("psychosis", "Fixed strange beliefs", None),
    SideEffect("memory", "Memory or concentration trouble", None),
    SideEffect("breathing_trouble", "Trouble breathing", None),
    SideEffect("raised_blood_pressure", "Raised blood pressure", 4),
    SideEffect("palpitations", "Pounding heart", 4),
    SideEffect("chest_pain", "Chest pain", None),
    SideEffect("fainting", "Fainting", None),
    SideEffect("seizure", "Seizure", None),
    SideEffect("stroke_signs", "Face, arm or speech trouble", None),
    SideEffect("painful_urination", "Painful urination", None),
    SideEffect("urinary_frequency", "Frequent urination", None),
    SideEffect("urinary_urgency", "Urgent urination", None),
    SideEffect("pelvic_pain", "Pelvic pain", None),
    SideEffect("incontinence", "Incontinence", None),
    SideEffect("blood_in_urine", "Visible blood in urine", None),
    SideEffect("altered_taste", "Altered taste", 2),
    SideEffect("numbness", "Numbness or tingling", 2),
    SideEffect("dry_mouth", "Dry mouth", 2),
    SideEffect("insomnia", "Insomnia or vivid dreams", 72),
    SideEffect("non_prescribed_use", "Ketamine outside the clinic", None),
    SideEffect("abdominal_pain", "Abdominal pain", None),
    SideEffect("jaundice", "Yellow skin or eyes", None),
)
SIDE_EFFECTS = MappingProxyType({term.key: term for term in _SIDE_EFFECTS})
SEVERITY_LOW, SEVERITY_HIGH = 0, 4
