"""The addresses of petitions: as typed, or made from campaign and place."""

import itertools
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from campaigns.forms import check_slug
from campaigns.models import Campaign
from petitions.models import Petition

SLUG_LENGTH = 100
PUBLISHED = "This petition has been published"


def clean_petition_slug(typed: str, petition: Petition | None) -> str:
    """The address as typed, or "" where one is to be made. Raises ValidationError where it cannot be had."""
    slug = typed.strip().lower()
    if petition is not None and petition.pk and petition.current_version_id:
        if slug not in ("", petition.slug):
            raise ValidationError(f"{PUBLISHED}, so its address stays: people have the link.")
        return petition.slug
    if slug:
        check_slug(slug)
        taken = Petition.objects.filter(slug=slug).values_list("pk", flat=True).first()
        if taken is not None and (petition is None or taken != petition.pk):
            raise ValidationError("Another petition has this address. Choose a different one.")
    return slug


def free_slug(campaign: Campaign, *words: str, taken: Collection[str] = ()) -> str:
    """An address no petition has: the campaign and the first word, then with the other words, then with a number.

    `words` are the place and the last name, or a group's addressee line; `taken` are addresses not saved yet.
    """
    base = campaign.slug[: SLUG_LENGTH - 40].strip("-")
    first = f"{base}-{slugify(words[0])[:30]}".strip("-")
    second = f"{base}-{slugify(' '.join(words))[:36]}".strip("-")
    used = {*taken, *Petition.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    numbered = (f"{first}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain((first, second), numbered) if slug not in used)
