"""A choice somebody made is never rewritten."""

from django.db import migrations

from toolkit.append_only import refuse_updates


class Migration(migrations.Migration):
    dependencies = [("signers", "0001_initial")]
    operations = [refuse_updates("signers_consent")]
