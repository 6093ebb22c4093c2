"""Giving petitions that nobody has seen yet the other letter of their campaign."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from petitions.closing import AT_ONCE, locked_all
from petitions.models import Kind, Letter, Petition
from staff import audit
from staff.models import User


@dataclass(frozen=True)
class KindReview:
    """What a change of kind would do: which petitions change, which have the kind, and why others cannot.

    `published` are those that people may have read or signed: no text changes under their names, so their targets
    take a stand instead. `refused` are pairs of petition and reason.
    """

    kind: str
    changing: list[Petition] = field(default_factory=list)
    same: list[Petition] = field(default_factory=list)
    published: list[Petition] = field(default_factory=list)
    refused: list[tuple[Petition, str]] = field(default_factory=list)


class CannotChangeKind(Exception):
    """Some petition cannot have the other letter; the message names it. Nothing was changed."""


def review_kind(petitions: Collection[Petition], *, kind: str) -> KindReview:
    """What `change_kind` would do. Petitions come with letter and target; two queries, whatever their number."""
    found = KindReview(kind)
    letters = letters_of(petitions, kind)
    lacking = f"This campaign has no {Kind(kind).label.lower()} letter yet. Write it first."
    taken = f"This target already has a {Kind(kind).label.lower()} petition."
    targets = set(
        Petition.objects.filter(letter__in=letters.values(), target__isnull=False)
        .order_by()
        .values_list("letter__campaign", "target")
    )
    for petition in petitions:
        campaign = petition.letter.campaign_id
        if petition.letter.kind == kind:
            found.same.append(petition)
        elif petition.current_version_id is not None:
            found.published.append(petition)
        elif campaign not in letters:
            found.refused.append((petition, lacking))
        elif (campaign, petition.target_id) in targets:
            found.refused.append((petition, taken))
        else:
            found.changing.append(petition)
    return found


@transaction.atomic
def change_kind(*, petitions: Collection[Petition], kind: str, actor: User | None, at: datetime) -> int:
    """Gives all of them the letter of this kind, or none of them; returns how many changed.

    What has the kind already stays as it is. Raises CannotChangeKind; then nothing was changed.
    """
    rows = locked_all(petitions)
    found = review_kind(rows, kind=kind)
    if found.published:
        raise CannotChangeKind(f"{found.published[0]} has been published. Use “Take a stand”.")
    if found.refused:
        petition, reason = found.refused[0]
        raise CannotChangeKind(f"{petition}: {reason}")
    letters = letters_of(found.changing, kind)
    for petition in found.changing:
        petition.letter = letters[petition.letter.campaign_id]
    try:
        with transaction.atomic():
            Petition.objects.bulk_update(found.changing, ["letter"], batch_size=AT_ONCE)
    except IntegrityError:
        raise CannotChangeKind("Somebody made such a petition in this very moment. Look again.") from None
    audit.record_all(actor=actor, action=f"changed to {Kind(kind).label}", subjects=found.changing, at=at)
    return len(found.changing)


def letters_of(petitions: Collection[Petition], kind: str) -> dict[int, Letter]:
    """The letters of this kind, by campaign. One query."""
    campaigns = {petition.letter.campaign_id for petition in petitions}
    letters = Letter.objects.filter(campaign__in=campaigns, kind=kind).defer("body")
    return {letter.campaign_id: letter for letter in letters}
