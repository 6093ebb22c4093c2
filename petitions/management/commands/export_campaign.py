"""`export_campaign SLUG` writes a campaign as a campaign file to standard output."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import Campaign
from petitions import campaign_files
from toolkit.nearest_name import nearest


class Command(BaseCommand):
    help = "Writes a campaign as a campaign file to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the last part of the campaign page’s address")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        campaign = Campaign.objects.select_related("organization").filter(slug=slug.replace("\0", "")).first()
        if campaign is None:
            raise CommandError(not_found(slug))
        self.stdout.write(campaign_files.write(campaign), ending="")


def not_found(slug: str) -> str:
    slugs = list(Campaign.objects.order_by("slug").values_list("slug", flat=True))
    near = nearest(slug, slugs)
    if near:
        return f"There is no campaign “{slug}”. Did you mean “{near}”?"
    return f"There is no campaign “{slug}”. " + (
        f"There are: {', '.join(slugs)}." if slugs else "There is none yet."
    )
