"""The rules with which a site begins; staff change them in the admin."""

from django.db import migrations

# As in fraud.rules.DEFAULTS when this was written.
DEFAULTS = {
    "network": (60, 10),
    "neighborhood": (150, 10),
    "domain": (80, 10),
    "name": (30, 10),
    "mailbox": (30, 10),
    "speed": (60, 5),
}


def add(apps, schema_editor):
    Rule = apps.get_model("fraud", "Rule")
    for kind, (threshold, minutes) in DEFAULTS.items():
        Rule.objects.get_or_create(kind=kind, defaults={"threshold": threshold, "minutes": minutes})


class Migration(migrations.Migration):
    dependencies = [("fraud", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
