"""Applying a list: places, targets and petitions made and changed, all or nothing, in few statements."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from campaigns.models import Campaign, Place, Target
from petitions.forms.addresses import SLUG_LENGTH
from petitions.models import Petition, TargetList
from petitions.readdressing import used_beginning_with
from petitions.target_lists.comparing import Mark, Preview, Row, compare, without_collecting
from petitions.target_lists.matching import in_parts
from staff import audit
from staff.models import User

AT_ONCE = 500
CHANGEABLE_OF_TARGET = ["name", "last_name", "office", "place", "salutation", "email"]
CHANGEABLE_OF_PETITION = ["letter", "headline", "local", "goal", "slug"]


@dataclass(frozen=True)
class Applied:
    """How many targets of the list were added, changed, as they should be already, and left out."""

    added: int
    changed: int
    unchanged: int
    left_out: int


class NotApplied(Exception):
    """Nothing was changed. `preview` is how things are now."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(self.__doc__)
        self.preview = preview


class WrongRows(NotApplied):
    """Some rows are wrong, and nobody said to leave them out."""


class Outdated(NotApplied):
    """Something changed after the preview was shown."""


class AppliedAlready(Exception):
    """The list is gone: applied or dropped, perhaps by the first of two clicks."""


def apply(
    *,
    campaign: Campaign,
    key: int,
    previewed: str,
    actor: User | None,
    at: datetime,
    without_wrong_rows: bool = False,
) -> Applied:
    """Does what the preview with the digest `previewed` showed, and deletes the list.

    Raises WrongRows, Outdated or AppliedAlready; then nothing was changed.
    """
    try:
        with transaction.atomic():
            return apply_locked(campaign, key, previewed, actor, at, without_wrong_rows)
    except IntegrityError:
        # Somebody made the same address or target on another page in this very moment.
        rows = TargetList.objects.filter(pk=key, campaign=campaign).values_list("rows", flat=True).first()
        raise Outdated(compare(campaign, rows or [])) from None


@without_collecting()
def apply_locked(
    campaign: Campaign, key: int, previewed: str, actor: User | None, at: datetime, without_wrong_rows: bool
) -> Applied:
    # One list of a campaign at a time; publishing waits as well.
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    target_list = TargetList.objects.select_for_update().filter(pk=key, campaign=campaign).first()
    if target_list is None:
        raise AppliedAlready
    preview = compare(campaign, target_list.rows, lock=True)
    if preview.digest != previewed:
        raise Outdated(preview)
    if preview.counts[Mark.WRONG] and not without_wrong_rows:
        raise WrongRows(preview)
    save(preview)
    counts = preview.counts
    applied = Applied(
        counts[Mark.NEW],
        counts[Mark.CHANGED],
        counts[Mark.UNCHANGED],
        counts[Mark.WRONG] + counts[Mark.LEFT_OUT],
    )
    if preview.changes_anything:
        audit.record(
            actor=actor,
            action="applied a list of targets",
            subject=campaign,
            at=at,
            added=applied.added,
            changed=applied.changed,
            unchanged=applied.unchanged,
            left_out=applied.left_out,
        )
    target_list.delete()
    return applied


def save(preview: Preview) -> None:
    rows = [row for row in preview.rows if row.mark in (Mark.NEW, Mark.CHANGED)]
    save_places(preview.new_places)
    save_postal_codes(rows)
    targets = [row.target for row in rows if row.target and row.saves_target]
    for target in targets:
        # A place that was new a moment ago has its key now.
        target.place = target.place
    store(targets, Target, CHANGEABLE_OF_TARGET)
    petitions = [row.petition for row in rows if row.petition and row.saves_petition]
    for petition in petitions:
        petition.target = petition.target
    give_addresses(preview.campaign, petitions)
    store(petitions, Petition, CHANGEABLE_OF_PETITION)


def store(
    things: list[Target] | list[Petition], model: type[Target | Petition], changeable: list[str]
) -> None:
    """Inserts what is new and writes over what is stored, which is far quicker than Django's `bulk_update`."""
    new = [thing for thing in things if thing.pk is None]
    stored = [thing for thing in things if thing.pk is not None]
    model._default_manager.bulk_create(new, batch_size=AT_ONCE)  # type: ignore[arg-type]
    model._default_manager.bulk_create(
        stored,  # type: ignore[arg-type]
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=changeable,
    )


def save_places(places: list[Place]) -> None:
    """Lists new places. Another campaign may list the same ones in this moment, so they are found again."""
    Place.objects.bulk_create(places, batch_size=AT_ONCE, ignore_conflicts=True)
    stored: dict[tuple[str, str, str], int] = {}
    for part in in_parts({place.name for place in places}):
        for pk, *names in Place.objects.filter(name__in=part).values_list("pk", "name", "region", "country"):
            stored[tuple(names)] = pk  # type: ignore[index]
    for place in places:
        place.pk = stored[place.name, place.region, place.country]
        place._state.adding = False


def save_postal_codes(rows: list[Row]) -> None:
    places: dict[int, Place] = {}
    for row in rows:
        if row.postal_prefixes is not None and row.target is not None:
            place = places.setdefault(row.target.place.pk, row.target.place)
            place.postal_prefixes = row.postal_prefixes
    Place.objects.bulk_create(
        places.values(),
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["postal_prefixes"],
    )


def give_addresses(campaign: Campaign, petitions: list[Petition]) -> None:
    """Every new petition without an address gets a free one, made as `forms.addresses.free_slug` makes it."""
    base = campaign.slug[: SLUG_LENGTH - 40].strip("-")
    used = used_beginning_with(base) | {petition.slug for petition in petitions}
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(2))
    for petition in petitions:
        target = petition.target
        if petition.slug or target is None:
            continue
        first, second = (
            f"{base}-{words}".strip("-")
            for words in (
                slugify(target.place.name)[:30],
                slugify(f"{target.place.name} {target.last_name}")[:36],
            )
        )
        numbered = (f"{first}-{number}" for number in numbers[first])
        petition.slug = next(slug for slug in itertools.chain((first, second), numbered) if slug not in used)
        used.add(petition.slug)
