"""The channels that are armed, from the settings: what the job runner sends through."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click

from server.clinical.vocabulary import Channel
from server.gateways.egress import Egress
from server.gateways.email import SmtpGateway
from server.gateways.mailbox import EmbeddedMailbox
from server.gateways.message import Gateway
from server.gateways.push import PushGateway
from server.gateways.sms import Reports, SmsGateway
from server.gateways.webhook import WebhookGateway
from server.settings import Settings, report_keys, vapid_key


@contextmanager
def armed(settings: Settings) -> Iterator[Mapping[Channel, Gateway]]:
    """Give a gateway for each channel that the settings arm; e-mail and webhooks always are.

    Without a mail server of the settings, e-mail goes to the embedded mailbox, which lives as long.
    Raises ClickException where a setting can't be used; its text repeats no address and no password.
    """
    egress = Egress(allow_loopback=settings.allow_loopback_egress == "yes")
    with _mail_server(settings) as url:
        gateways: dict[Channel, Gateway] = {
            Channel.EMAIL: _named("SMTP_URL", lambda: SmtpGateway(url, settings.mail_from)),
            Channel.WEBHOOK: WebhookGateway(egress),
        }
        if key := vapid_key(settings):
            gateways[Channel.PUSH] = _named("VAPID_KEY", lambda: PushGateway(egress, key, settings.mail_from))
        if settings.sms_url:
            reports = Reports(settings.base_url, report_keys(settings)[0])
            sms = _named("SMS_URL", lambda: SmsGateway(settings.sms_url, settings.sms_from, reports))
            gateways[Channel.SMS] = sms
        yield gateways


@contextmanager
def _mail_server(settings: Settings) -> Iterator[str]:
    if settings.smtp_url:
        yield settings.smtp_url
        return
    mailbox = EmbeddedMailbox(settings.mailbox_dir)
    mailbox.start()
    try:
        yield mailbox.url
    finally:
        mailbox.stop()


def _named(setting: str, make: Callable[[], Gateway]) -> Gateway:
    try:
        return make()
    except ValueError as error:
        raise click.ClickException(f"AFTERGLOW_{setting} can't be used: {error}.") from None
