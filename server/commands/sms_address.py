"""`afterglow sms-address`: where the SMS gateway hands over what people send back."""

import click

from server.commands.ground import settings_here
from server.settings import report_keys
from server.sms_report import inbound_address


@click.command("sms-address")
def command() -> None:
    """Print the address for STOP messages, for the gateway's settings. Its proof is a secret."""
    settings = settings_here()
    click.echo(inbound_address(settings.base_url, report_keys(settings)[0]))
