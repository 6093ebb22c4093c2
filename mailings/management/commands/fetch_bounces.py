"""Looks into the mailbox for bounces now; the worker does so every few minutes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mailings.bounce_mailbox import MailboxAway, fetch


class Command(BaseCommand):
    help = (
        "Reads what came to BOUNCE_MAILBOX. Reports about our mail are deleted, the rest is marked as read."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCE_MAILBOX:
            raise CommandError("BOUNCE_MAILBOX is not set.")
        try:
            reports = fetch(at=timezone.now())
        except MailboxAway as error:
            raise CommandError(f"The mailbox cannot be read. {error.reason}") from None
        self.stdout.write(f"{reports} new reports.")
