"""`seed_signatures` adds invented signatures to a petition, by the million, for measuring and rehearsing."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from petitions.models import Petition
from signers.seeding import CannotBeSeeded, seed, tidy

REFUSED = (
    "This adds invented people to the database and counts them. It runs with DEBUG=on, or with "
    "--on-a-throw-away-database. Nothing was changed."
)


class Command(BaseCommand):
    help = "Adds confirmed signatures of invented supporters to a petition, with counts that agree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the petition’s, as in its address")
        parser.add_argument("number", metavar="NUMBER", type=int, help="how many signatures to add")
        parser.add_argument(
            "--on-a-throw-away-database",
            action="store_true",
            help="says that nobody’s real signatures are in this database",
        )

    def handle(self, *, slug: str, number: int, verbosity: int, **options: Any) -> None:
        if not (settings.DEBUG or options["on_a_throw_away_database"]):
            raise CommandError(REFUSED)
        found = Petition.objects.filter(slug=slug.replace("\0", "")).select_related(
            "letter__campaign__organization", "target__place"
        )
        petition = found.first()
        if petition is None:
            raise CommandError(f"There is no petition with the address “{slug}”. Nothing was changed.")

        def report(done: int) -> None:
            if verbosity:
                self.stdout.write(f"{done:,} of {number:,}")

        start = time.monotonic()
        try:
            seed(petition=petition, number=number, at=timezone.now(), report=report)
        except CannotBeSeeded as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        tidy()
        seconds = time.monotonic() - start
        if verbosity:
            self.stdout.write(
                f"{number:,} signatures in {seconds:,.1f} s, {number / seconds:,.0f} a second,"
                " indexes and counts included."
            )
