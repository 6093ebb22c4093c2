"""`import_campaign FILE [--publish]` creates or updates a campaign from a campaign file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from petitions import campaign_files
from petitions.campaign_files.reading import LARGEST_FILE
from petitions.campaign_files.telling import told
from petitions.publishing import NotPublishable, ReasonNeeded, publish


class Command(BaseCommand):
    help = "Creates or updates a campaign from a campaign file. A file with problems changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the campaign file; - reads standard input")
        parser.add_argument("--publish", action="store_true", help="also publish the petitions of the file")
        parser.add_argument(
            "--reason", default="", help="why a statement that people have signed changes; public"
        )

    def handle(self, *args: Any, file: str, publish: bool, reason: str, **options: Any) -> None:
        text = content(file)
        try:
            self.load(campaign_files.read(text), publish=publish, reason=reason)
        except (campaign_files.BrokenFile, NotPublishable) as error:
            problems = "\n".join(map(str, error.problems))
            raise CommandError(f"{problems}\nNothing was changed.") from None
        except ReasonNeeded:
            raise CommandError(
                'People have signed a statement that this changes. Say why, in public: --reason "…"\n'
                "Nothing was changed."
            ) from None

    @transaction.atomic
    def load(self, file: campaign_files.CampaignFile, *, publish: bool, reason: str) -> None:
        loaded = campaign_files.load(file, at=timezone.now())
        # What the file lacks is not published by it either.
        published = publish_petitions(loaded, reason) if publish else ""
        self.stdout.write("\n".join([f"{loaded.campaign.title}:", *told(loaded)]) + published)


def publish_petitions(loaded: campaign_files.Loaded, reason: str) -> str:
    published = publish(
        campaign=loaded.campaign, at=timezone.now(), reason=reason, petitions=loaded.petitions
    )
    counts = {"new": published.new, "changed": published.changed, "unchanged": published.unchanged}
    return f"\nPublished: {', '.join(f'{number} {word}' for word, number in counts.items() if number) or 'nothing'}."


def content(name: str) -> bytes:
    """The file's bytes, no more than are needed to see that it is too large."""
    if name == "-":
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise CommandError(f"Cannot read {name}: {getattr(error, 'strerror', None) or error}.") from None
