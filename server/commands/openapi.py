"""`afterglow openapi`: print the contract."""

import secrets
from dataclasses import replace

import click

from server.api import contract
from server.app import create_app
from server.commands.ground import settings_here


@click.command("openapi")
def command() -> None:
    """Print the contract (OpenAPI 3.1, YAML), generated from the code. Touches no database."""
    # A throw-away key: printing must not leave a signing key on disk.
    app = create_app(replace(settings_here(), jwt_key=secrets.token_urlsafe(48)))
    (registered,) = app.extensions["flask-smorest"]["apis"].values()
    click.echo(contract.as_yaml(registered["ext_obj"]), nl=False)
