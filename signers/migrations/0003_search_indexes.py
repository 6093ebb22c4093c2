"""Indexes for finding signatures by the beginning of a name or postal code, whatever its case."""

from django.db import migrations

# As Django writes `__istartswith` on PostgreSQL. SQLite, for small sites, looks through the rows.
INDEXES = {
    "signature_upper_last_name": "signers_signature (upper(last_name::text) text_pattern_ops)",
    "signature_upper_first_name": "signers_signature (upper(first_name::text) text_pattern_ops)",
    "signature_upper_postal_code": "signers_signature (upper(postal_code::text) text_pattern_ops)",
    "supporter_upper_last_name": "signers_supporter (upper(last_name::text) text_pattern_ops)",
    "supporter_upper_first_name": "signers_supporter (upper(first_name::text) text_pattern_ops)",
    "signature_held": "signers_signature (id) WHERE held_at IS NOT NULL",
    "signature_removed": "signers_signature (id) WHERE removed_at IS NOT NULL",
}


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, definition in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {definition}")


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("signers", "0002_append_only")]
    operations = [migrations.RunPython(add, remove)]
