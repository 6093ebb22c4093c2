"""Moving a petition to another address; the one that people have leads to it for ever."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from petitions.models import FormerAddress, Petition
from staff import audit
from staff.models import User


class AddressTaken(IntegrityError):
    """Another petition has the address or once had it. Forms find out before; this is for the very same moment."""


@transaction.atomic
def move_to(*, petition: Petition, slug: str, actor: User | None, at: datetime) -> None:
    """Gives a petition another address. What was published keeps the old one, which then leads to the new.

    Moving back to an address of its own is fine. Raises AddressTaken; then nothing was changed.
    """
    row = (
        Petition.objects.select_for_update(of=("self",), no_key=True)
        .select_related("letter", "target")
        .get(pk=petition.pk)
    )
    if slug == row.slug:
        return
    if owners_of([slug]).get(slug, row.pk) != row.pk:
        raise AddressTaken(f"The address “{slug}” is another petition’s.")
    former = row.slug
    FormerAddress.objects.filter(petition=row, slug=slug).delete()
    row.slug = slug
    try:
        with transaction.atomic():
            row.save(update_fields=["slug"])
            if row.current_version_id is not None:
                FormerAddress.objects.create(petition=row, slug=former)
    except IntegrityError:
        raise AddressTaken(f"The address “{slug}” was taken in this very moment.") from None
    petition.slug = slug
    audit.record(actor=actor, action="moved to another address", subject=row, at=at, former=former, now=slug)


def owners_of(slugs: Collection[str]) -> dict[str, int]:
    """Which petition has each of these addresses, or once had it. Two queries.

    In this order: a petition that is moving right now is found at its address, or else by the one it left.
    """
    owners = dict(Petition.objects.filter(slug__in=slugs).order_by().values_list("slug", "pk"))
    former = FormerAddress.objects.filter(slug__in=slugs).values_list("slug", "petition_id")
    return dict(former) | owners


def used_beginning_with(beginning: str) -> set[str]:
    """The addresses that begin so and cannot be had: those of petitions, and those they once had. Two queries."""
    slugs: Iterable[str] = Petition.objects.filter(slug__startswith=beginning).values_list("slug", flat=True)
    former = FormerAddress.objects.filter(slug__startswith=beginning).values_list("slug", flat=True)
    return {*slugs, *former}
