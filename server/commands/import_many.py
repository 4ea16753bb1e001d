"""`afterglow import-many`: bring in the pasts of many patients, several at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import click

from jobs.crew import Desk, crew
from jobs.import_diary import checked_map
from jobs.import_many import Done, Line, Task, import_all, read_list
from jobs.problem import Problem
from server.commands.files import read_bytes, read_text
from server.commands.map_option import map_text
from server.commands.progress import progress
from server.commands.same_person import same_person_option
from server.commands.start import Around, started
from server.diary_import.export_file import LARGEST_EXPORT
from server.diary_import.table import LARGEST_BYTES

LONGEST_LIST = 20_000_000


class Listed(NamedTuple):
    """The lines of a list, the folder their files are looked for in, and the text of each map by its name.

    ``same_person``: no file of it needs to look like its patient's.
    """

    lines: Sequence[Line]
    folder: Path
    texts: Mapping[str, str]
    same_person: bool


@click.command("import-many")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--clinic", "slug", required=True, help="short name of the clinic")
@same_person_option
def command(file: Path, slug: str, same_person: bool) -> None:
    """Import what FILE lists (CSV: patient,file,map), a past a line; without a map it is an export."""
    with started() as around:
        done = _write(around, slug, _listed(file, same_person))
        _tell(done)


def _listed(file: Path, same_person: bool) -> Listed:
    lines = read_list(read_text(file, LONGEST_LIST))
    names = sorted({line.map_name for line in lines} - {""})
    texts = {name: map_text(name) for name in names}
    for text in texts.values():
        checked_map(text)
    return Listed(lines, file.parent, texts, same_person)


def _write(around: Around, slug: str, listed: Listed) -> list[Done]:
    done = []
    desk = Desk(around.database, around.passwords)
    with progress("patients", len(listed.lines)) as told, crew(desk, around.settings) as writing:
        for one in import_all(writing, _tasks(listed, slug, around.now)):
            done.append(one)
            told(1)
    return done


def _tasks(listed: Listed, slug: str, now: datetime) -> Iterator[Task]:
    """Yield a task a line; its file is read when it is asked for."""
    lines, folder, texts, same_person = listed
    for line in lines:
        path, text = folder / line.file, texts.get(line.map_name)
        try:
            data = read_bytes(path, LARGEST_EXPORT if text is None else LARGEST_BYTES)
            yield Task(_named(line), slug, now, data, text, same_person=same_person)
        except Problem as problem:
            yield Task(line, slug, now, problem=str(problem))


def _named(line: Line) -> Line:
    """Return ``line`` with the map's name as that of a source: without folder and ending."""
    return Line(line.number, line.patient_id, line.file, Path(line.map_name).stem)


def _tell(done: Sequence[Done]) -> None:
    """Say what became of the list; Problem where not all of it could be taken."""
    for one in done:
        for what in (*one.left_out, *([] if one.problem is None else [one.problem])):
            click.echo(f"line {one.line.number}: {what}")
    created, there, alerts = (
        sum(getattr(one, part) for one in done) for part in ("created", "there_already", "alerts")
    )
    refused = sum(len(one.left_out) for one in done)
    failed = sum(one.problem is not None for one in done)
    click.echo(
        f"{len(done) - failed} patients: {created} imported, {there} there already, {refused} refused; "
        f"alerts opened: {alerts}; files that can't be taken: {failed}."
    )
    if failed:
        raise Problem("Not every file could be taken. What was is recognised the next time.")
