"""Every request on docs/visits.md is sent as it stands there, and taken."""

import json
import re
import shlex
from collections.abc import Iterator

from werkzeug.test import TestResponse

from server.clinical.vocabulary import AlertFamily
from tests.cast import Cast
from tests.source import ROOT
from tests.visits import Visits

PAGE = (ROOT / "docs" / "visits.md").read_text("utf-8")


def requests() -> Iterator[tuple[str, list[str]]]:
    """Yield each `curl` of the page, in its order, with the heading it stands under."""
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        for block in re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                yield heading, shlex.split(line, comments=True)


def send(cast: Cast, words: list[str], names: dict[str, str]) -> TestResponse:
    """Send one `curl`, its variables filled in."""
    told = [re.sub(r"\$([A-Z]+)", lambda found: names[found[1]], word) for word in words]
    flags = {"-X": "GET", "-d": ""}
    headers: dict[str, str] = {}
    rest = iter(told[1:])
    for word in rest:
        if word == "-H":
            key, _, value = next(rest).partition(": ")
            headers[key] = value
        elif word in flags:
            flags[word] = next(rest)
        elif word != "-s":
            url = word
    return cast.ana.client.open(url, method=flags["-X"], headers=headers, data=flags["-d"] or None)


def test_every_request_of_the_page_is_taken(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    names = {
        "API": "/v1",
        "JSON": "Content-Type: application/json",
        "ANA": cast.ana.token,
        "BO": cast.bo.token,
        "PATIENT": str(cast.ana.patient_id),
        "VISIT": str(visits.relapse()),
    }
    seen = set()
    for heading, words in requests():
        if heading == "What the patient sees" and heading not in seen:
            offered = names["VISIT"] = str(visits.relapse(AlertFamily.PAIN_RELAPSE))
            reason = {"override_reason": "Known."}
            cast.bo.post(f"/booking-suggestions/{offered}/approve", reason, version=1)
        seen.add(heading)
        answer = send(cast, words, names)
        assert answer.status_code < 300, (words, answer.text)
        if words[4].endswith("/precautions"):
            names["PRECAUTION"] = json.loads(answer.text)["id"]
    assert seen == {
        *("Review, change, dismiss", "What the patient sees"),
        *("Precautions", "The yield report"),
    }
