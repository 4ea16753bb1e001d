"""Every text that leaves the house, word for word. None can hold health data: the only variable is a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Template:
    """``path`` is below the service's own address and may hold `{id}`, the id of what it is about."""

    subject: str
    text: str
    path: str


TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "patient_needs_review": Template(
            subject="A patient needs review",
            text=(
                "A patient of your clinic needs review. Please sign in and acknowledge:\n\n"
                "{link}\n\n"
                "Until somebody acknowledges, further people will be told.\n"
            ),
            path="/v1/alerts/{id}",
        ),
        "alert_unanswered": Template(
            subject="An alert at your clinic has not been answered",
            text=(
                "An alert at your clinic has not been acknowledged in time. Please see to it "
                "that a clinician or coordinator signs in and acknowledges it:\n\n"
                "{link}\n"
            ),
            path="/v1/alerts/{id}",
        ),
        "reminder": Template(
            subject="Your diary is open",
            text=(
                "Your diary is open:\n\n"
                "{link}\n\n"
                "Nobody reads it in real time. In danger, call the emergency number.\n"
                "You can pause these messages, or have fewer, in the app.\n"
            ),
            path="/v1/me/today",
        ),
    }
)


class UnknownTemplate(ValueError):
    """There is no text of this name in the closed list."""


def render(name: str, base_url: str, subject_id: UUID) -> tuple[str, str]:
    """Return subject and text of template ``name``; raise `UnknownTemplate`."""
    template = TEMPLATES.get(name)
    if template is None:
        raise UnknownTemplate("not in the closed list of texts")
    link = base_url + template.path.format(id=subject_id)
    return template.subject, template.text.format(link=link)
