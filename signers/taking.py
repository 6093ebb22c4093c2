"""A sign post without mistakes, taken with one INSERT and nothing built that is not shown.

Whatever is not plain goes the ordinary way, `signers.views.sign`, which tells people what is wrong.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from django.http import HttpRequest
from django.utils import timezone

from campaigns.models import Organization
from petitions.models import Petition
from signers import forms, networks
from signers.signing import submit_if_open
from signers.views import signed_url
from signers.wordings import updates_wording
from toolkit.referral_codes import referral_from
from toolkit.same_origin import Verdict, verdict

FORM = "application/x-www-form-urlencoded"
LONGEST, MOST_FIELDS = 20_000, 50  # bytes of a comment in percents, and what is about it
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


def taken(request: HttpRequest, slug: str) -> str | None:
    """Where to lead the signer when the signature is written down; None for what has to go the ordinary way, with
    nothing written."""
    if request.content_type != FORM or verdict(request) is not Verdict.SAME:
        return None
    data = fields_of(request)
    now = timezone.now()
    asked = asked_by(slug, at=now)
    if data is None or asked is None:
        return None
    if forms.version_number(data.get("version", "")) not in {None, asked.version_number}:
        return None
    cleaned = forms.cleaned_at_once(data, asked=asked.fields)
    if cleaned is None:
        return None
    hint = forms.email_hint(data)
    typed = forms.sign_input(
        cleaned,
        wording=asked.wording,
        referral=referral_from(request.META.get("HTTP_REFERER", "")),
        evidence=forms.evidence(data, petition_id=asked.petition_id, at=now, hint=hint),
        proof=data.get("proof", ""),
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
    return signed_url(slug, typed, hint)


def fields_of(request: HttpRequest) -> dict[str, str] | None:
    """What `request.POST` says, at half the cost; None for anything larger or odder than our form sends."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit() and len(length) < 6 and int(length) <= LONGEST):
        return None
    body = request.body
    if not body.isascii():
        return None
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return None


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
