"""What the edge itself refuses, before any service is asked."""

from server.clinical.vocabulary import Scope
from server.services.errors import Heeded, ServiceError


class Forbidden(ServiceError):
    """Signed in, but this role may not do this, or this system lacks the scope for it."""

    def __init__(self, lacks: Scope | None = None) -> None:
        asked = (
            "" if lacks is None else f"Your clinic's administrator has not given you the scope {lacks.value}."
        )
        super().__init__("forbidden", asked or "Your role may not do this.")


class FactorMissing(ServiceError):
    """Signed in with a password alone, where a second factor is required."""

    def __init__(self) -> None:
        super().__init__("second-factor-missing", "Add a second factor first: POST /v1/me/factors/totp.")


class HeaderProblem(ServiceError):
    """A header is missing or can't be read."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"header": name, "detail": detail}])


class QueryProblem(ServiceError):
    """A parameter of the query is missing or can't be used."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"parameter": name, "detail": detail}])


class PathProblem(ServiceError):
    """An id in the path is none that can be taken."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__("invalid", detail, errors=[{"parameter": name, "detail": detail}])


class Unstored(Exception):
    """The server could not take it, because of ``cause``; what it says about danger was acted on."""

    def __init__(self, cause: Exception, heeded: Heeded) -> None:
        super().__init__()
        self.cause = cause
        self.heeded = heeded
