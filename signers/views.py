"""Signing: the post, and the page after it. What the links in mails do is in `link_views`."""

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from campaigns.models import Campaign
from petitions.pages import PetitionPage, next_petitions
from petitions.views import live_page, petition_context
from signers import networks
from signers.forms import SignForm
from signers.sharing import share_places
from signers.signing import SignInput, submit
from toolkit import email_addresses, meters
from toolkit.database_trouble import AWAY
from toolkit.referral_codes import is_code, referral_from
from toolkit.same_origin import Verdict, carries_token, verdict

HINT_KEY = "mail"
DOMAIN = re.compile(r"[^\s@/<>\"']{1,100}")


@csrf_exempt
@never_cache
def sign(request: HttpRequest, slug: str) -> HttpResponse:
    """Takes a signature: 303 when it is written down, 422 with the input kept on a mistake. One read, one insert."""
    if request.method != "POST":
        return post_only(request, slug)
    origin = verdict(request)
    if origin is Verdict.CROSS:
        return render(request, "403.html", status=403)
    try:
        return take_signature(request, slug, sure=origin is Verdict.SAME)
    except AWAY:
        return try_again(request, slug)


def take_signature(request: HttpRequest, slug: str, *, sure: bool) -> HttpResponse:
    now = timezone.now()
    page = live_page(slug)
    if not sure and not carries_token(request):
        return one_more_click(request, page)
    if page.state != "open":
        return render(
            request, "petitions/petition.html", petition_context(page) | {"too_late": True}, status=409
        )
    form = SignForm(page=page, at=now, data=request.POST)
    if not form.is_valid():
        return render(request, "petitions/petition.html", petition_context(page) | {"form": form}, status=422)
    typed = form.sign_input(referral=referral_from(request.headers.get("Referer", "")))
    submit(
        petition_id=page.petition.pk,
        version_id=version_shown(page, form.version_number),
        cleaned=typed,
        at=now,
        network=networks.seen_from(request.META.get("REMOTE_ADDR", ""), at=now),
    )
    return HttpResponseRedirect(signed_url(page.petition.slug, typed, form.email_hint), status=303)


def signed_url(slug: str, typed: SignInput, hint: str) -> str:
    """The page after signing; where the address looks mistyped, with the domain as it was typed."""
    url = reverse("signed", args=[slug, typed.referral_code])
    return f"{url}?{urlencode({HINT_KEY: typed.email.rpartition('@')[2]})}" if hint else url


def post_only(request: HttpRequest, slug: str) -> HttpResponse:
    """For those who open the form's address: where the form is."""
    response = render(request, "405.html", {"petition_url": reverse("petition", args=[slug])}, status=405)
    response["Allow"] = "POST"
    return response


def version_shown(page: PetitionPage, number: int | None) -> int:
    """The version that was read: a page opened before a change still shows the older one. One query then."""
    if number in {None, page.version.number}:
        return page.version.pk
    shown = page.petition.versions.filter(number=number).values_list("pk", flat=True).first()
    return shown or page.version.pk


def one_more_click(request: HttpRequest, page: PetitionPage) -> HttpResponse:
    """For browsers that do not say where a post comes from: everything typed, and a button that carries a token."""
    context = petition_context(page) | {"fields": typed_fields(request), "sign_url": page.sign_url}
    return render(request, "signers/one_more_click.html", context, status=403)


def try_again(request: HttpRequest, slug: str) -> HttpResponse:
    """The database is away: everything typed, and a button that sends it again. Needs no database."""
    meters.DATABASE_ERRORS.labels("web").inc()
    context = {"fields": typed_fields(request), "sign_url": reverse("sign", args=[slug])}
    response = render(request, "signers/try_again.html", context, status=503)
    response["Retry-After"] = "10"
    return response


def typed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What was posted of the form's own fields."""
    return [(name, request.POST[name]) for name in SignForm.base_fields if name in request.POST]


@require_safe
@never_cache
def signed(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """The page after signing, the same whoever signed: what is left to do, sharing, the next petitions."""
    if not is_code(code):
        raise Http404
    page = live_page(slug)
    context = after_signing(page, code=code) | {
        "needs_confirmation": page.campaign.confirmation == Campaign.Confirmation.REQUIRED,
        "email_domain_hint": domain_hint(request.GET.get(HINT_KEY, "")),
        "page_title": f"Thank you: {page.version.headline}",
    }
    return render(request, "signers/signed.html", context)


def domain_hint(typed: str) -> dict[str, str] | None:
    """The domain as typed and as probably meant. The address itself never enters an address bar."""
    suggested = email_addresses.suggest_domain(typed) if DOMAIN.fullmatch(typed) else None
    return {"typed": typed, "suggested": suggested} if suggested else None


def after_signing(page: PetitionPage, *, code: str) -> dict[str, object]:
    return petition_context(page) | {
        "share": share_places(page, code=code),
        "next_petitions": next_petitions(page, at=timezone.now()),
    }
