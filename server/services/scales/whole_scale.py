"""Whether a filled scale says what it is asked for: left too open for a total, it says nothing as a scale."""

from sqlalchemy import ColumnElement, or_

from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.instruments.told import has_total
from server.models import QuestionnaireResponse

# Of these every answer stands for itself.
_TOTAL_LESS = sorted(key for key, made in INSTRUMENTS.items() if not has_total(made))


def is_whole() -> ColumnElement[bool]:
    """Return what holds for responses with a total, and for those of scales that have none."""
    return or_(QuestionnaireResponse.total.is_not(None), QuestionnaireResponse.instrument.in_(_TOTAL_LESS))
