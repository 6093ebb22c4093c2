"""What comes back about our mail: bounces and complaints, and what follows from them."""

from datetime import datetime, timedelta

from django.db import transaction

from mailings.models import MailReport, Recipient
from signers import consents
from signers.consents import Choice
from signers.models import Consent, OutgoingMail, Subscription, Supporter
from toolkit.plain_text import one_line

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
    also ends the updates. `event` is what tells this report from others: the same one counts once. `reason` holds no
    address: the caller has seen to that.
    """
    supporter = Supporter.objects.select_for_update(of=("self",), no_key=True).filter(pk=supporter_id).first()
    if supporter is None or MailReport.objects.filter(event=event[:120]).exists():
        return False
    recipient = Recipient.objects.filter(pk=recipient_id or 0, supporter=supporter).first()
    soft = soft_in_a_row(supporter, recipient, at) if kind == Kind.SOFT else supporter.soft_bounces
    MailReport.objects.create(
        supporter=supporter,
        recipient=recipient,
        kind=kind,
        reason=one_line(reason)[:200],
        at=at,
        event=event[:120],
    )
    if recipient is not None:
        note(recipient, kind, at)
    Supporter.objects.filter(pk=supporter.pk).update(soft_bounces=soft)
    if kind == Kind.COMPLAINT:
        stop(supporter, Supporter.Stopped.COMPLAINED, at)
        end_updates(supporter, recipient, at)
    elif kind == Kind.HARD or soft >= SOFT_IN_A_ROW:
        stop(supporter, Supporter.Stopped.BOUNCED, at)
    return True


def soft_in_a_row(supporter: Supporter, recipient: Recipient | None, at: datetime) -> int:
    """How many mails have come back for now without one that arrived between them, this one included."""
    last = MailReport.objects.filter(supporter=supporter, kind=Kind.SOFT).order_by("-at").first()
    if last is None:
        return 1
    same_mail = recipient is not None and last.recipient_id == recipient.pk
    if same_mail:
        return supporter.soft_bounces
    arrived = Recipient.objects.filter(
        supporter=supporter, sent_at__gt=last.at, sent_at__lte=at - HEARD_OF_WITHIN, bounced_at=None
    )
    return 1 if arrived.exists() else supporter.soft_bounces + 1


def note(recipient: Recipient, kind: str, at: datetime) -> None:
    """What the figures of the mailing count."""
    copy = Recipient.objects.filter(pk=recipient.pk)
    if kind == Kind.COMPLAINT:
        copy.filter(complained_at=None).update(complained_at=at)
    else:
        copy.filter(bounced_at=None).update(bounced_at=at)


def stop(supporter: Supporter, why: str, at: datetime) -> None:
    """No mail from now on, neither mailings nor confirmations, also what is queued."""
    Supporter.objects.filter(pk=supporter.pk, stopped_at=None).update(stopped_at=at, stopped=why)
    Recipient.objects.queued().filter(supporter=supporter).update(
        dropped_at=at, dropped=Recipient.Dropped.STOPPED
    )
    OutgoingMail.objects.filter(
        supporter=supporter, handed_over_at=None, sent_at=None, failed_at=None, dropped_at=None
    ).update(dropped_at=at)


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
