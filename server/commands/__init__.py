"""The commands of `afterglow`: one file each, its `click.Command` named `command`."""
