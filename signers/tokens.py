"""The links in mails: who may confirm a signature, and who may say that it isn't theirs."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from signers.models import Signature
from toolkit import signed_tokens

CONFIRM, NOT_ME = "confirm", "not-me"
# An unconfirmed signature is forgotten after as many days.
CONFIRM_LIFETIME = timedelta(days=30)
# Longer than a signature takes to be confirmed: a stranger may have confirmed it from a forwarded mail.
NOT_ME_LIFETIME = timedelta(days=90)


def confirm_link(signature: Signature, at: datetime) -> str:
    return _link(CONFIRM, signature, at)


def not_me_link(signature: Signature, at: datetime) -> str:
    return _link(NOT_ME, signature, at)


def read_confirm(token: str, *, at: datetime) -> int:
    """The signature's id. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(CONFIRM, token, at=at, max_age=CONFIRM_LIFETIME)


def read_not_me(token: str, *, at: datetime) -> int:
    """The signature's id. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(NOT_ME, token, at=at, max_age=NOT_ME_LIFETIME)


def _link(purpose: str, signature: Signature, at: datetime) -> str:
    """On the site's own address from the settings, never on that of a request."""
    token = signed_tokens.make(purpose, signature.pk, at=at)
    return settings.SITE_URL + reverse(purpose, args=[token])
