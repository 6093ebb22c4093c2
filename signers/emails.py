"""The mails signers get: one function per message. Whether to send one is decided elsewhere."""

import html
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.html import strip_tags

from campaigns.models import Organization
from petitions.models import Petition, Version
from signers.models import AddressChange, OutgoingMail, Signature, Supporter
from signers.tokens import (
    CONFIRM_LIFETIME,
    NEW_ADDRESS_LIFETIME,
    OWN_PAGE_LIFETIME,
    confirm_link,
    new_address_link,
    not_me_link,
    own_page_link,
)
from toolkit.bounce_addresses import MAIL, bounce_address, mark
from toolkit.emails import compose
from toolkit.plain_text import one_line

# Marks that turn the direction of everything after them: a name may not do that to our sentences.
_DIRECTION_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_NOTE_MARKS = re.compile(r"<sup\b.*?</sup>", re.DOTALL)


def confirm_mail(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Asks the owner of the mailbox to confirm the signature."""
    return _compose("confirm", mail, _confirm_context(_signature_of(mail), mail.created_at))


def already_signed_mail(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Tells somebody who signed again that their signature counts."""
    return _compose("already_signed", mail, _context(_signature_of(mail), mail.created_at))


def own_page_mail(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Brings the link to a person's own page."""
    context = _context_about(mail.supporter) | {
        "first_name": safe_name(mail.supporter.first_name),
        "own_page_url": own_page_link(mail.supporter, mail.created_at),
        "hours": OWN_PAGE_LIFETIME // timedelta(hours=1),
    }
    return _compose("own_page", mail, context)


def new_address_mail(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Asks the owner of another mailbox to confirm it. It may be a stranger's, so it names nobody."""
    change = change_behind(mail)
    if change is None:
        raise LookupError("This change of address is no longer wanted.")
    context = _context_about(mail.supporter) | {
        "new_address_url": new_address_link(change, mail.created_at),
        "hours": NEW_ADDRESS_LIFETIME // timedelta(hours=1),
    }
    return _compose("new_address", mail, context)


def change_behind(mail: OutgoingMail) -> AddressChange | None:
    """The change of address the mail asks to confirm, as long as nobody has. One query."""
    changes = AddressChange.objects.filter(supporter=mail.supporter_id, email=mail.to, done_at=None)
    return changes.order_by("-pk").first()


def organization_about(supporter: Supporter) -> Organization:
    """In whose name mail about a person leaves: that of their latest signature; unsaved where they have none."""
    latest = (
        Organization.objects.defer("logo")
        .filter(campaigns__letters__petitions__signatures__supporter=supporter)
        .order_by("-campaigns__letters__petitions__signatures__signed_at")
    )
    return latest.first() or Organization(name=urlsplit(settings.SITE_URL).netloc)


def confirm_mail_preview(*, petition: Petition, version: Version, at: datetime) -> EmailMultiAlternatives:
    """The mail as an invented supporter would get it; the version may be unsaved, and no link in it works."""
    signature = Signature(
        pk=0, petition=petition, version=version, first_name="Connie", last_name="Example", signed_at=at
    )
    mail = OutgoingMail(
        event="confirm:0:0",
        message=OutgoingMail.Message.CONFIRM,
        signature=signature,
        to="connie@example.org",
        created_at=at,
    )
    return confirm_mail(mail)


def _confirm_context(signature: Signature, at: datetime) -> dict[str, Any]:
    return _context(signature, at) | {
        "confirm_url": confirm_link(signature, at),
        "days": CONFIRM_LIFETIME.days,
        "lead_in": one_line(html.unescape(strip_tags(_NOTE_MARKS.sub("", signature.version.lead_in_html)))),
    }


def _signature_of(mail: OutgoingMail) -> Signature:
    if mail.signature is None:
        raise LookupError("A mail about a signature has one.")
    return mail.signature


def _context_about(supporter: Supporter) -> dict[str, Any]:
    return {
        "organization": organization_about(supporter),
        "own_page_ask_url": settings.SITE_URL + reverse("own-page-link"),
        "site": urlsplit(settings.SITE_URL).netloc,
    }


def safe_name(name: str) -> str:
    return one_line(_DIRECTION_OVERRIDES.sub("", name))


def _context(signature: Signature, at: datetime) -> dict[str, Any]:
    """Links are made for `at`, the moment the mail was wanted, so that every attempt sends the same."""
    campaign = signature.petition.campaign
    return {
        "organization": campaign.organization,
        "language": campaign.language,
        "signature": signature,
        "first_name": safe_name(signature.first_name),
        "version": signature.version,
        "headline": one_line(signature.version.headline),
        "addressee": one_line(signature.version.addressee),
        "petition_url": settings.SITE_URL + signature.petition.get_absolute_url(),
        "not_me_url": not_me_link(signature, at),
        "own_page_ask_url": settings.SITE_URL + reverse("own-page-link"),
        "site": urlsplit(settings.SITE_URL).netloc,
    }


def _compose(template: str, mail: OutgoingMail, context: dict[str, Any]) -> EmailMultiAlternatives:
    organization: Organization = context["organization"]
    own = mark(MAIL, mail.pk or 0, to=mail.to)
    message = compose(
        template=template,
        context=context,
        from_email=organization.from_email or settings.DEFAULT_FROM_EMAIL,
        from_name=organization.name,
        to=mail.to,
        reply_to=organization.reply_to,
        # The same for every attempt, so that a mail program shows only one should two ever arrive.
        message_id=f"<{own}@{urlsplit(settings.SITE_URL).hostname}>",
    )
    reports_to = bounce_address(own)
    if mail.pk and reports_to:
        # The header people see stays; this is where reports about the mail go.
        message.extra_headers["From"] = message.from_email
        message.from_email = reports_to
    return message
