"""Substance use: the watch sees it, no copy holds it without a yes, and with one a notice goes along."""

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from jobs import research_export
from jobs.import_export import prepare, write
from jobs.problem import Problem
from server.clinical.substance_use import REDISCLOSURE
from server.clinical.vocabulary import Purpose
from server.database import Database
from server.settings import Settings
from tests.cast import Cast, entry, found_clinic
from tests.conftest import Clock, empty
from tests.consents import agree, publish, withdraw
from tests.fhir_client import Fhir, resources
from tests.one_shot import runner
from tests.scales import filled
from tests.visits import Visits

WORDS = ("craving", "non_prescribed_use", "audit-c")


@pytest.fixture
def diary(cast: Cast, clock: Clock) -> Cast:
    """Ana's diary of one day, with everything about substance use in it and something else beside it."""
    said = entry(
        clock.now,
        items={"mood": 5, "craving": 8},
        side_effects={"nausea": 1, "non_prescribed_use": 2},
        side_effect_onset={"non_prescribed_use": (clock.now - timedelta(hours=2)).isoformat()},
        note="A note.",
    )
    assert cast.ana.put(f"/entries/{uuid7()}", said).status_code == 201
    drinks = filled(clock.now, "audit-c", answers={"q1": 4, "q2": 4, "q3": 4})
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", drinks).status_code == 201
    calm = filled(clock.now, "gad-7", each=1)
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", calm).status_code == 201
    return cast


def words_in(text: str) -> set[str]:
    return {word for word in WORDS if word in text}


def test_guards_and_red_flags_read_the_whole_diary(diary: Cast) -> None:
    withdraw(diary, Purpose.SUBSTANCE_USE)
    (alert,) = diary.bo.get("/alerts").json["items"]
    assert set(alert["codes"]) >= {"craving", "non_prescribed_use"}
    listed = diary.bo.get(f"/patients/{diary.ana.patient_id}/entries").text
    assert words_in(listed) == {"craving", "non_prescribed_use"}, "the care team treats it"


def test_an_export_holds_none_of_it_and_says_so(diary: Cast) -> None:
    export = diary.ana.get("/me/export").json
    assert words_in(json.dumps(export["entries"]) + json.dumps(export["questionnaire_responses"])) == set()
    assert (export["substance_use"], export["redisclosure_notice"]) == ("left_out", None)
    (content,) = [one["revisions"][0]["content"] for one in export["entries"]]
    assert (content["items"], content["side_effects"], content["note"]) == (
        {"mood": 5},
        {"nausea": 1},
        "A note.",
    )
    assert export["counts"]["questionnaire_responses"] == 1
    table = diary.ana.get("/me/export?format=csv").text
    header, rest = table.split("\r\n", 1)
    assert "craving" in header
    assert words_in(rest) == set()
    assert {row["craving"] for row in csv.DictReader(io.StringIO(table))} == {""}


def test_a_scale_about_it_does_not_become_another_one_among_whose_versions_it_would_be_read(
    cast: Cast, clock: Clock
) -> None:
    drinks, calm = filled(clock.now, "audit-c", answers={"q1": 4}), filled(clock.now, "gad-7", each=1)
    for first, then in ((drinks, calm), (calm, drinks)):
        path = f"/questionnaire-responses/{uuid7()}"
        assert cast.ana.put(path, first).status_code == 201
        assert cast.ana.put(path, then, version=1).status_code == 422
        assert cast.ana.put(path, {**first, "answers": {"q1": 1}}, version=1).status_code == 200
    assert "audit-c" not in json.dumps(cast.ana.get("/me/export").json["questionnaire_responses"])


def test_with_a_yes_an_export_holds_all_of_it_and_the_notice(diary: Cast) -> None:
    agree(diary, Purpose.SUBSTANCE_USE)
    export = diary.ana.get("/me/export").json
    assert words_in(json.dumps(export)) == set(WORDS)
    assert (export["substance_use"], export["redisclosure_notice"]) == ("included", REDISCLOSURE)
    first = next(csv.DictReader(io.StringIO(diary.ana.get("/me/export?format=csv").text.lstrip("\ufeff"))))
    assert (first["kind"], first["note"]) == ("notice", REDISCLOSURE)


@pytest.mark.long
@pytest.mark.parametrize("agreed", [False, True])
def test_an_export_comes_back_with_and_without_it(
    diary: Cast, agreed: bool, app: Flask, database: Database, clock: Clock
) -> None:
    if agreed:
        agree(diary, Purpose.SUBSTANCE_USE)
    export = diary.ana.get("/me/export").json
    empty(database)
    clock.forward(hours=1)
    cast = found_clinic(app)
    assert cast.ana.patient_id is not None
    plan = prepare(database, ("demo", cast.ana.patient_id), json.dumps(export).encode(), clock.now)
    assert write(database, plan).revisions == (3 if agreed else 2)
    if agreed:
        agree(cast, Purpose.SUBSTANCE_USE)
    again = cast.ana.get("/me/export").json
    assert again["entries"][0]["revisions"][0]["content"] == export["entries"][0]["revisions"][0]["content"]


def corrected(diary: Cast, clock: Clock) -> str:
    """Return Ana's own export in FHIR after she took the craving out of her entry."""
    (entry_id,) = (one["id"] for one in diary.ana.get("/me/export").json["entries"])
    later = entry(clock.now, items={"mood": 5}, note="A note.")
    assert diary.ana.put(f"/entries/{entry_id}", later, version=1).status_code == 200
    return str(diary.ana.get("/me/export?format=fhir").text)


def test_her_own_export_in_fhir_holds_none_of_it_in_no_version_without_a_yes(
    diary: Cast, clock: Clock
) -> None:
    text = corrected(diary, clock)
    assert words_in(text) == set()
    assert "redisclosure" not in text
    assert text.count('"A note."') == 3, "what stands, and both versions"


def test_her_own_export_in_fhir_has_the_notice_also_where_only_a_version_before_speaks_of_it(
    diary: Cast, clock: Clock
) -> None:
    agree(diary, Purpose.SUBSTANCE_USE)
    found = [json.loads(line) for line in corrected(diary, clock).splitlines()]
    assert words_in(json.dumps(found)) == set(WORDS)
    for one in found:
        labels = {label["code"] for label in one.get("meta", {}).get("security", ())}
        assert not words_in(json.dumps(one)) or {"ETH", "redisclosure"} <= labels, one["resourceType"]
    (history,) = (one for one in found if one["resourceType"] == "Bundle")
    assert "craving" in json.dumps(history)


@pytest.mark.long
@pytest.mark.parametrize("agreed", [False, True])
def test_her_own_export_in_fhir_comes_back_with_and_without_it(
    diary: Cast, agreed: bool, app: Flask, database: Database, clock: Clock
) -> None:
    if agreed:
        agree(diary, Purpose.SUBSTANCE_USE)
    text, export = corrected(diary, clock), diary.ana.get("/me/export").json
    empty(database)
    clock.forward(hours=1)
    cast = found_clinic(app)
    assert cast.ana.patient_id is not None
    plan = prepare(database, ("demo", cast.ana.patient_id), text.encode(), clock.now)
    assert write(database, plan).revisions == (4 if agreed else 3)
    if agreed:
        agree(cast, Purpose.SUBSTANCE_USE)
    again = cast.ana.get("/me/export").json
    for section in ("entries", "questionnaire_responses", "counts", "substance_use"):
        assert again[section] == export[section]


SEARCHES = ("Observation", "QuestionnaireResponse", "Provenance", "DetectedIssue")


@pytest.mark.parametrize("role", ["ana", "bo"])
def test_the_facade_shows_none_of_it_without_a_yes(diary: Cast, role: str) -> None:
    fhir, whose = Fhir(getattr(diary, role)), f"patient=Patient/{diary.ana.patient_id}"
    kinds = SEARCHES if role == "bo" else SEARCHES[:3]
    found = {kind: fhir.found(f"{kind}?{whose}") for kind in kinds}
    everything = fhir.get(f"Patient/{diary.ana.patient_id}/$everything").text
    assert words_in(json.dumps(found) + everything) == set()
    assert "redisclosure" not in everything
    assert len(found["QuestionnaireResponse"]) == 2, "the entry, bare, and the other scale"
    targets = {one["reference"] for row in found["Provenance"] for one in row["target"]}
    shown = {f"Observation/{one['id']}" for one in found["Observation"]}
    assert {one for one in targets if one.startswith("Observation/")} == shown


def test_with_a_yes_the_facade_shows_it_each_resource_with_its_label_and_notice(diary: Cast) -> None:
    agree(diary, Purpose.SUBSTANCE_USE)
    fhir, whose = Fhir(diary.bo), f"patient=Patient/{diary.ana.patient_id}"
    found = fhir.found(f"QuestionnaireResponse?{whose}")
    labels = {
        one["questionnaire"].rpartition(":")[2].partition("|")[0]: {
            (label["code"], label.get("display")) for label in one["meta"]["security"]
        }
        for one in found
    }
    for form in ("diary", "audit-c"):
        assert ("redisclosure", REDISCLOSURE) in labels[form]
        assert "ETH" in {code for code, _ in labels[form]}
    assert "redisclosure" not in {code for code, _ in labels["gad-7"]}
    everything = resources(fhir.read(f"Patient/{diary.ana.patient_id}/$everything"))
    assert "DetectedIssue" in {one["resourceType"] for one in everything if words_in(json.dumps(one))}
    for one in everything:
        said = {label["code"] for label in one["meta"].get("security", ())}
        assert not words_in(json.dumps(one)) or {"ETH", "redisclosure"} <= said, one["resourceType"]


def test_a_resource_about_it_is_not_found_by_its_id_once_the_yes_is_taken_back(diary: Cast) -> None:
    agree(diary, Purpose.SUBSTANCE_USE)
    fhir, whose = Fhir(diary.bo), f"patient=Patient/{diary.ana.patient_id}"
    all_of_it = [(kind, one) for kind in SEARCHES for one in fhir.found(f"{kind}?{whose}")]
    sensitive = [(kind, one["id"]) for kind, one in all_of_it if words_in(json.dumps(one))]
    withdraw(diary, Purpose.SUBSTANCE_USE)
    for kind, known in sensitive:
        answer = fhir.get(f"{kind}/{known}")
        assert answer.status_code == 404 or words_in(answer.text) == set(), (kind, known)


def lines(database: Database, clock: Clock) -> list[dict[str, Any]]:
    return [json.loads(line) for line in research_export.lines(database, "demo", clock.now)]


def test_research_takes_nobody_without_a_yes_and_nothing_that_tells_who_it_is(
    diary: Cast, visits: Visits, database: Database, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=9))
    head = {"format": "afterglow-research", "format_version": 2, "redisclosure_notice": REDISCLOSURE}
    assert lines(database, clock) == [head | {"made_in": 2026}], "from a day, dates could be counted back"
    agree(diary, Purpose.RESEARCH)
    _, *rows = lines(database, clock)
    assert [(row["kind"], row["day"]) for row in rows] == [("session", 0), ("entry", 9), ("scale", 9)]
    text = json.dumps(rows)
    assert words_in(text) == set()
    for told in ("A note", "Ana", "2026", str(diary.ana.patient_id)):
        assert told not in text
    assert len({row["person"] for row in rows}) == 1
    agree(diary, Purpose.SUBSTANCE_USE)
    assert words_in(json.dumps(lines(database, clock))) == set(WORDS)


@pytest.mark.parametrize("phone", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_research_has_nothing_that_a_clock_dated_which_was_off_by_years(
    diary: Cast, database: Database, clock: Clock, phone: datetime
) -> None:
    agree(diary, Purpose.RESEARCH)
    rows = lines(database, clock)
    said, scale = entry(phone), {"kind": "questionnaire_response", "questionnaire_response": filled(phone)}
    items = [{"id": str(uuid7()), "action": "put", **one} for one in ({"entry": said}, scale)]
    answer = diary.ana.post("/sync", {"sent_at": phone.isoformat(), "items": items})
    assert [one["verdict"] for one in answer.json["results"]] == ["created"] * 2, answer.text
    assert lines(database, clock) == rows


def test_who_withdraws_while_a_file_for_research_is_made_is_not_in_it(
    diary: Cast, database: Database, clock: Clock
) -> None:
    agree(diary, Purpose.RESEARCH)
    running = research_export.lines(database, "demo", clock.now)
    next(running)
    withdraw(diary, Purpose.RESEARCH)
    assert list(running) == []


def test_a_material_text_keeps_people_out_of_research_until_they_answer(
    diary: Cast, database: Database, clock: Clock
) -> None:
    agree(diary, Purpose.RESEARCH)
    publish(diary, Purpose.RESEARCH)
    assert len(lines(database, clock)) == 1


def test_the_command_writes_the_file_and_names_a_clinic_that_is_not_there(
    diary: Cast,
    settings: Settings,
    clock: Clock,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agree(diary, Purpose.RESEARCH)
    file = tmp_path / "research.ndjson"
    run = runner(settings, monkeypatch)
    done = run("research-export", str(file), "--clinic", "demo")
    assert done.exit_code == 0, done.output
    assert "2 rows written" in done.output
    assert [json.loads(line)["kind"] for line in file.read_text().splitlines()[1:]] == ["entry", "scale"]
    assert [one.name for one in tmp_path.glob("research*")] == ["research.ndjson"]
    assert run("research-export", str(tmp_path / "other"), "--clinic", "nobody").exit_code == 1
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(file)
    for kept in (pipe, link):
        refused = run("research-export", str(kept), "--clinic", "demo")
        assert (refused.exit_code, "is no plain file" in refused.output) == (1, True), refused.output
    assert (pipe.is_fifo(), link.is_symlink()) == (True, True)
    with pytest.raises(Problem):
        list(research_export.lines(database, "nobody", clock.now))
