"""What is treated, how, and where a course stands."""

from enum import StrEnum


class Arm(StrEnum):
    """The two things the watch follows apart from each other."""

    MOOD = "mood"
    PAIN = "pain"


class Route(StrEnum):
    """How a treatment is given."""

    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    SUBCUTANEOUS = "subcutaneous"
    INTRANASAL = "intranasal"
    ORAL_SUBLINGUAL = "oral_sublingual"


class Condition(StrEnum):
    """Target condition of a course; the cohorts are in docs/simulator.md."""

    DEPRESSION = "depression"
    BIPOLAR_DEPRESSION = "bipolar_depression"
    PTSD = "ptsd"
    OCD = "ocd"
    SUICIDALITY = "suicidality"
    CRPS = "crps"
    NEUROPATHIC_PAIN = "neuropathic_pain"
    FIBROMYALGIA = "fibromyalgia"
    CHRONIC_PAIN = "chronic_pain"

    @property
    def programme(self) -> Arm:
        """The arm whose symptoms a course for this condition is meant to hold down."""
        pains = (self.CRPS, self.NEUROPATHIC_PAIN, self.FIBROMYALGIA, self.CHRONIC_PAIN)
        return Arm.PAIN if self in pains else Arm.MOOD


class Phase(StrEnum):
    """Where in the plan a course stands."""

    INDUCTION = "induction"
    TAPER = "taper"
    MAINTENANCE = "maintenance"


class SessionStatus(StrEnum):
    """Life of one treatment session."""

    PLANNED = "planned"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
