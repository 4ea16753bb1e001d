"""`afterglow up`: API and job runner with one command."""

import click

from server.commands.ground import check_port_is_free, check_texts, settings_here
from server.commands.migrate import bring_up_to_date
from server.settings import Settings
from server.up import Pair


@click.command("up")
@click.option("--demo", is_flag=True, help="Load the demo clinic first, unless it is there already.")
@click.pass_context
def command(context: click.Context, demo: bool) -> None:
    """Migrate the database, then start API and job runner. Ctrl-C stops both."""
    settings = settings_here()
    check_texts(settings)
    check_port_is_free(settings)
    bring_up_to_date(settings)
    if demo:
        _load_demo(context)
    _run(settings)


def _load_demo(context: click.Context) -> None:
    assert context.parent is not None
    group = context.parent.command
    assert isinstance(group, click.Group)
    load = group.get_command(context.parent, "demo")
    if load is None:
        raise click.ClickException("There is no demo clinic in this installation.")
    context.invoke(load)


def _run(settings: Settings) -> None:
    pair = Pair(settings)
    try:
        trouble = pair.wait_until_ready()
        if trouble is None and pair.runs():
            click.echo(_banner(settings))
        if trouble is None and (ended := pair.wait()):
            trouble = f"`{ended}` ended by itself; everything is stopped."
    finally:
        pair.stop()
    if trouble is not None:
        raise click.ClickException(trouble)
    click.echo("Stopped.")


def _banner(settings: Settings) -> str:
    mail = "is sent by the mail server of AFTERGLOW_SMTP_URL"
    if not settings.smtp_url:
        mail = f"lands in {settings.mailbox_dir} (a Maildir; nothing leaves this machine)"
    lines = (
        f"API      {settings.base_url}/v1",
        f"Docs     {settings.base_url}/docs",
        f"E-mail   {mail}",
        "Sign in  POST /v1/sign-ins; `afterglow demo` shows the accounts of the demo clinic,",
        "         `afterglow clinic-add` opens a clinic of your own",
        "Ctrl-C stops everything.",
    )
    return "\n" + "\n".join(lines) + "\n"
