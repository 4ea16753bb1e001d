"""Writes docs/scales.md from the data files: `python -m tests.clinical.instruments.scales_page`."""

from collections.abc import Iterator
from pathlib import Path

from server.clinical.instruments.catalog import EDITIONS
from server.clinical.instruments.instrument import ChangeRule, Instrument, SafetyRule
from server.clinical.vocabulary import Direction

PAGE = Path(__file__).parents[3] / "docs" / "scales.md"

HEAD = """# Scales

Made from the data files in `server/clinical/instruments/data` by
`python -m tests.clinical.instruments.scales_page`; a test keeps the two equal. Change the file, not this
page.

Rules for every scale: an answer outside its range, or to an item that does not exist, is refused. A total
is made only with at most the allowed number of items missing, and is then marked as pro-rated; an item that
asks about suicide is never made up. Safety rules look at every answer, also where no total can be made: of
a sum, what was answered may reach the mark already. A safety item without an answer is named and never read
as "no". A band describes a number; it is not a diagnosis. The care team reads its name; the patient reads
the total and which part of the range it lies in, and of scales that rank a risk or ask about substance use
the total only.

What is shipped: **text** (items and answers, licence class A), **slot** (structure only; a clinic adds the
text it is licensed to hold with `PUT /v1/clinic/scales/{key}`, class B), **score** (number of items, ranges
and rules only, class C).

A clinician stores what they rated, or what was filled on paper, with
`PUT /v1/patients/{patient_id}/questionnaire-responses/{response_id}`. What got into the wrong record so is
taken back with `DELETE` and `If-Match`: the patient's phone, the watch and the lists hold it no more, and an
alert that rests on it says so. Its versions stay on record; the patient and their export have them no more.

LOINC codes are stated where they were seen in a public LOINC artefact, and left out elsewhere. This
material contains content from LOINC (https://loinc.org). LOINC is copyright Regenstrief Institute, Inc. and
the LOINC Committee, and is available at no cost under the licence at https://loinc.org/license.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, *_table("Scale | Version | Licence | Shipped | Items | Total | Better | LOINC", _main())]
    parts += ["## Scoring, bands and change", "", *_table("Scale | Scoring | Bands | Change", _scoring())]
    parts += ["## Safety", "", *_table("Scale | Answer | Urgency | The patient sees | Code", _safety())]
    parts += ["## Sources, notices and what is not certain", "", *_notes()]
    return "\n".join(parts).rstrip() + "\n"


def _all() -> list[Instrument]:
    return [EDITIONS[edition] for edition in sorted(EDITIONS)]


def _table(head: str, rows: Iterator[tuple[str, ...]]) -> list[str]:
    columns = head.split(" | ")
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [f"| {head} |", "|" + "---|" * len(columns), *lines, ""]


def _main() -> Iterator[tuple[str, ...]]:
    for made in _all():
        scoring = made.scoring
        items = f"{len(made.scored_items)}" if made.items else "-"
        total = f"{scoring.low:g}-{scoring.high:g}" if made.scoring.method != "profile" else "none"
        codes = [f"{n} {c}" for n, c in (("panel", made.loinc.panel), ("total", made.loinc.total)) if c]
        if any(item.loinc for item in made.items):
            codes.append("items in the file")
        yield (
            *(f"`{made.key}` {made.title}", f"{made.version} {made.locale}", made.licence.kind),
            *(made.content, items, total),
            *("high" if made.direction is Direction.HIGH_GOOD else "low", ", ".join(codes) or "-"),
        )


def _scoring() -> Iterator[tuple[str, ...]]:
    for made in _all():
        bands = "; ".join(f"{b.low:g}-{b.high:g} {b.label}" for b in made.bands)
        yield f"`{made.key}`", _method(made), bands or "-", _change(made.change) or "-"


def _method(made: Instrument) -> str:
    scoring = made.scoring
    words = [f"{scoring.method} x {scoring.factor}" if scoring.factor > 1 else f"{scoring.method}"]
    if scoring.allowed_missing:
        words.append(f"pro-rated with up to {scoring.allowed_missing} missing")
    if scoring.never_impute:
        words.append(f"never without {', '.join(scoring.never_impute)}")
    if scoring.subscores:
        words.append("subscores " + ", ".join(f"{part.id} ({part.fold})" for part in scoring.subscores))
    words += [f"{s.item} = {s.equals} skips {', '.join(s.items)}" for s in scoring.skips]
    words += [f"one of {', '.join(group)} is enough" for group in scoring.alternatives]
    words += [f"tier {tier.value}: any of {', '.join(tier.items)}" for tier in scoring.tiers]
    return "; ".join(words)


def _change(rule: ChangeRule) -> str:
    parts = (
        ("meaningful", rule.meaningful_points, "points"),
        ("meaningful", rule.meaningful_percent, "percent"),
        ("reliable", rule.reliable_points, "points"),
        ("response", rule.response_points, "points"),
        ("response", rule.response_percent, "percent"),
        ("response at", rule.response_at, "or better"),
        ("remission at", rule.remission_at, "or better"),
        ("ill again at", rule.relapse_at, "or worse"),
    )
    return "; ".join(f"{name} {value:g} {unit}" for name, value, unit in parts if value is not None)


def _safety() -> Iterator[tuple[str, ...]]:
    for made in _all():
        for rule in made.safety:
            flag = rule.flag
            yield f"`{made.key}`", _when(rule), flag.urgency + _until(rule), _sees(rule), f"`{flag.code}`"


def _when(rule: SafetyRule) -> str:
    unless = f", while {rule.while_missing} is unanswered" if rule.while_missing else ""
    return f"{rule.item} at least {rule.at_least:g}{unless}"


def _until(rule: SafetyRule) -> str:
    return " until a screener is answered" if rule.until_screened else ""


def _sees(rule: SafetyRule) -> str:
    return rule.flag.notice + (", contact the clinic today" if rule.contact_today else "")


def _notes() -> Iterator[str]:
    for made in _all():
        yield f"**{made.title}** (`{made.key}`, {made.recall})"
        yield ""
        yield f"- Source: {made.source}"
        yield f"- Notice: {made.licence.notice}"
        yield f"- Not certain: {made.review}"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
