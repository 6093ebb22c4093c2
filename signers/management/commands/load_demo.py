"""`load_demo` loads the sample campaign with invented signatures and one staff account for each role."""

import os
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from petitions.campaign_files import BrokenFile
from signers.demo import STAFF, load_demo


class Command(BaseCommand):
    help = (
        "Loads the sample campaign with invented signatures and staff. Once: a second run changes nothing. "
        "The staff’s password is taken from DEMO_PASSWORD; without it, one is made and printed."
    )

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        given = os.environ.get("DEMO_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        try:
            loaded = load_demo(password=password, at=timezone.now())
        except BrokenFile as error:
            raise CommandError(
                f"The sample campaign does not fit in:\n{error}\nNothing was changed."
            ) from None
        if loaded and not given:
            self.stdout.write(f"Staff accounts {', '.join(STAFF)}, all with the password {password}")
        if verbosity:
            self.stdout.write(
                "The sample campaign is loaded and published."
                if loaded
                else "The sample campaign is already loaded."
            )
