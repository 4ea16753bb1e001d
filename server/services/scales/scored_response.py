"""What a filled scale amounts to: its score as columns, the answers that cannot wait, what they raise."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from server.clinical.instruments.instrument import AnswersError, Content, Instrument
from server.clinical.instruments.scoring import SafetyTrigger, Score, score, score_total
from server.clinical.redflags import Notice, RedFlag
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.models import QuestionnaireResponse
from server.services.alerts.episode import Finding
from server.services.errors import Invalid


def scored(made: Instrument, content: Mapping[str, Any]) -> Score:
    """Score what came in for the edition ``made``. Raises Invalid naming the answer it cannot have."""
    if content.get("total") is not None and made.content is not Content.SCORE:
        raise Invalid("/total", "Is made here, from the answers.")
    try:
        if content.get("total") is not None:
            return score_total(made, content["total"])
        return score(made, content["answers"])
    except AnswersError as error:
        at_total = error.field == "total"
        pointer = "/total" if at_total else f"/answers/{error.field}"
        raise Invalid(pointer, f"{error.problem[:1].upper()}{error.problem[1:]}.") from None


def score_columns(made: Score) -> dict[str, Any]:
    """Return the columns of a score that stay readable."""
    return {
        "total": made.total,
        "subscores": dict(made.subscores),
        "band": made.band.key if made.band else None,
        "prorated": made.prorated,
        "missing": list(made.missing),
        "safety_missing": list(made.safety_missing),
    }


def safety_of(trigger: SafetyTrigger) -> dict[str, Any]:
    """Return an answer that cannot wait, as it is stored."""
    return {
        "item": trigger.item,
        "code": trigger.flag.code,
        "urgency": trigger.flag.urgency,
        "family": trigger.flag.family,
        "notice": trigger.flag.notice,
        "until_screened": trigger.until_screened,
        "contact_today": trigger.contact_today,
    }


def flags_of(response: QuestionnaireResponse) -> tuple[RedFlag, ...]:
    """Return the red flags of a response as they were found when it was scored."""
    return tuple(
        RedFlag(
            found["code"],
            AlertClass(found["urgency"]),
            AlertFamily(found["family"]),
            Notice(found["notice"]),
        )
        for found in response.safety
    )


def dangers_of(response: QuestionnaireResponse) -> Mapping[str, object]:
    """Return what a response says of each danger, by code: how urgent, which answer, of which day.

    Of a total, all answers.
    """
    said, whole = response.answers, (response.total, response.answers)
    return {
        found["code"]: (found["urgency"], said.get(found["item"], whole), response.local_day)
        for found in response.safety
    }


def findings_of(response: QuestionnaireResponse, flags: Sequence[RedFlag], day: date) -> Iterator[Finding]:
    """Yield one finding of ``day`` per family for the red flags of one response."""
    total = "" if response.total is None else f" (total {response.total:g})"
    for family in dict.fromkeys(flag.family for flag in flags):
        mine = [flag for flag in flags if flag.family is family]
        codes = tuple(flag.code for flag in mine)
        yield Finding(
            family=family,
            urgency=min(flag.urgency for flag in mine),
            day=day,
            codes=codes,
            summary=f"An answer to {response.instrument}{total} cannot wait: {', '.join(codes)}.",
            evidence={
                "questionnaire_responses": [str(response.id)],
                "instrument": f"{response.instrument}.{response.instrument_version}",
                "flags": [dict(found) for found in response.safety if found["family"] == family],
                "safety_missing": list(response.safety_missing),
            },
        )
