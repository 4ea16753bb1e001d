"""Tell which of the forms of an export a file has, and read it."""

from server.diary_import.export_csv import read_csv
from server.diary_import.export_fhir import read_fhir
from server.diary_import.export_file import ExportError, ExportFile, read_export

# Far enough to meet the first resource of a file.
_FIRST = 1000
_MARK = b"\xef\xbb\xbf"
# What a spreadsheet puts in the place of commas.
_SAVED_AGAIN = (b"kind;", b"kind\t", b'"kind";', b'"kind"\t')


def read_any(data: bytes) -> ExportFile:
    """Return what is in an export, JSON, CSV or FHIR; ExportError names its problems."""
    # The first column of the CSV; whatever else is no CSV says what is wrong with it as JSON.
    begins = data[:_FIRST].removeprefix(_MARK).lstrip()
    if begins.startswith(_SAVED_AGAIN):
        raise ExportError("is a CSV that a spreadsheet has saved again; take the file as it was downloaded")
    if begins.startswith((b"kind,", b'"kind"')):
        return read_csv(data)
    # Neither our JSON nor anything in it has such a member.
    if b'"resourceType"' in data[:_FIRST]:
        return read_fhir(data)
    return read_export(data)
