"""What comes back about our mail: bounces and complaints, and what follows from them."""

from datetime import datetime, timedelta

from django.db import transaction

from mailings.models import MailReport, Recipient
from signers import consents
from signers.confirming import drop_waiting_mails_of, locked_person
from signers.consents import Choice
from signers.models import Consent, Signature, Subscription, Supporter
from toolkit import meters
from toolkit.emails import redacted

Kind = MailReport.Kind
# So many mails in a row that came back for now have come back for good.
SOFT_IN_A_ROW = 3
# A mail that nothing was heard of for so long has arrived.
HEARD_OF_WITHIN = timedelta(days=3)
KEPT = timedelta(days=90)
COMPLAINT_WORDING = "Reported a mail as unwanted"


@transaction.atomic
def report(
    *,
    supporter_id: int,
    recipient_id: int | None = None,
    kind: str,
    reason: str = "",
    event: str,
    at: datetime,
) -> bool:
    """Writes down what came back and draws the conclusion; False where this event was known, or the person is gone.

    A hard bounce and a complaint stop all mail to the mailbox, and so does the third soft bounce in a row. A complaint
    also ends the updates. `event` is what tells this report from others: the same one counts once. Of `reason` only
    what holds no address is kept.
    """
    supporter = locked_person(supporter_id)
    if supporter is None or MailReport.objects.filter(event=event[:120]).exists():
        return False
    recipient = Recipient.objects.filter(pk=recipient_id or 0, supporter=supporter).first()
    soft = soft_in_a_row(supporter, recipient, at) if kind == Kind.SOFT else supporter.soft_bounces
    MailReport.objects.create(
        supporter=supporter,
        recipient=recipient,
        kind=kind,
        reason=redacted(reason, supporter.email),
        at=at,
        event=event[:120],
    )
    if recipient is not None:
        note(recipient, kind, at)
    Supporter.objects.filter(pk=supporter.pk).update(soft_bounces=soft)
    outcome = meters.COMPLAINED if kind == Kind.COMPLAINT else meters.BOUNCED
    meters.MAILS.labels(meters.MAILING if recipient else meters.CONFIRMATION, outcome).inc()
    if kind == Kind.COMPLAINT:
        stop(supporter, Supporter.Stopped.COMPLAINED, at)
        end_updates(supporter, recipient, at)
    elif kind == Kind.HARD or soft >= SOFT_IN_A_ROW:
        stop(supporter, Supporter.Stopped.BOUNCED, at)
    return True


def soft_in_a_row(supporter: Supporter, recipient: Recipient | None, at: datetime) -> int:
    """How many mails have come back for now without one that arrived between them, this one included."""
    last = MailReport.objects.filter(supporter=supporter, kind=Kind.SOFT).first()
    if last is None or not supporter.soft_bounces:
        return 1
    if recipient is not None and last.recipient_id == recipient.pk:
        return supporter.soft_bounces
    return 1 if arrived_since(supporter, last.at, but=recipient, at=at) else supporter.soft_bounces + 1


def arrived_since(supporter: Supporter, moment: datetime, *, but: Recipient | None, at: datetime) -> bool:
    """Whether a mail reached them since: a copy nothing came back about, or one whose button they pressed."""
    copies = Recipient.objects.filter(
        supporter=supporter, sent_at__gt=moment, sent_at__lte=at - HEARD_OF_WITHIN, bounced_at=None
    ).exclude(pk=but.pk if but else 0)
    return copies.exists() or Signature.objects.filter(supporter=supporter, confirmed_at__gt=moment).exists()


def arrived(*, supporter_id: int) -> None:
    """A mail is known to have reached them, which ends a row of soft bounces."""
    Supporter.objects.filter(pk=supporter_id, soft_bounces__gt=0).update(soft_bounces=0)


def note(recipient: Recipient, kind: str, at: datetime) -> None:
    """What the figures of the mailing count."""
    copy = Recipient.objects.filter(pk=recipient.pk)
    if kind == Kind.COMPLAINT:
        copy.filter(complained_at=None).update(complained_at=at)
    else:
        copy.filter(bounced_at=None).update(bounced_at=at)


def stop(supporter: Supporter, why: str, at: datetime) -> None:
    """No mail from now on, neither mailings nor confirmations, also what is queued.

    A complaint says more than a bounce, and takes its place.
    """
    row = Supporter.objects.filter(pk=supporter.pk)
    row.filter(stopped_at=None).update(stopped_at=at, stopped=why)
    if why == Supporter.Stopped.COMPLAINED:
        row.update(stopped=why)
    Recipient.objects.queued().filter(supporter=supporter).update(
        dropped_at=at, dropped=Recipient.Dropped.STOPPED
    )
    drop_waiting_mails_of(supporter, at)


def end_updates(supporter: Supporter, recipient: Recipient | None, at: datetime) -> None:
    """Of the organization whose mail was reported; where that is not known, of all."""
    subscriptions = Subscription.objects.filter(supporter=supporter)
    if recipient is not None:
        subscriptions = subscriptions.filter(organization__campaigns__mailings=recipient.mailing_id)
    choices = [
        Choice(supporter.pk, organization, granted=False, wording=COMPLAINT_WORDING)
        for organization in subscriptions.values_list("organization_id", flat=True)
    ]
    if choices:
        consents.record(choices, source=Consent.Source.COMPLAINT, at=at)


def forget_reports(*, at: datetime) -> int:
    """Deletes what came back 90 days ago; what followed from it stays."""
    return MailReport.objects.filter(at__lte=at - KEPT).delete()[0]
