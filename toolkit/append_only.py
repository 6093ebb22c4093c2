"""Tables whose rows are written once: a migration operation that makes the database refuse updates."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()""",
)
SQLITE = (
    """CREATE TRIGGER IF NOT EXISTS {table}_append_only BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
)


def refuse_updates(table: str) -> migrations.RunPython:
    """The operation for `table`. Deleting stays possible: erasing a person must be.

    A migration that alters such a table has to end with this operation again: SQLite makes the table anew without it.
    """

    def forwards(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
            schema_editor.execute(statement.format(table=table), params=None)

    def backwards(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        postgresql = schema_editor.connection.vendor == "postgresql"
        schema_editor.execute(
            f"DROP TRIGGER {table}_append_only" + (f" ON {table}" if postgresql else ""), params=None
        )

    return migrations.RunPython(forwards, backwards)
