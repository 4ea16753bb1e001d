"""A database that can't keep every text is refused before anything is kept in it."""

import secrets

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text

from server.cli import main
from tests.conftest import MASTER_KEY


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.parametrize("words", [["migrate"], ["migrate", "--check"], ["status"]])
def test_another_encoding_is_one_clear_line(postgresql_url: str, encoding: str, words: list[str]) -> None:
    server = make_url(postgresql_url).set(username="postgres")
    ruler, name = create_engine(server, isolation_level="AUTOCOMMIT"), f"other_{secrets.token_hex(4)}"
    made = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with ruler.connect() as connection:
        connection.execute(text(made))
    try:
        url = server.set(database=name).render_as_string(hide_password=False)
        environ = {"AFTERGLOW_DATABASE_URL": url, "AFTERGLOW_MASTER_KEY": MASTER_KEY}
        said = CliRunner(env=environ).invoke(main, words)
        assert said.exit_code == 1
        assert said.output.splitlines() == [
            f"Error: The database's encoding is {encoding}. Make one with UTF-8: "
            "CREATE DATABASE afterglow ENCODING 'UTF8' TEMPLATE template0."
        ]
    finally:
        with ruler.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        ruler.dispose()
