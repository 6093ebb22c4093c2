"""Indexes of last and first names together: two names that are each common are found without reading all who have one.

They take the place of those of last names alone, which they begin with.
"""

from django.db import migrations

NAMES = "(upper(last_name::text) text_pattern_ops, upper(first_name::text) text_pattern_ops)"
INDEXES = {
    # by the index it replaces
    "signature_upper_last_name": ("signature_upper_names", "signers_signature"),
    "supporter_upper_last_name": ("supporter_upper_names", "signers_supporter"),
}


def add(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("SET statement_timeout = 0")
    for former, (name, table) in INDEXES.items():
        # One that an attempt left behind which was broken off is of no use.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} {NAMES}")
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {former}")
    schema_editor.execute("RESET statement_timeout")


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("SET statement_timeout = 0")
    for former, (name, table) in INDEXES.items():
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {former}")
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {former} ON {table} (upper(last_name::text) text_pattern_ops)"
        )
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    schema_editor.execute("RESET statement_timeout")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("signers", "0009_unconfirmed")]
    operations = [migrations.RunPython(add, remove)]
