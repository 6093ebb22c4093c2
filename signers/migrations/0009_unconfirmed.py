"""An index for finding what counts without having been confirmed."""

from django.db import migrations, models

from toolkit.large_tables import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("signers", "0008_proof_of_work")]
    operations = [
        AddIndexBeside(
            model_name="signature",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", False), ("confirmed_at", None)),
                fields=["id"],
                name="signature_unconfirmed",
            ),
        ),
    ]
