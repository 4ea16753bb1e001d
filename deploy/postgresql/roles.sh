#!/bin/bash
# Two roles, made once, when the database is: one owns the tables and migrates, the other one runs the service
# and is held by row-level security. Neither is a superuser.
set -euo pipefail
export SECRETS_DIRECTORY="${SECRETS_DIRECTORY:-/run/secrets}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-afterglow}" <<'SQL'
-- Read by psql itself: on a command line others would see them.
\set owner_password `cat "$SECRETS_DIRECTORY/owner-password"`
\set app_password `cat "$SECRETS_DIRECTORY/app-password"`
\set limits 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION'
CREATE ROLE afterglow_owner :limits PASSWORD :'owner_password';
CREATE ROLE afterglow_app :limits PASSWORD :'app_password';
-- What patients report stands in parameters: the server's log quotes none, however slow a statement is.
ALTER ROLE afterglow_owner SET log_parameter_max_length = 0;
ALTER ROLE afterglow_app SET log_parameter_max_length = 0;
ALTER DATABASE :"DBNAME" OWNER TO afterglow_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO afterglow_app;
SQL
