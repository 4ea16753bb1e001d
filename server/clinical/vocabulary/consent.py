"""What a patient may agree to, how they said so, and what a caregiver may do."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a consent is about. E-mail, SMS and push: messages to the patient themself by that way."""

    CARE_TEAM = "care_team"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    EXPORT = "export"
    RESEARCH = "research"
    CAREGIVER = "caregiver"
    SUBSTANCE_USE = "substance_use"


class ConsentState(StrEnum):
    """What the patient said last."""

    NOT_ASKED = "not_asked"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class ConsentWay(StrEnum):
    """How an answer came in: in the app, recorded by the clinic before a witness, or as STOP by SMS."""

    APP = "app"
    CLINIC = "clinic"
    SMS = "sms"


class CareScope(StrEnum):
    """What a patient lets a caregiver do. `read_journal`: everything but what was written in own words."""

    LOG = "log"
    READ_TREND = "read_trend"
    READ_JOURNAL = "read_journal"


class Relation(StrEnum):
    """Who a caregiver is to the patient."""

    PARTNER = "partner"
    PARENT = "parent"
    CHILD = "child"
    SIBLING = "sibling"
    FRIEND = "friend"
    PROFESSIONAL = "professional"
    OTHER = "other"
