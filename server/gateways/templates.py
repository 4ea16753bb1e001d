"""Every text that leaves the house, word for word, in every language. None can hold health data.

The words are in `texts/`, one file a language; the only variables are a link and a number of patients.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from uuid import UUID

from server.clinical.vocabulary import Language

_CODE = "{code}"
LANGUAGES = tuple(Language)
FALLBACK = Language.EN

# Where each text leads, below the service's own address; `{id}` is the id of what it is about.
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "patient_needs_review": "/v1/alerts/{id}",
        "patients_need_review": "/v1/alerts",
        "emergency_needs_review": "/v1/alerts/{id}",
        "emergency_again": "/v1/alerts/{id}",
        "emergencies_need_review": "/v1/alerts",
        "alert_unanswered": "/v1/alerts/{id}",
        "alerts_unanswered": "/v1/alerts",
        "reminder": "/v1/me/today",
        "still_waiting": "/v1/alerts/{id}",
        "ladder_exhausted": "/v1/alerts/{id}",
        # Nobody can open it, but operations must know which one it was.
        "poison_delivery": "/v1/status#delivery-{id}",
        "coverage_gap": "/v1/rota/coverage",
        "weekly_digest": "/v1/digests/current",
        "rule_over_budget": "/v1/alert-budget",
        "alert_assigned": "/v1/alerts/{id}",
        "handed_over": "/v1/alerts",
        "acknowledgement_expired": "/v1/alerts/{id}",
        "endpoint_disabled": "/v1/clinic/webhooks",
        "sign_in_tried": "/v1/me/password",
        "visit_offered": "/v1/visits/{id}",
        "visit_booked": "/v1/visits/{id}",
        "visit_changed": "/v1/visits/{id}",
        "visit_unseen": "/v1/booking-suggestions/{id}",
        "visit_undecided": "/v1/booking-suggestions/{id}",
        "visit_declined": "/v1/booking-suggestions/{id}",
        "visit_unarranged": "/v1/booking-suggestions/{id}",
        "visit_ended": "/v1/booking-suggestions/{id}",
        "audit_broken": "/v1/audit-events",
        "export_ready": "/v1/me/exports",
        "sms_stopped": "/v1/rota/coverage",
        "probe": "/v1/status",
        "review_waits": "/v1/review-tasks",
        "sign_in_changed": "/v1/me/sign-ins",
        "sign_in_ended": "/v1/me/sign-ins",
        "account_asked": "/v1/sign-ins",
        "account_moving": "/v1/audit-events",
        "staff_joined": "/v1/clinic/accounts",
        "consent_recorded": "/v1/me/consents",
        "glass_broken": "/v1/clinic/break-glass",
        "glass_broken_alone": "/v1/status",
        # The app takes this link over; what comes behind `#` (`leading_on`) no server gets to see.
        "password_recovery": "/v1/recoveries",
        "invitation_code": "/v1/enrolments",
        "number_code": "/v1/me/contact-points",
    }
)


class UnknownTemplate(ValueError):
    """There is no text of this name in the closed list."""


@dataclass(frozen=True, slots=True)
class Template:
    """The words of one text in one language. ``text`` holds `{link}`, ``short`` never does."""

    subject: str
    text: str
    short: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text with its variables filled in: ready to send by any channel."""

    subject: str
    text: str
    short: str
    link: str

    def leading_on(self, secret: str) -> "Rendered":
        """Return the text with ``secret`` behind its link, where browsers keep it to themselves."""
        link = f"{self.link}#{secret}"
        return Rendered(self.subject, self.text.replace(self.link, link), self.short, link)

    def telling(self, code: str) -> "Rendered":
        """Return the text with ``code`` in its short form, the only one that is sent to a number."""
        return Rendered(self.subject, self.text, self.short.replace(_CODE, code), self.link)


def render(name: str, language: str, base_url: str, subject_id: UUID, count: int = 1) -> Rendered:
    """Fill in template ``name``; English where there is no ``language``. Raise `UnknownTemplate`.

    ``count``: how many patients a bundle is about.
    """
    if name not in PATHS:
        raise UnknownTemplate("not in the closed list of texts")
    template = texts(language if language in LANGUAGES else FALLBACK)[name]
    link = base_url + PATHS[name].format(id=subject_id)
    return Rendered(
        subject=template.subject.format(count=count),
        text=template.text.format(count=count, link=link),
        # What is secret comes in last (`telling`), and in one text only.
        short=template.short.format(count=count, code=_CODE),
        link=link,
    )


@cache
def texts(language: str) -> Mapping[str, Template]:
    """Return the words in ``language``, by template."""
    raw = files("server.gateways").joinpath("texts", f"{language}.toml").read_text("utf-8")
    return MappingProxyType({name: Template(**words) for name, words in tomllib.loads(raw).items()})
