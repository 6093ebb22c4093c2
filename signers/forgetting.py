"""Letting go of personal data when its time has come."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from signers.models import AddressChange, Consent, OutgoingMail, Signature, Submission, Supporter

KEPT = timedelta(days=30)
# The link of a change works for one; and for one after it was pressed, links to the former mailbox must not work.
ADDRESS_CHANGE_KEPT = timedelta(days=2)
AT_ONCE = 500
TAKEN_AWAY = (Signature.Removal.NOT_ME, Signature.Removal.WITHDRAWN)  # by who signed


def forget_unconfirmed(*, at: datetime) -> int:
    """Deletes signatures that were typed 30 days ago and never counted, those their owner took away, parked
    submissions of that age, and supporters of whom nothing else is left; returns how many rows.

    In small transactions, so that signing goes on beside it. Also forgets old mails, of those about a signature only
    the addresses: the limits need their dates.
    """
    forgotten = 0
    while gone := _forget_batch(at - KEPT):
        forgotten += gone
    forgotten += Submission.objects.filter(parked_at__lte=at - KEPT).delete()[0]
    AddressChange.objects.filter(asked_at__lte=at - ADDRESS_CHANGE_KEPT).delete()
    _old_mails(at).filter(signature=None).delete()
    blank_old_addresses(at=at)
    return forgotten


@transaction.atomic
def _forget_batch(before: datetime) -> int:
    # Supporters first, like everybody who changes signatures; whom somebody else holds, the next hour finds.
    held = Supporter.objects.select_for_update(skip_locked=True, of=("self",))
    supporters = [
        row.pk
        for row in held.filter(
            Exists(Signature.objects.filter(_outlived(before), supporter=OuterRef("pk")))
        ).order_by("pk")[:AT_ONCE]
    ]
    signatures = Signature.objects.filter(_outlived(before), supporter__in=supporters)
    forgotten = signatures.count()
    signatures.delete()
    _forget_supporters(supporters)
    return forgotten


def _outlived(before: datetime) -> Q:
    never_counted = Q(accepted_at=None, signed_at__lte=before)
    return never_counted | Q(removal__in=TAKEN_AWAY, removed_at__lte=before)


def _forget_supporters(ids: list[int]) -> None:
    """A blocked mailbox is kept, or else it could not stay blocked; so is whoever made a choice about updates."""
    Supporter.objects.filter(pk__in=ids, blocked_at=None).exclude(
        Exists(Signature.objects.filter(supporter=OuterRef("pk")))
    ).exclude(Exists(Consent.objects.filter(supporter=OuterRef("pk")))).delete()


def blank_old_addresses(*, at: datetime) -> int:
    """Empties `to` of mails that were dealt with 30 days ago; what is still waiting keeps it."""
    return _old_mails(at).update(to="")


def _old_mails(at: datetime) -> QuerySet[OutgoingMail]:
    dealt_with = Q(sent_at__isnull=False) | Q(failed_at__isnull=False) | Q(dropped_at__isnull=False)
    return OutgoingMail.objects.filter(dealt_with, created_at__lte=at - KEPT).exclude(to="")
