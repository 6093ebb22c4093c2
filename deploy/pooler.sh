#!/bin/sh
# Starts PgBouncer in a container: DATABASE_HOST says where the primary is, DATABASE_PASSWORD the site's password.
set -eu
umask 077
folder=/run/postgresql
sed -e "s/^undersigned = host=[^ ]*/undersigned = host=$DATABASE_HOST/" \
    -e "s|^auth_file = .*|auth_file = $folder/userlist.txt|" /etc/pgbouncer/pgbouncer.ini >"$folder/pgbouncer.ini"
printf '"undersigned" "%s"\n' "$DATABASE_PASSWORD" >"$folder/userlist.txt"
exec pgbouncer "$folder/pgbouncer.ini"
