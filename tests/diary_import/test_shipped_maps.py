"""The maps that come along, on invented files with the columns those apps are known to write."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.diary_import.map_file import MapError, read_map
from server.diary_import.mapping import Mapped, map_table
from server.diary_import.shipped import SHIPPED, shipped_map
from server.diary_import.table import TableError, read_table

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def mapped(name: str, data: bytes | None = None) -> Mapped:
    table = read_table(data or (EXAMPLES / f"{name}.csv").read_bytes())
    return map_table(table, read_map(shipped_map(name)), "Europe/Oslo", NOW)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_map_reads_its_example(name: str) -> None:
    assert len(mapped(name).rows) == {"daylio": 4, "bearable": 6, "emoods": 3}[name]


def test_words_for_a_mood_become_numbers_and_activities_become_tags() -> None:
    found = mapped("daylio")
    moods = {row.at.strftime("%d %H:%M"): row.content["items"]["mood"] for row in found.rows}
    assert moods == {"01 20:05": 0.0, "02 01:37": 2.5, "02 21:15": 5.0, "03 21:40": 7.5}
    last = found.rows[-1].content
    assert (last["tags"], last["note"]) == (["walk", "friends"], "Better\nSlept through.")


def test_a_mood_of_ones_own_is_refused_by_name_of_its_column_not_guessed() -> None:
    (refusal,) = mapped("daylio").refusals
    assert (refusal.line, refusal.reasons) == (
        6,
        ("column mood has a text that the map's words don't translate",),
    )


def test_a_long_list_of_activities_does_not_cost_the_mood() -> None:
    header = b"full_date,time,mood,activities,note_title,note\n"
    activities = " | ".join(["x" * 60, "twice", "twice", *(f"a{k}" for k in range(30))])
    (row,) = mapped("daylio", header + f"2025-09-01,20:00,rad,{activities},,".encode()).rows
    assert row.content["items"] == {"mood": 10.0}
    assert (len(row.content["tags"]), len(row.content["tags"][0])) == (20, 40)
    assert row.content["tags"].count("twice") == 1


def test_a_row_a_reading_is_taken_by_its_kind_and_other_kinds_are_counted() -> None:
    found = mapped("bearable")
    said = [(row.at.strftime("%d %H:%M"), row.content["items"]) for row in found.rows]
    assert said == [
        ("01 09:00", {"mood": pytest.approx(3.333333)}),
        ("01 20:00", {"anxiety": 7.5}),
        ("01 20:00", {}),
        ("02 20:00", {"sleep_hours": 6.75}),
        ("02 20:00", {"sleep_quality": 5.0}),
        ("02 21:30", {"mood": pytest.approx(6.666667)}),
    ]
    assert found.others == {"Symptom / Brain fog": 1, "Factors": 1}
    kinds = [row.kind for row in found.rows]
    assert kinds == ["Mood", "Symptom / Anxiety", "Symptom / Headache", "Sleep", "Sleep quality", "Mood"]


def test_a_symptom_of_the_vocabulary_is_a_side_effect_and_unbearable_is_no_emergency() -> None:
    said = [row.content["side_effects"] for row in mapped("bearable").rows]
    assert [one for one in said if one] == [{"headache": 3}]


def test_every_term_that_is_mapped_is_read_by_its_own_name_only() -> None:
    terms = read_map(shipped_map("bearable")).side_effects
    names = {name: term for term, grades in terms.items() for name in grades.where["detail"]}
    rows = [f"8th Dec 2021,pm,symptom,2,{name.upper()} (Moderate)" for name in names]
    found = mapped("bearable", "\n".join(["date,time of day,category,rating/amount,detail", *rows]).encode())
    said = [(row.content["side_effects"], row.content["items"]) for row in found.rows]
    assert said == [({term: 2}, {}) for term in names.values()]


def test_the_old_layout_without_a_plain_date_is_read_too() -> None:
    data = b"date,weekday,time of day,category,rating/amount,detail,notes\n8th December 2021,,pre,Mood,10,,\n"
    found = mapped("bearable", data)
    assert [(str(row.at), row.content["items"]) for row in found.rows] == [
        ("2021-12-08 07:00:00+01:00", {"mood": 10.0})
    ]
    assert found.unused == ("weekday",)


def test_a_file_on_a_wider_scale_is_refused_not_squeezed() -> None:
    (refusal,) = mapped("bearable").refusals
    assert refusal.reasons == ("column rating/amount is outside its scale 1 to 10",)


def test_a_peak_of_low_mood_is_turned_round_in_numbers_and_in_words() -> None:
    rows = mapped("emoods").rows
    assert [row.content["items"]["mood"] for row in rows] == [0.0, pytest.approx(3.333333), 10.0]
    words = b"Date,Depressed Mood,Anxiety,Notes\n09/03/2025,moderate,mild,Out.\n"
    (row,) = mapped("emoods", words).rows
    assert row.content["items"]["mood"] == pytest.approx(3.333333)
    assert row.content["note"] == "Out."


def test_what_was_not_marked_is_left_out_not_zero() -> None:
    found = mapped("emoods")
    assert [sorted(row.content["items"]) for row in found.rows] == [
        ["anxiety", "irritability", "mood", "sleep_hours"],
        ["anxiety", "irritability", "mood", "sleep_hours"],
        ["irritability", "mood"],
    ]
    assert [refusal.line for refusal in found.refusals] == [5]
    unused = ("ID", "ELEVATED", "PSYCHOTIC SYMPTOMS", "THERAPY", "MENSTRUAL CYCLE", "WEIGHT")
    assert found.unused == unused


def test_a_file_without_the_column_of_any_item_is_refused() -> None:
    with pytest.raises(TableError, match="has no column DEPRESSED"):
        mapped("emoods", b"Date,Anxiety\n2025-09-01,1\n")
    text = "date: {column: D}\nitems: {energy: {column: E, low: 0, high: 1}}\noptional: [E]"
    with pytest.raises(TableError, match="no column of any item"):
        map_table(read_table(b"D\n2025-09-01\n"), read_map(text), "UTC", NOW)


def test_the_first_name_that_is_there_wins_and_its_own_spelling_before_another() -> None:
    text = "date: {column: D}\nitems: {energy: {column: E, low: 0, high: 1}}\nalso: {E: [F, G]}"

    def energy(header: str) -> float:
        table = read_table(f"D,{header}\n2025-09-01,1,0\n".encode())
        (row,) = map_table(table, read_map(text), "UTC", NOW).rows
        return float(row.content["items"]["energy"])

    assert [energy(header) for header in ("E,F", "G,F", "e,E", "g,x")] == [10, 0, 0, 10]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("date: {column: D, also: ['%H']}", "date.format"),
        ("date: {column: D, ordinal: perhaps}", "date.ordinal"),
        ("time: {column: T, words: {noon: midday}}", "time.words.noon"),
        ("tags: {column: A, separator: ''}", "tags.separator"),
        ("note: {title: T}", "note.column"),
        ("also: {X: [Y]}", "also"),
        ("also: {D: []}", "also.D"),
        ("optional: [X]", "optional"),
        ("optional: [D]", "optional"),
        ("source: ''", "source"),
    ],
)
def test_a_wrong_word_or_separator_is_named(wrong: str, place: str) -> None:
    start = "" if wrong.startswith("date") else "date: {column: D}\n"
    text = f"{start}{wrong}\nitems: {{mood: {{column: M, low: 1, high: 5, direction: high_good}}}}"
    with pytest.raises(MapError) as error:
        read_map(text)
    assert any(problem.startswith(place) for problem in error.value.problems), error.value.problems


def test_a_word_outside_its_scale_is_refused() -> None:
    scale = "{column: M, low: 1, high: 5, direction: high_good, words: {best: 9}}"
    with pytest.raises(MapError, match="best must be between"):
        read_map(f"date: {{column: D}}\nitems: {{mood: {scale}}}")
