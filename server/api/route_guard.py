"""Nothing is open that nobody opened: there is no start with a route that does not say who may."""

from flask import Flask


def check_routes(app: Flask, root: str) -> None:
    """Raise RuntimeError where a route below ``root`` has no policy."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(root) and not hasattr(app.view_functions[rule.endpoint], "allowed_roles"):
            raise RuntimeError(f"{rule.rule} has no policy: use @allow or @open_to_all")
