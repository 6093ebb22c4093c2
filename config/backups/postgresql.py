"""PostgreSQL's half: pg_dump and pg_restore, and what tells whether two databases are equal."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection

from config.backups.files import BackupError, Tables, refuse_different

LEAVING_TAKES = 3.0  # seconds
PARALLEL = str(min(4, os.cpu_count() or 1))
# What libpq reads from the environment, by the names DATABASE_URL has for it: no list of processes shows that.
SECRETS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
PLAIN_TEXT = (
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO'",
    "IntervalStyle = 'iso_8601'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
)
# The number of rows and a sum over the hash of each.
SUMS = "count(*), coalesce(sum(hashtextextended(whole_row::text, 0)), 0)::text"
EVERYTHING_GOES = """
DO $$
DECLARE statement text;
BEGIN
    FOR statement IN
        SELECT format('DROP VIEW IF EXISTS %I.%I CASCADE', schemaname, viewname)
        FROM pg_views WHERE schemaname = 'public'
        UNION ALL
        SELECT format('DROP TABLE %I.%I CASCADE', schemaname, tablename)
        FROM pg_tables WHERE schemaname = 'public'
    LOOP EXECUTE statement; END LOOP;
    FOR statement IN
        SELECT format('DROP SEQUENCE %I.%I CASCADE', schemaname, sequencename)
        FROM pg_sequences WHERE schemaname = 'public'
        UNION ALL
        SELECT format('DROP ROUTINE %s CASCADE', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')
    LOOP EXECUTE statement; END LOOP;
END $$;
"""


def make(path: Path) -> tuple[datetime, Tables]:
    """Dumps the database; returns the moment and the tables of the very same snapshot."""
    with connected() as session, session.cursor() as cursor:
        hold_tables(cursor)
        cursor.execute("SELECT pg_export_snapshot(), now()")
        snapshot, at = cursor.fetchone()
        command = [program("pg_dump"), "--format=custom", "--compress=1", "--no-owner", "--no-privileges"]
        with subprocess.Popen(
            [*command, f"--snapshot={snapshot}", f"--file={path}"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as dumping:
            try:
                tables = tables_of(cursor)
                _out, errors = dumping.communicate()
            except BaseException:
                dumping.kill()
                raise
    if dumping.returncode:
        raise BackupError(f"pg_dump failed: {last_words(errors)}")
    return at, tables


def hold_tables(cursor: Any) -> None:
    """Begins a transaction in which nobody rewrites a table any more.

    Before its snapshot: a migration that rewrites a table and commits after it would leave that table empty in it.
    """
    names = table_names(cursor)
    cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if not names:
        return
    try:
        cursor.execute(
            f"LOCK TABLE {', '.join(f'public.{quoted(name)}' for name in names)} IN ACCESS SHARE MODE"
        )
    except psycopg2.Error as error:
        raise BackupError(f"Somebody changes the tables: {last_words(str(error).encode())}") from error


def table_names(cursor: Any) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [name for (name,) in cursor.fetchall()]


def tables_of(cursor: Any) -> Tables:
    """Every table with its number of rows and a sum over the hash of each row."""
    for setting in PLAIN_TEXT:
        cursor.execute(f"SET {setting}")
    found: Tables = {}
    for name in table_names(cursor):
        cursor.execute(f"SELECT {SUMS} FROM public.{quoted(name)} whole_row")
        found[name] = list(cursor.fetchone())
    return found


def tables_now() -> Tables:
    with connected() as session, session.cursor() as cursor:
        return tables_of(cursor)


@contextmanager
def scratch(path: Path) -> Iterator[Tables]:
    """What the backup holds, once it is loaded into a database made for it alone."""
    name = f"{connection.settings_dict['NAME'][:40]}_verify_{secrets.token_hex(4)}"
    try:
        execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    except psycopg2.Error as error:
        raise BackupError(
            f"A database to try it in cannot be made: {last_words(str(error).encode())}"
            " The role needs the right to: ALTER ROLE … CREATEDB."
        ) from error
    try:
        restore_into(path, name)
        with connected(name) as session, session.cursor() as cursor:
            yield tables_of(cursor)
    finally:
        execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def is_empty() -> bool:
    with connected() as session, session.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')")
        return bool(cursor.fetchone()[0])


def others_connected() -> int:
    """Those who stay: one that has just been closed takes a moment to go, our own included."""
    until = time.monotonic() + LEAVING_TAKES
    while (others := clients()) and time.monotonic() < until:
        time.sleep(0.2)
    return others


def clients() -> int:
    with connected() as session, session.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def load(path: Path, tables: Tables, *, replace: bool) -> None:
    """Loads the backup, all of it or nothing, and only if it is equal to `tables` then."""
    if replace:
        replace_with(path, tables)
        return
    try:
        restore_into(path, connection.settings_dict["NAME"])
        refuse_different(tables, tables_now())
    except BaseException:
        execute(EVERYTHING_GOES)
        raise


def restore_into(path: Path, name: str) -> None:
    command = [
        program("pg_restore"),
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--jobs={PARALLEL}",
    ]
    run = subprocess.run(
        [*command, "--dbname", name, path],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if run.returncode:
        raise BackupError(f"pg_restore failed: {last_words(run.stderr)}")


def replace_with(path: Path, tables: Tables) -> None:
    """In one transaction: whatever goes wrong, and whatever is not equal, the database is as it was.

    Its COMMIT is the last line psql reads. A script that ends before, since pg_restore failed or we were
    killed, changes nothing; psql's own --single-transaction would commit whatever had arrived.
    """
    writing = [program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(path)]
    reading = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with (
        subprocess.Popen(
            writing, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as script,
        subprocess.Popen(
            [*reading, "--command=BEGIN", "--command", EVERYTHING_GOES, "--file=-"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as changing,
    ):
        try:
            shutil.copyfileobj(script.stdout, changing.stdin, 1 << 20)  # type: ignore[arg-type]
            if not script.wait():
                changing.stdin.write(f"{proof(tables)}COMMIT;\n".encode())  # type: ignore[union-attr]
        except BrokenPipeError:
            script.kill()
        except BaseException:
            script.kill()
            changing.communicate()  # it has undone everything before anybody goes on
            raise
        _out, errors = changing.communicate()
        _out, words = script.communicate()
    if script.returncode and not changing.returncode == 3:
        raise BackupError(f"pg_restore failed: {last_words(words)}")
    if changing.returncode:
        raise BackupError(f"psql failed: {last_words(errors)}")


def proof(tables: Tables) -> str:
    """Statements that fail where a table is not equal."""
    settings = "".join(f"SET {setting};\n" for setting in PLAIN_TEXT)
    return f"{settings}DO $$ BEGIN\n{''.join(proof_of(name, *tables[name]) for name in tables)}END $$;\n"


def proof_of(table: str, count: Any, digest: Any) -> str:
    return (
        f"IF (SELECT ROW({SUMS}) FROM public.{quoted(table)} whole_row)\n"
        f"IS DISTINCT FROM ROW({int(count)}::bigint, '{int(digest)}'::text) THEN\n"
        f"RAISE EXCEPTION 'something else than was backed up is in %', {literal(table)}; END IF;\n"
    )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- Connecting ------------------------------------------------------------------------------------------------


@contextmanager
def connected(name: str = "") -> Iterator[Any]:
    """A connection of its own, without the limits that a request has."""
    params = connection.get_connection_params()
    params |= {"dbname": name} if name else {}
    params.pop("options", None)
    try:
        session = psycopg2.connect(**params)
    except psycopg2.OperationalError as error:
        raise BackupError(f"The database does not answer: {last_words(str(error).encode())}") from error
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SET {limit} = 0")
            cursor.execute("SET lock_timeout = '30s'")
        yield session
    finally:
        session.close()


def execute(statement: str) -> None:
    with connected() as session, session.cursor() as cursor:
        cursor.execute(statement)


def environment() -> dict[str, str]:
    """With all that the programs need to connect."""
    given = connection.settings_dict
    options = given.get("OPTIONS", {})
    wanted = {
        "PGHOST": given["HOST"],
        "PGPORT": given["PORT"],
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
        "PGDATABASE": given["NAME"],
        "PGOPTIONS": "-c lock_timeout=30s -c client_min_messages=warning",
    } | {variable: options[name] for name, variable in SECRETS.items() if name in options}
    return os.environ | {variable: str(value) for variable, value in wanted.items() if value}


def program(name: str) -> str:
    """The newest that is installed; Debian's own wrapper would choose by a cluster on this machine."""
    versions = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[4].isdigit()]
    found = str(max(versions, key=lambda path: int(path.parts[4]))) if versions else shutil.which(name)
    if not found:
        raise BackupError(
            f"{name} is not installed. On Debian or Ubuntu: sudo apt-get install postgresql-client"
        )
    return found


def last_words(errors: bytes) -> str:
    """The first line that says what is wrong; those after it may quote rows."""
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return next(
        (line for line in lines if "error" in line.lower()), lines[-1] if lines else "it does not say why."
    )
