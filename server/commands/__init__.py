"""The commands of `afterglow`, one `click.Command` a file; `server/cli.py` puts them together."""
