"""The command `afterglow`: puts the commands together."""

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError
from sqlalchemy.exc import DBAPIError, OperationalError

from server import memory
from server.commands.database_trouble import told

COMMANDS = (
    *("up", "serve", "work", "status", "migrate", "clinic-add", "admin-invite", "demo", "simulate"),
    *("import-diary", "import-export", "import-many", "research-export", "watch-report", "replay"),
    *("keys", "erasures", "retention", "audit", "backup", "restore", "sms-address", "openapi"),
)
# Whoever reads them may have seen enough, as `head` has.
_CHANGE_NOTHING = ("status", "watch-report", "replay", "audit", "openapi")
_AWAY = "The database can't be reached, or is not migrated."
_UNREAD = "Nobody reads what it says any more. It was stopped, perhaps before it was done."


class Misused(click.ClickException):
    """A wrong option or argument, in one line instead of three; exits with 2 as usual."""

    exit_code = 2

    def __init__(self, error: click.UsageError) -> None:
        path = error.ctx.command_path if error.ctx else "afterglow"
        # The choices that there are come a line each.
        super().__init__(f"{' '.join(error.format_message().split())} See: {path} --help")


class _Text(click.types.StringParamType):
    """Text of the terminal: bytes of a terminal with another encoding are no letters that could be kept."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text; BadParameter where it holds bytes that are not UTF-8."""
        text = super().convert(value, param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("It is not UTF-8 text.", param, ctx)
        return text


_TEXT = _Text()


def _reads_text(found: click.Command) -> None:
    """Let ``found`` and what it groups take texts as `_TEXT`; the name of a file may hold any bytes."""
    for param in found.params:
        if param.type is click.STRING:
            param.type = _TEXT
    for below in found.commands.values() if isinstance(found, click.Group) else ():
        _reads_text(below)


class Afterglow(click.Group):
    """Says in one line what a person can mend and exits with 1; a defect of ours keeps its traceback.

    A command's module is imported when it is asked for: most commands need little of the house.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, those for everyday first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of `server/commands/<name>.py`, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        memory.begin()
        found = import_module(f"server.commands.{cmd_name.replace('-', '_')}").command
        memory.settle()
        assert isinstance(found, click.Command)
        _reads_text(found)
        return found

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the options before the command."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise Misused(error) from None

    def invoke(self, context: click.Context) -> object:
        """Run the command asked for."""
        try:
            return super().invoke(context)
        except NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise Misused(error) from None
        except DBAPIError as error:
            said = told(error)
            if said is None and not isinstance(error, OperationalError):
                raise
            raise click.ClickException(said or _AWAY) from None
        except BrokenPipeError:
            if context.invoked_subcommand in _CHANGE_NOTHING:
                raise  # click ends without a word
            raise click.ClickException(_UNREAD) from None
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{name}{error.strerror or type(error).__name__}") from None


@click.group(cls=Afterglow)
@click.version_option(package_name="afterglow")
def main() -> None:
    """Afterglow, the backend of the journal between treatment sessions."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A name that the terminal has no letters for must not end what prints an invitation's code, once.
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
