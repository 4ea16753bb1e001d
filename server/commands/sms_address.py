"""`afterglow sms-address`: where the SMS gateway hands over what people send back."""

import click

from server.commands.ground import check_there, settings_here
from server.settings import SettingsError, report_keys
from server.sms_report import inbound_address


@click.command("sms-address")
def command() -> None:
    """Print the address for STOP messages, for the gateway's settings. Its proof is a secret."""
    settings = settings_here()
    if not settings.jwt_key and not settings.jwt_key_file:
        check_there(settings)
    try:
        proof_key, *_ = report_keys(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    click.echo(inbound_address(settings.base_url, proof_key))
