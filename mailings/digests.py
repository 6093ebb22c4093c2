"""What stands for a mailing as somebody looked at it: its text, its audience, and all else its readers would see."""

import hashlib
from collections.abc import Iterator
from typing import Any

from campaigns.models import Source
from mailings.models import Mailing
from petitions.models import Petition

OF_MAILING = (
    "campaign_id", "subject", "other_subject", "test_share", "preview_text", "body", "call_to_action",
    "asks_to_sign", "audience", "of_petition_id", "leads_to_id", "kind", "joined_since", "others", "quiet_hours",
)  # fmt: skip
OF_ORGANIZATION = ("name", "parent", "postal_address", "from_email", "reply_to", "privacy_url", "accent")
OF_CAMPAIGN = ("title", "language", "slug")
# Where another value is another text in the mail, or another place it leads to.
OF_PETITION = (
    "pk", "slug", "local", "addressee", "current_version_id", "target__name", "target__office",
    "target__last_name", "target__place_id", "target__place__name", "target__place__region",
)  # fmt: skip


def digest_of(mailing: Mailing) -> str:
    """Another digest, another mailing. Three queries; the mailing needs its campaign and organization loaded."""
    digest = hashlib.sha256()
    for values in what_counts(mailing):
        digest.update(repr(values).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def what_counts(mailing: Mailing) -> Iterator[Any]:
    yield [str(getattr(mailing, name)) for name in OF_MAILING]
    yield [str(getattr(mailing.campaign, name)) for name in OF_CAMPAIGN]
    yield [str(getattr(mailing.campaign.organization, name)) for name in OF_ORGANIZATION]
    yield sorted(mailing.places.values_list("pk", flat=True))
    sources = [field.attname for field in Source._meta.concrete_fields]
    yield list(mailing.campaign.sources.order_by("pk").values_list(*sources))
    # Also those that are not open now: a petition that opens meanwhile has its own readers.
    yield list(
        Petition.objects.filter(letter__campaign=mailing.campaign_id).order_by("pk").values_list(*OF_PETITION)
    )
