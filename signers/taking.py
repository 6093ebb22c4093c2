"""A sign post without mistakes, taken ahead of sessions and all else it does not need: one INSERT, one redirect.

Whatever is not plain goes the ordinary way, `signers.views.sign`, which tells people what is wrong.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import ResolverMatch
from django.utils import timezone

from campaigns.models import Organization
from petitions.models import Petition
from signers import forms, networks
from signers.signing import submit_if_open
from signers.views import sign, signed_url, try_again
from signers.wordings import updates_wording
from toolkit.database_trouble import AWAY
from toolkit.referral_codes import referral_from
from toolkit.same_origin import Verdict, verdict

ADDRESS = re.compile(r"/petitions/([-a-zA-Z0-9_]+)/sign/", re.ASCII)
FORM = "application/x-www-form-urlencoded"
NEVER_STORED = "max-age=0, no-cache, no-store, must-revalidate, private"
# Nobody reads a page and types within this, so nobody meets a form that asks for something else.
REMEMBERED = 1.0  # seconds
MOST_REMEMBERED = 1_000


@dataclass(frozen=True)
class Asked:
    """What the sign form of a petition asks for, and what it shows."""

    petition_id: int
    version_id: int
    version_number: int
    fields: tuple[str, ...]
    wording: str
    good_until: float  # of the monotonic clock


class SignPostMiddleware:
    """Stands where the site's state has been looked at and every header is added, and outside of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and (address := ADDRESS.fullmatch(request.path_info)):
            slug = address[1]
            try:
                response = taken(request, slug)
            except AWAY:
                response = try_again(request, slug)
            if response is not None:
                request.resolver_match = ResolverMatch(sign, (), {"slug": slug}, "sign")
                response["Cache-Control"] = NEVER_STORED
                # What the middleware further in adds.
                response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
                response.headers.setdefault("Content-Length", str(len(response.content)))
                return response
        return self.get_response(request)


def taken(request: HttpRequest, slug: str) -> HttpResponse | None:
    """303 when the signature is written down; None for what has to go the ordinary way, with nothing written."""
    request.get_host()  # refuses hosts that are not ours
    if request.content_type != FORM or verdict(request) is not Verdict.SAME:
        return None
    now = timezone.now()
    asked = asked_by(slug, at=now)
    if asked is None or forms.version_number(request.POST.get("version", "")) not in {
        None,
        asked.version_number,
    }:
        return None
    data = request.POST
    cleaned = forms.cleaned_at_once(data, asked=asked.fields)
    if cleaned is None:
        return None
    hint = forms.email_hint(data)
    typed = forms.sign_input(
        cleaned,
        wording=asked.wording,
        referral=referral_from(request.META.get("HTTP_REFERER", "")),
        evidence=forms.evidence(data, petition_id=asked.petition_id, at=now, hint=hint),
    )
    written = submit_if_open(
        petition_id=asked.petition_id,
        slug=slug,
        version_id=asked.version_id,
        cleaned=typed,
        at=now,
        network=networks.seen_from(request.META.get("REMOTE_ADDR", ""), at=now),
    )
    if not written:
        _remembered.pop(slug, None)
        return None
    return HttpResponseRedirect(signed_url(slug, typed, hint), status=303)


_remembered: dict[str, Asked] = {}


def forget() -> None:
    _remembered.clear()


def asked_by(slug: str, *, at: datetime) -> Asked | None:
    """One query a second, petition and process. What must not be a second old is for the INSERT to prove."""
    found = _remembered.get(slug)
    if found is not None and time.monotonic() < found.good_until:
        return found
    campaign = "letter__campaign"
    row = (
        Petition.objects.public(at=at)
        .filter(slug=slug)
        .values_list(
            "pk",
            "current_version_id",
            "current_version__number",
            f"{campaign}__organization__name",
            *(f"{campaign}__asks_{name}" for name in forms.SOMETIMES_ASKED),
        )
        .first()
    )
    if row is None:
        return None
    petition_id, version_id, version_number, organization, *asks = row
    sometimes = (name for name, wanted in zip(forms.SOMETIMES_ASKED, asks, strict=True) if wanted)
    asked = Asked(
        petition_id=petition_id,
        version_id=version_id,
        version_number=version_number,
        fields=(*forms.ALWAYS_ASKED, *sometimes),
        wording=updates_wording(Organization(name=organization)),
        good_until=time.monotonic() + REMEMBERED,
    )
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[slug] = asked
    return asked
