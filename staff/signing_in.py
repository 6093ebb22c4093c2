"""Signing in to the admin, slow enough that nobody guesses a password."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils import timezone

from staff.models import SignInAttempt

WINDOW = timedelta(minutes=15)
# Somebody who mistypes; everybody behind one address; one account tried from many addresses.
PER_NAME_AND_NETWORK, PER_NETWORK, PER_NAME = 8, 40, 40
TOO_MANY = "There were too many attempts to log in. Wait 15 minutes, then try again."


class SignInForm(AdminAuthenticationForm):
    """Django's own form, behind a limit that counts an attempt before the password is looked at."""

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not username or not password:
            return super().clean()
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if not begin(username=username, address=address, at=timezone.now()):
            raise ValidationError(TOO_MANY, code="too_many_attempts")
        cleaned = super().clean()
        forget(username=username, address=address)
        return cleaned


def begin(*, username: str, address: str, at: datetime) -> bool:
    """Counts one attempt; False where there were too many in the last 15 minutes.

    The attempt is stored before it is counted, so that a hundred at once cannot all be the first. A refused one is
    not kept: waiting always helps.
    """
    SignInAttempt.objects.filter(at__lte=at - WINDOW).delete()
    limits = keys(username=username, address=address)
    stored = SignInAttempt.objects.bulk_create([SignInAttempt(key=key, at=at) for key in limits])
    counted = dict(
        SignInAttempt.objects.filter(key__in=limits, at__gt=at - WINDOW)
        .values_list("key")
        .annotate(Count("pk"))
    )
    if all(counted.get(key, 0) <= limit for key, limit in limits.items()):
        return True
    SignInAttempt.objects.filter(pk__in=[attempt.pk for attempt in stored]).delete()
    return False


def forget(*, username: str, address: str) -> None:
    """The password was right: this person's own slips no longer count."""
    both, *_others = keys(username=username, address=address)
    SignInAttempt.objects.filter(key=both).delete()


def keys(*, username: str, address: str) -> dict[str, int]:
    """What is counted, as keyed hashes with their limits; no name and no address is stored."""
    name, near = username.casefold(), network(address)
    return {
        hashed("both", name, near): PER_NAME_AND_NETWORK,
        hashed("network", near): PER_NETWORK,
        hashed("name", name): PER_NAME,
    }


def network(address: str) -> str:
    """The neighborhood one subscriber can move about in: a /24, or a /56 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 56}", strict=False))


def hashed(*parts: Iterable[str]) -> str:
    key = settings.SECRET_KEY.encode()
    return hmac.new(
        key, "\0".join(["sign-in", *map(str, parts)]).encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
