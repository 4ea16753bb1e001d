"""Nothing is open that nobody opened: there is no start with a route that does not say who may."""

from flask import Flask

from server.clinical.vocabulary import Role

# Everybody's own account and sign-in, whatever they may do beside.
_OWN = ("/v1/me", "/v1/sign-ins")


def check_routes(app: Flask, root: str) -> None:
    """Raise RuntimeError where a route below ``root`` has no policy, or lets systems pass without a scope."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(root):
            continue
        view = app.view_functions[rule.endpoint]
        roles = getattr(view, "allowed_roles", None)
        if roles is None:
            raise RuntimeError(f"{rule.rule} has no policy: use @allow or @open_to_all")
        if (
            Role.INTEGRATION in roles
            and getattr(view, "system_scope", None) is None
            and not _is_own(rule.rule)
        ):
            raise RuntimeError(f"{rule.rule} lets systems pass whatever they may do: give it a scope")


def _is_own(path: str) -> bool:
    return any(path == own or path.startswith(f"{own}/") for own in _OWN)
