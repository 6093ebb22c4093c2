"""A campaign made from another one: the same texts, nothing that happened to it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from campaigns.forms import free_slug
from campaigns.models import Campaign, Source, Target
from petitions.closing import going_on
from petitions.models import Letter, Petition
from petitions.readdressing import used_beginning_with
from staff import audit
from staff.models import User


@transaction.atomic
def duplicate(
    *, campaign: Campaign, actor: User | None, at: datetime, with_targets: bool = False
) -> Campaign:
    """Copies organization, options, sources and letters, and on request targets and groups with their petitions.

    The copy has an address of its own, and neither versions, dates nor signatures.
    """
    copy = copied(
        campaign, title=copy_title(campaign.title), slug=free_slug(f"{campaign.slug} copy", but=Campaign())
    )
    copy.save()
    Source.objects.bulk_create([copied(source, campaign=copy) for source in campaign.sources.all()])
    letters = {letter.pk: copied(letter, campaign=copy) for letter in campaign.letters.all()}
    for letter in letters.values():
        letter.save()
    if with_targets:
        copy_petitions(campaign, copy, letters)
    audit.record(actor=actor, action="duplicated", subject=copy, at=at, original=campaign.pk)
    return copy


def copy_petitions(campaign: Campaign, copy: Campaign, letters: dict[int, Letter]) -> None:
    """Targets and their petitions, in few statements whatever their number."""
    originals = list(campaign.targets.all())
    targets = Target.objects.bulk_create(
        [copied(target, campaign=copy) for target in originals], batch_size=200
    )
    by_original = {original.pk: target for original, target in zip(originals, targets, strict=True)}
    petitions = without_left(
        Petition.objects.filter(letter__in=list(letters)).prefetch_related("members").order_by("pk")
    )
    slugs = copied_slugs(petitions, campaign, copy)
    made = Petition.objects.bulk_create(
        [
            Petition(
                letter=letters[petition.letter_id],
                target=by_original[petition.target_id] if petition.target_id else None,
                addressee=petition.addressee,
                slug=slug,
                headline=petition.headline,
                local=petition.local,
                goal=petition.goal,
                position=petition.position,
            )
            for petition, slug in zip(petitions, slugs, strict=True)
        ],
        batch_size=200,
    )
    Members = Petition.members.through
    Members.objects.bulk_create(
        [
            Members(petition=new, target=by_original[member.pk])
            for petition, new in zip(petitions, made, strict=True)
            for member in petition.members.all()
        ],
        batch_size=500,
    )


def without_left(petitions: Iterable[Petition]) -> list[Petition]:
    """All but what a target left behind when it took a stand: a copy asks or thanks it, not both."""
    chosen = list(petitions)
    by_target: dict[int | None, list[Petition]] = defaultdict(list)
    for petition in chosen:
        by_target[petition.target_id].append(petition)
    return [
        petition
        for petition in chosen
        if petition.target_id is None
        or petition.closed_at is None
        or petition == going_on(by_target[petition.target_id])
    ]


def copied(original, **changes):  # type: ignore[no-untyped-def] # the same model in and out
    """An unsaved copy of a row with other values in some fields."""
    values = {
        field.attname: getattr(original, field.attname)
        for field in original._meta.concrete_fields
        if not field.primary_key and field.name not in changes
    }
    return type(original)(**values, **changes)


def copied_slugs(petitions: list[Petition], campaign: Campaign, copy: Campaign) -> list[str]:
    """The old addresses with the copy's address in place of the campaign's, each unused. Two queries."""
    longest = Petition._meta.get_field("slug").max_length or 100
    taken = used_beginning_with(copy.slug[:70])
    slugs = []
    for petition in petitions:
        rest = petition.slug.removeprefix(campaign.slug).strip("-")
        base = f"{copy.slug[:70]}-{rest}"[: longest - 8].strip("-")
        slug, number = base, 1
        while slug in taken:
            number += 1
            slug = f"{base}-{number}"
        taken.add(slug)
        slugs.append(slug)
    return slugs


def copy_title(title: str) -> str:
    longest = Campaign._meta.get_field("title").max_length or 160
    return f"{title[: longest - 7]} (copy)"
