"""Bundles: a page of what a search found, with the address of the next one."""

from collections.abc import Iterable

from server.fhir.identifiers import Resource


def searchset(base: str, resources: Iterable[Resource], here: str, following: str | None) -> Resource:
    """Return one page; ``here`` and ``following`` are its own address and that of the next page."""
    links = [{"relation": "self", "url": here}]
    if following is not None:
        links.append({"relation": "next", "url": following})
    entries = [entry(base, resource) for resource in resources]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        **({"entry": entries} if entries else {}),
    }


def entry(base: str, resource: Resource) -> Resource:
    """Return a resource as an entry of a page; ``base`` is the address of this server."""
    place = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": place, "resource": resource, "search": {"mode": "match"}}
