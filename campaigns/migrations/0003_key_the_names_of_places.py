from django.db import migrations

from campaigns.place_names import name_key

BATCH = 500


def key_names(apps, schema_editor):
    """Places from before their names were kept in the form in which they are compared."""
    Place = apps.get_model("campaigns", "Place")
    batch = []
    for place in Place.objects.filter(name_key="").iterator(chunk_size=BATCH):
        place.name_key = name_key(place.name)
        batch.append(place)
        if len(batch) == BATCH:
            Place.objects.bulk_update(batch, ["name_key"])
            batch = []
    Place.objects.bulk_update(batch, ["name_key"])


class Migration(migrations.Migration):

    dependencies = [
        ("campaigns", "0002_a_hundred_cities"),
    ]

    operations = [
        migrations.RunPython(key_names, migrations.RunPython.noop, elidable=True),
    ]
