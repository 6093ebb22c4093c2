"""The audit log is written once."""

from django.db import migrations

from toolkit.append_only import refuse_updates


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_initial")]
    operations = [refuse_updates("staff_auditentry")]
