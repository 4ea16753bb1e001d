"""Answers made to order."""

from hypothesis import strategies as st

from server.clinical.instruments.instrument import Instrument, Method


def all_at(made: Instrument, value: int) -> dict[str, int | None]:
    """Return ``value`` as the answer to every scored item."""
    return {item.id: value for item in made.scored_items}


def answers_for(made: Instrument, total: int) -> dict[str, int | None]:
    """Return answers of a sum (or of domains, or tiers) that come to ``total``."""
    scoring = made.scoring
    if scoring.method is Method.TIER:
        reached = {name for tier in scoring.tiers if tier.value == total for name in tier.items}
        return {item.id: int(item.id in reached) for item in made.scored_items}
    counted = {item.id for item in made.scored_items}
    if scoring.method is Method.DOMAIN_MAX:
        counted = {part.items[-1] for part in scoring.subscores}
    left, answers = total // scoring.factor, {}
    for item in made.scored_items:
        answers[item.id] = min(left, item.high) if item.id in counted else 0
        left -= answers[item.id] or 0
    return dict(answers)


def without(made: Instrument, value: int, *absent: str) -> dict[str, int | None]:
    """Return ``value`` for every scored item but the ``absent``."""
    return {name: answer for name, answer in all_at(made, value).items() if name not in absent}


def full_answers(made: Instrument) -> st.SearchStrategy[dict[str, int]]:
    """Draw an answer to every scored item."""
    return st.fixed_dictionaries({item.id: st.integers(item.low, item.high) for item in made.scored_items})
