"""The addresses of petitions: as typed, or made from campaign and place."""

import itertools
from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from campaigns.forms import check_slug
from campaigns.models import Campaign
from petitions.models import Petition
from petitions.readdressing import owners_of, used_beginning_with

SLUG_LENGTH = 100
PUBLISHED = "This petition has been published"
TAKEN = "Another petition has this address. Choose a different one."


def clean_petition_slug(
    typed: str, petition: Petition | None, *, owners: Mapping[str, int] | None = None
) -> str:
    """The address as typed, or "" where one is to be made. Raises ValidationError where it cannot be had.

    A published petition that is left without one keeps its own. `owners` are those of `owners_of`, where many
    addresses are looked up together.
    """
    slug = typed.strip().lower()
    own = petition.pk if petition is not None else None
    if petition is not None and not slug and petition.current_version_id:
        return petition.slug
    if slug:
        check_slug(slug)
        if (owners_of([slug]) if owners is None else owners).get(slug, own) != own:
            raise ValidationError(TAKEN)
    return slug


def free_slug(campaign: Campaign, *words: str, taken: Collection[str] = ()) -> str:
    """An address no petition has or had: the campaign and the first word, then with the others, then with a number.

    `words` are the place and the last name, or a group's addressee line; `taken` are addresses not saved yet.
    """
    base = campaign.slug[: SLUG_LENGTH - 40].strip("-")
    first = f"{base}-{slugify(words[0])[:30]}".strip("-")
    second = f"{base}-{slugify(' '.join(words))[:36]}".strip("-")
    used = {*taken, *used_beginning_with(base)}
    numbered = (f"{first}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain((first, second), numbered) if slug not in used)
