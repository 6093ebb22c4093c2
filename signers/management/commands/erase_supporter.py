"""Erases a person who asked for it in another way than on their own page."""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser
from django.utils import timezone

from signers.erasing import erase
from signers.models import Supporter
from toolkit.email_addresses import mailbox_key


class Command(BaseCommand):
    help = (
        "Erases the person with this e-mail address, with signatures, choices and mails. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the e-mail address they sign with")
        parser.add_argument("--reason", default="Erased on request.", help="for the audit log; name nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        supporter = Supporter.objects.filter(mailbox=mailbox_key(options["address"])).first()
        erased = (
            erase(supporter_id=supporter.pk, at=timezone.now(), reason=options["reason"])
            if supporter
            else None
        )
        if erased is None:
            raise CommandError("Nobody has signed with this address.")
        self.stdout.write(f"Erased, with {erased.signatures} signatures, of which {erased.counted} counted.")
