"""What went wrong, in FHIR's words."""

from server.fhir.operation_outcome import operation_outcome


def test_a_place_is_said_as_fhirpath_names_it_whatever_the_name_of_the_member() -> None:
    places = {
        "/participant/0/status": ["participant[0].status"],
        "/a~1b/c~0d": ["`a/b`.`c~d`"],
        "/q`9": ["`q\\`9`"],
        "": None,
    }
    for pointer, path in places.items():
        (issue,) = operation_outcome(422, "invalid", "No.", [{"pointer": pointer, "detail": "No."}])["issue"]
        assert issue.get("expression") == path
