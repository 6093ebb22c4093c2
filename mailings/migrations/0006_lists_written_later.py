from django.db import migrations, models
from django.db.models import F, Q


def those_started_have_theirs(apps, schema_editor):
    mailing = apps.get_model("mailings", "Mailing")
    mailing.objects.filter(started_at__isnull=False).update(listed_at=F("started_at"))


class Migration(migrations.Migration):
    dependencies = [("mailings", "0005_copy_instead")]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="listed_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When its list was written; no copy leaves before.",
                null=True,
            ),
        ),
        migrations.RunPython(those_started_have_theirs, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.CheckConstraint(
                condition=Q(listed_at=None) | Q(started_at__isnull=False), name="mailing_listed_was_started"
            ),
        ),
    ]
