"""The types of the events that a clinic's own systems listen to: a closed list."""

from server.clinical.vocabulary import SuggestionState

TEST = "webhook.test"
_VISIT = "visit_suggestion"


def event_type(state: SuggestionState) -> str:
    """Return the type of the event that tells of a suggestion's move to ``state``.

    What was just approved is new to whoever listens: `visit_suggestion.created`.
    """
    name = "created" if state is SuggestionState.SUGGESTED else state.value
    return f"{_VISIT}.{name}"


EVENT_TYPES = frozenset(
    {TEST, *(event_type(state) for state in SuggestionState if state is not SuggestionState.DRAFT)}
)
