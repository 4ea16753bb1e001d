"""In which language a patient is answered: that of their phone where we have it, else their clinic's."""

from flask import request

from server.clinical.vocabulary import Language
from server.services.watch import ground_rules
from server.services.work import Work

# By the first part of a language tag (RFC 5646). Whoever writes Nynorsk or says just Norwegian reads Bokmål.
_BY_TAG = {**{language.value: language for language in Language}, "no": Language.NB, "nn": Language.NB}


def language_of(work: Work) -> Language:
    """Return the language to answer the patient in who asks, whose clinic is that of ``work``."""
    return language_or(ground_rules.of(work).language)


def language_or(own: Language) -> Language:
    """Return the first language of `Accept-Language` that there are words in; ``own`` where there is none.

    Any language at all (`*`) is no wish: many a client says so by itself.
    """
    wished = (
        _BY_TAG.get(tag.split("-")[0].lower()) for tag, weight in request.accept_languages if weight > 0
    )
    return next((language for language in wished if language is not None), own)
