"""The option `--same-person`: a file goes into a diary that it does not seem to belong to."""

import click

same_person_option = click.option(
    "--same-person",
    is_flag=True,
    help="take a file of another name, year of birth or diary of the clinic: it is the same person",
)
