#!/bin/sh
# Starts a streaming replica: copies the primary into an empty PGDATA first. PRIMARY is a conninfo without the password,
# such as "host=10.87.0.21 user=replicator application_name=replica"; the arguments go to postgres.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Writes standby.signal, and where to follow, with the password, into PGDATA.
    PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --pgdata="$PGDATA" --dbname="$PRIMARY" \
        --wal-method=stream --checkpoint=fast --write-recovery-conf
    chmod 700 "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
