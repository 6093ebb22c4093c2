"""Takes one message from a mail server that pipes what comes to BOUNCE_ADDRESS into a program."""

import os
import sys
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand
from django.utils import timezone

from mailings.bounce_messages import LONGEST
from mailings.bounces import take
from toolkit.database_trouble import AWAY

_CHUNK = 64 * 1024


class Command(BaseCommand):
    help = (
        "Reads one message from standard input and draws the conclusion, if it is a bounce of a mail of ours. "
        "Ends with 75 where the database is away, so that the mail server tries again."
    )
    # A mail server starts one of these for each message.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        content = beginning_of(sys.stdin.buffer)
        try:
            take(content, at=timezone.now())
        except AWAY:
            self.stderr.write("The database does not answer.")
            sys.exit(os.EX_TEMPFAIL)


def beginning_of(stream: BinaryIO) -> bytes:
    """As much as is looked at. The rest is read all the same: a mail server takes a closed pipe for a failure."""
    content = stream.read(LONGEST)
    while stream.read(_CHUNK):
        pass
    return content
