"""What a mail provider reports to us about a mail: django-anymail's events, and the address they are posted to."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from mailings.bounce_messages import verdict
from mailings.bounces import About, about_whom
from mailings.models import MailReport
from mailings.reports import arrived, report
from mailings.unsubscribing import unsubscribe
from toolkit.bounce_addresses import marks_in
from toolkit.email_addresses import mailbox_key
from toolkit.provider_backend import MAIL

logger = logging.getLogger(__name__)

Kind = MailReport.Kind
# What the provider's own lists say about an address that it did not even try.
_REJECTED = {
    RejectReason.INVALID: Kind.HARD,
    RejectReason.BOUNCED: Kind.HARD,
    RejectReason.SPAM: Kind.COMPLAINT,
}
_SOFT_WORDS = ("soft", "transient", "temporary", "undetermined")
_HARD_WORDS = ("hard", "permanent")
# Where providers say how bad a bounce is: Brevo and Mandrill, Postmark, Resend, Mailgun.
_SAYS_HOW_BAD = frozenset({"event", "Type", "type", "severity"})
_DEEPEST = 4


@csrf_exempt
@never_cache
@require_http_methods(["POST", "HEAD"])
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """Takes reports of the provider in the settings: 403 without the secret, 400 for what cannot be read.

    A database that is away makes 503 of it, and the provider comes again; what was written down counts once.
    """
    if not settings.EMAIL_PROVIDER or provider != settings.EMAIL_PROVIDER:
        raise Http404
    try:
        return webhook_of(provider)(request)
    except AnymailWebhookValidationFailure:
        return HttpResponseForbidden("The secret in this address is not ours.\n", content_type="text/plain")
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - a report of odd form; its text may quote a person
        logger.error("A report of the mail provider could not be read: %s", type(error).__name__)
        return HttpResponse("This report cannot be read.\n", status=400, content_type="text/plain")


@cache
def webhook_of(provider: str) -> Callable[..., HttpResponse]:
    name = f"{provider}_tracking_webhook"
    return next(pattern.callback for pattern in anymail_urls.urlpatterns if pattern.name == name)


@receiver(tracking)
def take_event(event: AnymailTrackingEvent, **_signal: Any) -> None:
    """Passes on what an event says about a mail of ours; whatever else there is, is nobody's business here."""
    about = whose(event)
    if about is None:
        return
    at = min(event.timestamp or timezone.now(), timezone.now())
    if event.event_type == EventType.DELIVERED:
        arrived(supporter_id=about.supporter_id)
    elif left(event):
        if about.recipient_id is not None:
            unsubscribe(recipient_id=about.recipient_id, at=timezone.now())
    elif kind := kind_of(event):
        report(
            supporter_id=about.supporter_id,
            recipient_id=about.recipient_id,
            kind=kind,
            reason=said(event) or str(event.reject_reason or event.event_type),
            event=key_of(event, kind),
            at=at,
        )


def whose(event: AnymailTrackingEvent) -> About | None:
    """None where it isn't about a mail of ours, or about an address the person no longer uses."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    for mark in marks_in(f"{metadata.get(MAIL, '')} {event.message_id or ''}"[:1000]):
        about = about_whom(mark)
        if about is not None and mailbox_key(str(event.recipient or "")) in {about.mailbox, "@"}:
            return about
    return None


def left(event: AnymailTrackingEvent) -> bool:
    return event.event_type == EventType.UNSUBSCRIBED or (
        event.event_type == EventType.REJECTED and event.reject_reason == RejectReason.UNSUBSCRIBED
    )


def kind_of(event: AnymailTrackingEvent) -> str:
    """hard, soft, complaint, or "" for what is no news about a mailbox."""
    if event.event_type == EventType.COMPLAINED:
        return Kind.COMPLAINT
    if event.event_type == EventType.REJECTED:
        return _REJECTED.get(event.reject_reason, Kind.SOFT)
    if event.event_type != EventType.BOUNCED:
        return ""
    if event.reject_reason == RejectReason.INVALID:
        return Kind.HARD
    how_bad = f"{event.description} {' '.join(said_of_type(event.esp_event))}".lower()
    if any(word in how_bad for word in _SOFT_WORDS):
        return Kind.SOFT
    for_good = any(word in how_bad for word in _HARD_WORDS)
    # The receiving server's own words go before: some providers call every refusal for good a hard bounce.
    return verdict("5.0.0" if for_good else "", said(event))


def said_of_type(details: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(details, dict) and depth < _DEEPEST:
        for name, value in details.items():
            if isinstance(value, dict):
                yield from said_of_type(value, depth + 1)
            elif name in _SAYS_HOW_BAD:
                yield str(value)[:100]


def said(event: AnymailTrackingEvent) -> str:
    return f"{event.mta_response or ''} {event.description or ''}".strip()[:2000]


def key_of(event: AnymailTrackingEvent, kind: str) -> str:
    """The same whenever the provider reports the same again; not all number their events."""
    own = str(event.event_id or f"{event.metadata}|{event.message_id}|{event.timestamp}")
    digest = hashlib.blake2b(own.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{kind}:{settings.EMAIL_PROVIDER}:{digest}"
