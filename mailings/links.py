"""The links in a copy of a mailing: one that recognises its reader, and one that ends all mailings."""

from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.urls import reverse

from mailings.models import Recipient
from toolkit import signed_tokens

SIGN, UNSUBSCRIBE = "sign-link", "unsubscribe"
SIGN_LIFETIME = timedelta(days=30)


def sign_link(recipient: Recipient, at: datetime) -> str:
    """`at` is the moment of sending, from which its days are counted."""
    return _link(SIGN, recipient, at)


def unsubscribe_link(recipient: Recipient, at: datetime) -> str:
    """RFC 8058 posts to it, people open it. It works for ever."""
    return _link(UNSUBSCRIBE, recipient, at)


def read_sign(token: str, *, at: datetime) -> int:
    """The recipient's id. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(SIGN, token, at=at, max_age=SIGN_LIFETIME)


def read_unsubscribe(token: str, *, at: datetime) -> int:
    """The recipient's id. Raises `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(UNSUBSCRIBE, token, at=at, max_age=None)


def _link(purpose: str, recipient: Recipient, at: datetime) -> str:
    """On the site's own address from the settings, never on that of a request."""
    before, after = _around_token(purpose)
    return f"{settings.SITE_URL}{before}{signed_tokens.make(purpose, recipient.pk, at=at)}{after}"


@cache
def _around_token(purpose: str) -> tuple[str, str]:
    """The address on both sides of the token: reversing takes longer than all else about a copy."""
    before, _, after = reverse(purpose, args=["-"]).rpartition("-")
    return before, after
