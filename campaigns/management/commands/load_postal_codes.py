"""`load_postal_codes` fills the table of US ZIP codes by which visitors find their city."""

from typing import Any

from django.core.management.base import BaseCommand

from campaigns.postal_codes import load


class Command(BaseCommand):
    help = (
        "Loads the US ZIP codes with their cities from the zipcodes package (coordinates: GeoNames, CC BY 4.0). "
        "A second run changes nothing, unless the package is newer or there are new places to be located."
    )

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        # Only here: the package keeps 55 MB in memory for as long as the process lives.
        import zipcodes

        loaded = load(zipcodes.list_all())
        if not verbosity:
            return
        if loaded:
            self.stdout.write(
                f"ZIP codes: {loaded.added:,} added, {loaded.changed:,} changed, {loaded.removed:,} removed. "
                f"Places located: {loaded.located:,}."
            )
        else:
            self.stdout.write("The ZIP codes are loaded already; nothing has changed.")
