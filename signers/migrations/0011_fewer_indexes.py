"""Without the indexes of columns with which another index begins: folding writes fewer, and whoever asks uses the other.

And without the one PostgreSQL got for LIKE on the event of a mail, which nobody asks.
"""

import django.db.models.deletion
from django.db import migrations, models

NOT_NEEDED = {
    "signers_signature_petition_id_c0d4daf5": "signers_signature (petition_id)",
    "signers_consent_supporter_id_fcbacbc6": "signers_consent (supporter_id)",
    "signers_subscription_organization_id_cc63f12f": "signers_subscription (organization_id)",
    "signers_outgoingmail_supporter_id_655de621": "signers_outgoingmail (supporter_id)",
}
POSTGRESQL_ONLY = {
    "signers_outgoingmail_event_68b4ab09_like": "signers_outgoingmail (event varchar_pattern_ops)",
}


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET statement_timeout = 0")
        for name in NOT_NEEDED | POSTGRESQL_ONLY:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute("RESET statement_timeout")
    else:
        for name in NOT_NEEDED:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET statement_timeout = 0")
        for name, columns in (NOT_NEEDED | POSTGRESQL_ONLY).items():
            # One that an attempt left behind which was broken off is of no use.
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
        schema_editor.execute("RESET statement_timeout")
    else:
        for name, columns in NOT_NEEDED.items():
            schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("signers", "0010_whole_names")]
    operations = [
        migrations.SeparateDatabaseAndState(
            # Altering the columns would check their foreign keys anew and lock the tables meanwhile.
            database_operations=[migrations.RunPython(drop, add)],
            state_operations=[
                migrations.AlterField(
                    model_name="signature",
                    name="petition",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signatures",
                        to="petitions.petition",
                    ),
                ),
                migrations.AlterField(
                    model_name="consent",
                    name="supporter",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="signers.supporter",
                    ),
                ),
                migrations.AlterField(
                    model_name="subscription",
                    name="organization",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="campaigns.organization",
                    ),
                ),
                migrations.AlterField(
                    model_name="outgoingmail",
                    name="supporter",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="signers.supporter",
                    ),
                ),
            ],
        ),
    ]
