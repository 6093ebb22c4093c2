#!/bin/sh
# Run once in an empty PostgreSQL, by its superuser: the site's role and database, and the role of a replica.
# DATABASE_PASSWORD and REPLICATION_PASSWORD are theirs; PGDATA is where pg_hba.conf lies.
set -eu
psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
    --set=site="$DATABASE_PASSWORD" --set=replica="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE undersigned LOGIN PASSWORD :'site';
CREATE DATABASE undersigned OWNER undersigned;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replica';
-- From the network nobody is a superuser.
ALTER ROLE postgres PASSWORD NULL;
SQL
psql --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet \
    --file="${ROLE_FILE:-/etc/undersigned/postgresql-role.sql}"
echo "host replication replicator samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
