"""The number of each item and side effect in an Observation's id. Never changed, only added to."""

from collections.abc import Mapping
from types import MappingProxyType

ITEM_NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "mood": 1,
        "interest": 2,
        "anxiety": 3,
        "restlessness": 4,
        "irritability": 5,
        "agitation": 6,
        "worry": 7,
        "energy": 8,
        "sleep_hours": 9,
        "sleep_quality": 10,
        "function": 11,
        "pain_average": 12,
        "pain_worst": 13,
        "pain_least": 14,
        "pain_now": 15,
        "pain_interference": 16,
        "craving": 17,
    }
)
SIDE_EFFECT_NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "nausea": 101,
        "vomiting": 102,
        "dizziness": 103,
        "fall": 104,
        "headache": 105,
        "thunderclap_headache": 106,
        "blurred_vision": 107,
        "dissociation": 108,
        "sedation": 109,
        "unrousable": 110,
        "hallucination": 111,
        "confusion": 112,
        "anxiety_panic": 113,
        "agitation": 114,
        "euphoria": 115,
        "mania": 116,
        "psychosis": 117,
        "memory": 118,
        "breathing_trouble": 119,
        "raised_blood_pressure": 120,
        "palpitations": 121,
        "chest_pain": 122,
        "fainting": 123,
        "seizure": 124,
        "stroke_signs": 125,
        "painful_urination": 126,
        "urinary_frequency": 127,
        "urinary_urgency": 128,
        "pelvic_pain": 129,
        "incontinence": 130,
        "blood_in_urine": 131,
        "altered_taste": 132,
        "numbness": 133,
        "dry_mouth": 134,
        "insomnia": 135,
        "non_prescribed_use": 136,
        "abdominal_pain": 137,
        "jaundice": 138,
    }
)
# Of a filled scale: its scores, and from here on its items, in the scale's own order.
SCORES, FIRST_ITEM = 1, 101
