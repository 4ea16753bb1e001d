"""Which form of an export a file has; what is none is told so."""

import pytest

from server.diary_import.export_file import ExportError
from server.diary_import.export_kind import read_any


@pytest.mark.parametrize(
    "begins", ["kind;id;version", "\ufeff\r\nkind;id", "kind\tid", '"kind";"id"', '"kind"\t"id"']
)
def test_a_csv_that_a_spreadsheet_saved_again_is_told_so(begins: str) -> None:
    with pytest.raises(ExportError, match="that a spreadsheet has saved again; take the file as it was"):
        read_any(f"{begins}\r\nentry".encode())


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04\xc3", b"full_date,mood\n2026-01-01,good\n"])
def test_what_is_no_export_at_all_is_told_so(data: bytes) -> None:
    with pytest.raises(ExportError, match="neither JSON, CSV nor FHIR as Afterglow writes it"):
        read_any(data)
