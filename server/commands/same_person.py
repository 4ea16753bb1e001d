"""The option `--same-person`: an export goes into a diary that it does not seem to belong to."""

import click

same_person_option = click.option(
    "--same-person",
    is_flag=True,
    help="take an export of another name, year of birth or diary of the clinic: it is the same person",
)
