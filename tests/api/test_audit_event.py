"""The admin reads the audit log, and takes it away with a proof that anybody can check."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.api import audit_export
from server.api.edge import Surroundings
from server.services.errors import NotSignedIn
from tests.cast import Cast
from tests.conftest import Clock
from tests.services.audit.ledger import seal_all
from tests.source import ROOT


@pytest.fixture
def read_often(app: Flask, cast: Cast) -> int:
    """Bo reads Ana seven times; the log is chained but for one more. Returns where the chain ends."""
    for _ in range(7):
        cast.bo.get(f"/patients/{cast.ana.patient_id}")
    around = Surroundings.of(app)
    end = seal_all(around.database, cast.ana.clinic_id, around.clock(), size=4)
    cast.bo.get(f"/patients/{cast.ana.patient_id}/watch")
    return end


def items(cast: Cast, query: str) -> list[dict[str, Any]]:
    answer = cast.admin.get(f"/audit-events?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def test_the_admin_sees_who_read_whom_newest_first_and_what_is_not_sealed_yet(
    cast: Cast, read_often: int
) -> None:
    newest, second, *_ = items(cast, f"patient_id={cast.ana.patient_id}&limit=3")
    assert (newest["action"], newest["position"], newest["digest"]) == ("watch.read", None, None)
    assert (second["action"], second["account_name"]) == ("patient.read", "Bo")
    assert second["account_id"] == str(cast.bo.account_id)
    assert (second["position"], len(second["digest"])) == (read_often, 64)


def test_what_is_asked_for_narrows_the_log(cast: Cast, read_often: int, clock: Clock) -> None:
    assert len(items(cast, f"account_id={cast.bo.account_id}&action=patient.read")) == 7
    assert items(cast, f"account_id={cast.cyd.account_id}") == []
    now, later = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (clock.now, clock.now + timedelta(minutes=1)))
    clock.forward(minutes=1)
    cast.bo.get(f"/patients/{cast.ana.patient_id}/watch")
    assert len(items(cast, f"action=watch.read&from={now}&to={later}")) == 1
    assert len(items(cast, f"action=watch.read&from={later}")) == 1
    for query in ("action=%25", "from=yesterday", "patient_id=1", "nobody=1"):
        assert cast.admin.get(f"/audit-events?{query}").status_code == 422


def test_pages_give_every_event_once_also_where_reading_adds_some(cast: Cast, read_often: int) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = cast.admin.get(f"/audit-events?limit=4{cursor}").json
        found += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert (len(found), len(set(found))) == (read_often + 1, read_often + 1)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("who", ["ana", "bo", "coordinator", "scheduler", "cyd", "other_patient"])
def test_nobody_but_the_admin_reads_the_log(cast: Cast, who: str) -> None:
    for path in ("/audit-events", "/audit-events/export"):
        assert getattr(cast, who).get(path).status_code == 403


def exported(cast: Cast, query: str = "") -> str:
    answer = cast.admin.get(f"/audit-events/export{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    return str(answer.text)


def verified(tmp_path: Path, text: str) -> tuple[int, str]:
    """Run the script of the page on ``text`` as a third party would: with Python alone."""
    page = (ROOT / "docs" / "audit.md").read_text("utf-8")
    script = page.partition("```python\n")[2].partition("```")[0]
    file = tmp_path / "log.ndjson"
    file.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, file], capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_a_third_party_verifies_the_export_with_the_script_of_the_page(
    cast: Cast, read_often: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "CHUNK", 3)
    text = exported(cast)
    first, *events, last = map(json.loads, text.splitlines())
    assert (first["clinic"], first["after"]) == (str(cast.admin.clinic_id), 0)
    assert [one["position"] for one in events] == list(range(1, read_often + 1))
    assert (last["end"], last["not_sealed_yet"]) == (read_often, 2)  # Bo's last reading, and this export
    assert verified(tmp_path, text) == (0, f"holds up to position {read_often}, {last['digest']}")
    rest = exported(cast, "?after=5")
    assert len(rest.splitlines()) == read_often - 5 + 2
    assert verified(tmp_path, rest) == verified(tmp_path, text)


def test_the_script_finds_every_kind_of_change(cast: Cast, read_often: int, tmp_path: Path) -> None:
    lines = exported(cast).splitlines()
    changed = [*lines[:4], lines[4].replace('"action": "', '"action": "not-'), *lines[5:]]
    removed, swapped = [*lines[:4], *lines[5:]], [*lines[:4], lines[5], lines[4], *lines[6:]]
    wrong = {
        "position 4 does not hold": [changed, removed, swapped],
        "the file was cut off": [lines[:-1]],
        "the file does not end where it says": [[*lines[:-2], lines[-1]]],
    }
    for said, texts in wrong.items():
        assert [verified(tmp_path, "\n".join(text)) for text in texts] == [(1, said)] * len(texts)


def test_the_csv_has_the_same_rows(cast: Cast, read_often: int) -> None:
    text = cast.admin.get("/audit-events/export?format=csv").text
    header, *rows = text.splitlines()
    assert header == "position,id,at,account_id,action,patient_id,object_id,digest"
    assert len(rows) == read_often
    assert rows[0].split(",")[-1] == json.loads(exported(cast).splitlines()[1])["digest"]


def test_an_export_breaks_off_when_the_sign_in_ends(
    app: Flask, cast: Cast, read_often: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "CHUNK", 3)
    answer = cast.admin.client.get(
        "/v1/audit-events/export", headers={"Authorization": f"Bearer {cast.admin.token}"}, buffered=False
    )
    parts = answer.iter_encoded()
    assert b"afterglow-audit" in next(parts)
    assert next(parts)
    assert cast.admin.delete("/sign-ins/current").status_code == 204
    with pytest.raises(NotSignedIn):
        list(parts)
