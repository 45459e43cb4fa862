#!/bin/sh
# Runs once, when the database is made: the site's own user, who owns its database and nothing else.
set -eu
password=${APP_PASSWORD:-$(cat "${APP_PASSWORD_FILE:?}")}
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set="password=$password" <<'SQL'
CREATE ROLE app LOGIN PASSWORD :'password';
CREATE DATABASE app OWNER app TEMPLATE template0 ENCODING 'UTF8';
SQL
