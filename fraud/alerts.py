"""Telling staff that something is going on: one mail for all the news, and none twice an hour about the same."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse

from fraud.models import Burst
from toolkit.emails import DeliveryError, InDoubt, deliver, open_connection

logger = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class News:
    """A cluster as an alert tells of it."""

    burst: Burst
    signatures: int
    held: int

    @property
    def url(self) -> str:
        return settings.SITE_URL + reverse("admin:fraud_burst_change", args=[self.burst.pk])


def alert(*, at: datetime) -> int:
    """Mails about what goes on and was not told of within the hour; returns how many clusters it told of.

    A mail the server does not take is tried again with the next look. Nobody's name or address is in it.
    """
    due = list(_claim(at))
    if not due:
        return 0
    news = [_news_of(burst) for burst in due]
    told = [address for address in settings.ALERTS_TO if _send(news, address)]
    if settings.ALERTS_TO and not told:
        for burst in due:
            Burst.objects.filter(pk=burst.pk, alerted_at=at).update(alerted_at=burst.alerted_at)
        return 0
    return len(due)


def _claim(at: datetime) -> list[Burst]:
    """Of several workers one gets each."""
    going_on = Burst.objects.filter(_not_told(at), ended_at=None).order_by("pk")
    return [
        burst for burst in going_on if Burst.objects.filter(_not_told(at), pk=burst.pk).update(alerted_at=at)
    ]


def _not_told(at: datetime) -> Q:
    return Q(alerted_at=None) | Q(alerted_at__lte=at - AGAIN_AFTER)


def _news_of(burst: Burst) -> News:
    numbers = burst.members.aggregate(
        signatures=Count("pk"),
        held=Count("pk", filter=Q(signature__held_at__isnull=False, signature__removed_at=None)),
    )
    return News(burst, **numbers)


def _send(news: list[News], address: str) -> bool:
    """Whether the server took it, or may have."""
    context = {"news": news, "url": settings.SITE_URL + reverse("admin:fraud_burst_changelist")}
    message = EmailMessage(
        subject=render_to_string("emails/alert.subject.txt", context).strip(),
        body=render_to_string("emails/alert.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834
    )
    try:
        deliver(message, open_connection(), before_handover=lambda: None)
    except InDoubt:
        return True
    except DeliveryError as error:
        logger.error("An alert was not sent: %s", type(error).__name__)
        return False
    return True
