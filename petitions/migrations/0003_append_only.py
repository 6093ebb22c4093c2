"""What was published is frozen."""

from django.db import migrations

from toolkit.append_only import refuse_updates


class Migration(migrations.Migration):
    dependencies = [("petitions", "0002_initial")]
    operations = [refuse_updates("petitions_version")]
