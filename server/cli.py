"""The command `afterglow`: puts the commands together."""

import sys

import click
from sqlalchemy.exc import OperationalError

from server.commands import (
    clinic_add,
    demo,
    import_diary,
    import_export,
    migrate,
    openapi,
    serve,
    simulate,
    up,
    watch_report,
    work,
)

COMMANDS = (
    *(up, serve, work, migrate, clinic_add, demo, simulate),
    *(import_diary, import_export, watch_report, openapi),
)


class Afterglow(click.Group):
    """Says in one line what a person can mend and exits with 1; a defect of ours keeps its traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command asked for."""
        try:
            return super().invoke(context)
        except OperationalError:
            raise click.ClickException("The database can't be reached, or is not migrated.") from None
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{name}{error.strerror or type(error).__name__}") from None


@click.group(cls=Afterglow)
@click.version_option(package_name="afterglow")
def main() -> None:
    """Afterglow, the backend of the journal between treatment sessions."""


for module in COMMANDS:
    main.add_command(module.command)


if __name__ == "__main__":
    sys.exit(main())
