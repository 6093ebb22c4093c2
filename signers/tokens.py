"""The links in mails: who may confirm a signature, who may say that it isn't theirs, and who sees their own page."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from signers.models import AddressChange, Signature, Supporter
from toolkit import signed_tokens

CONFIRM, NOT_ME, OWN_PAGE, NEW_ADDRESS = "confirm", "not-me", "own-page", "new-address"
# An unconfirmed signature is forgotten after as many days.
CONFIRM_LIFETIME = timedelta(days=30)
# Longer than a signature takes to be confirmed: a stranger may have confirmed it from a forwarded mail.
NOT_ME_LIFETIME = timedelta(days=90)
# These open everything a person has here, and are asked for when they are needed.
OWN_PAGE_LIFETIME = NEW_ADDRESS_LIFETIME = timedelta(days=1)


def confirm_link(signature: Signature, at: datetime) -> str:
    return _link(CONFIRM, signature.pk, at)


def not_me_link(signature: Signature, at: datetime) -> str:
    return _link(NOT_ME, signature.pk, at)


def own_page_link(supporter: Supporter, at: datetime) -> str:
    return _link(OWN_PAGE, supporter.pk, at)


def new_address_link(change: AddressChange, at: datetime) -> str:
    return _link(NEW_ADDRESS, change.pk, at)


def read_confirm(token: str, *, at: datetime) -> int:
    """The signature's id. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(CONFIRM, token, at=at, max_age=CONFIRM_LIFETIME)


def read_not_me(token: str, *, at: datetime) -> int:
    """The signature's id. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(NOT_ME, token, at=at, max_age=NOT_ME_LIFETIME)


def read_own_page(token: str, *, at: datetime, not_before: datetime | None = None) -> int:
    """The supporter's id. A link made before `not_before` counts as expired.

    Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`.
    """
    max_age = OWN_PAGE_LIFETIME if not_before is None else min(OWN_PAGE_LIFETIME, at - not_before)
    return signed_tokens.read(OWN_PAGE, token, at=at, max_age=max_age)


def read_new_address(token: str, *, at: datetime) -> int:
    """The id of the change of address. Raises `ExpiredToken` or `InvalidToken` of `toolkit.signed_tokens`."""
    return signed_tokens.read(NEW_ADDRESS, token, at=at, max_age=NEW_ADDRESS_LIFETIME)


def _link(purpose: str, subject: int, at: datetime) -> str:
    """On the site's own address from the settings, never on that of a request."""
    token = signed_tokens.make(purpose, subject, at=at)
    return settings.SITE_URL + reverse(purpose, args=[token])
