"""`afterglow openapi`: print the contract."""

import click

from server.app import contract_text
from server.commands.ground import check_texts, settings_here


@click.command("openapi")
def command() -> None:
    """Print the contract (OpenAPI 3.1, YAML), generated from the code. Touches no database."""
    settings = settings_here()
    check_texts(settings)
    click.echo(contract_text(settings).encode(), nl=False)  # UTF-8, whatever the terminal has
