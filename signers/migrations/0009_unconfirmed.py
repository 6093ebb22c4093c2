"""An index for finding what counts without having been confirmed. Folding waits while it is made; signing does not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signers", "0008_proof_of_work")]
    operations = [
        migrations.AddIndex(
            model_name="signature",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", False), ("confirmed_at", None)),
                fields=["id"],
                name="signature_unconfirmed",
            ),
        ),
    ]
