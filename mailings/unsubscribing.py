"""Leaving by the link of a copy: at once, for ever, per organization."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Organization
from mailings.models import Mailing, Recipient
from signers import consents
from signers.confirming import locked_person
from signers.consents import Choice
from signers.models import Consent, Subscription

WORDING = "Unsubscribe"


def organization_of(recipient_id: int) -> Organization | None:
    """Whose mail it was; None where the mailing is gone."""
    return Organization.objects.filter(campaigns__mailings__recipients=recipient_id).defer("logo").first()


def copy_of_the_reader(recipient_id: int) -> Recipient | None:
    """The copy, or the one in its place where two mailboxes turned out to be one person's."""
    copy = Recipient.objects.filter(pk=recipient_id).first()
    while copy is not None and copy.supporter_id is None and copy.instead is not None:
        copy = Recipient.objects.filter(pk=copy.instead).first()
    return copy


@transaction.atomic
def unsubscribe(*, recipient_id: int, at: datetime) -> Organization | None:
    """Ends updates of the organization for the reader of a copy, also those that are queued; returns whose.

    As often as wanted, and also when the person was erased meanwhile: then there is nothing left to end.
    """
    organization = organization_of(recipient_id)
    recipient = copy_of_the_reader(recipient_id)
    if organization is None or recipient is None or recipient.supporter_id is None:
        return organization
    supporter = recipient.supporter_id
    locked_person(supporter)
    if Subscription.objects.filter(organization=organization, supporter=supporter).exists():
        choice = Choice(supporter, organization.pk, granted=False, wording=WORDING)
        consents.record([choice], source=Consent.Source.UNSUBSCRIBE, at=at)
    Recipient.objects.filter(pk=recipient.pk, unsubscribed_at=None).update(unsubscribed_at=at)
    # A list of mailings rather than a join: then PostgreSQL looks at the copy itself again if it had to wait for it.
    mailings = Mailing.objects.filter(campaign__organization=organization)
    Recipient.objects.queued().filter(supporter=supporter, mailing__in=mailings).update(
        dropped_at=at, dropped=Recipient.Dropped.UNSUBSCRIBED
    )
    return organization
