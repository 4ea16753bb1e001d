"""Somebody who speaks FHIR with the facade."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.cast import PASSWORD, Person

ROOT = "/fhir/R4"
KIND = "application/fhir+json"
Resource = dict[str, Any]


@dataclass(frozen=True)
class Fhir:
    """Sends as ``person``; ``path`` is what stands after the facade's address."""

    person: Person

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request; ``headers`` with `_` for `-`."""
        said = {"Authorization": f"Bearer {self.person.token}"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body)
        kind = said.pop("Content-Type", None if body is None else KIND)

        def once() -> TestResponse:
            return self.person.client.open(
                f"{ROOT}/{path}", method=method, data=data, content_type=kind, headers=said
            )

        answer = once()
        if answer.status_code == 403 and "step-up-required" in answer.text:
            body = {"password": PASSWORD}
            self.person.client.post("/v1/sign-ins/step-up", json=body, headers=said)
            answer = once()
        return answer

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read or search."""
        return self.send("GET", path, **headers)

    def read(self, path: str) -> Resource:
        """Return the resource at ``path``."""
        answer = self.get(path)
        assert (answer.status_code, answer.content_type) == (200, KIND), answer.text
        return dict(answer.json)

    def found(self, path: str) -> list[Resource]:
        """Return everything a search finds, page by page."""
        return [resource for page in self.pages(path) for resource in resources(page)]

    def pages(self, path: str) -> Iterator[Resource]:
        """Yield the pages of a search, each from the address that the one before gives."""
        following: str | None = path
        while following is not None:
            page = self.read(following)
            yield page
            links = {link["relation"]: link["url"] for link in page["link"]}
            following = links["next"].partition(f"{ROOT}/")[2] if "next" in links else None

    def post(self, path: str, body: Any) -> TestResponse:
        """Create."""
        return self.send("POST", path, body)

    def put(self, path: str, body: Any, version: int | None = None) -> TestResponse:
        """Update the version named."""
        headers = {} if version is None else {"If_Match": f'W/"{version}"'}
        return self.send("PUT", path, body, **headers)


def resources(bundle: Resource) -> list[Resource]:
    """Return what is in a bundle."""
    return [entry["resource"] for entry in bundle.get("entry", [])]


def outcome(answer: TestResponse, status: int) -> Resource:
    """Return the first issue of an error, which has the one shape that FHIR knows."""
    assert (answer.status_code, answer.content_type) == (status, KIND), answer.text
    assert answer.json["resourceType"] == "OperationOutcome"
    issue: Resource = answer.json["issue"][0]
    return issue
